mod operations;

use std::net::Ipv4Addr;

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{behaviour::fault, *};
use crate::fakes::client::{Answer, send};

const HEAD: &str = "POST / HTTP/1.1
                    content-type: application/x-amz-json-1.1
                    x-amz-target: secretsmanager.GetSecretValue";

async fn secrets_manager() -> SecretsManager {
    let secrets = SecretsManager::start((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    secrets.put("lendswift/acme", "the secret");
    secrets
}

async fn get(secrets: &SecretsManager, name: &str) -> Answer {
    let body = json!({ "SecretId": name }).to_string();
    send(secrets.address(), HEAD, &body).await.unwrap()
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    serde_json::from_str(&answer.body).unwrap()
}

fn assert_fault(answer: &Answer, status: u16, kind: &str, message: &str) {
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (status, Some(kind)));
    assert_eq!(json(answer), json!({ "__type": kind, "Message": message }));
}

#[tokio::test]
async fn a_secret_has_the_members_of_aws() {
    let secrets = secrets_manager().await;
    assert_eq!(secrets.url(), format!("http://{}", secrets.address()));
    let answer = get(&secrets, "lendswift/acme").await;
    assert_eq!(answer.status, 200);
    let mut secret = json(&answer);
    let arn = secret["ARN"].take().as_str().unwrap().to_owned();
    let random = arn.strip_prefix("arn:aws:secretsmanager:us-east-1:123456789012:secret:lendswift/acme-").unwrap();
    assert_eq!(random.len(), 6);
    assert!(secret["CreatedDate"].take().as_f64().unwrap() > 1_700_000_000.0);
    assert_eq!(secret["VersionId"].take().as_str().unwrap().len(), 36);
    assert_eq!(
        secret,
        json!({
            "ARN": null,
            "CreatedDate": null,
            "Name": "lendswift/acme",
            "SecretString": "the secret",
            "VersionId": null,
            "VersionStages": ["AWSCURRENT"],
        })
    );
    secrets.behave(SecretsBehaviour::Binary);
    let binary = json(&get(&secrets, "lendswift/acme").await);
    assert_eq!((&binary["SecretBinary"], binary.get("SecretString")), (&json!("dGhlIHNlY3JldA=="), None));
}

#[tokio::test]
async fn a_behaviour_lasts_until_the_next() {
    let secrets = secrets_manager().await;
    for (behaviour, status, kind) in [
        (SecretsBehaviour::Denied, 400, "AccessDeniedException"),
        (SecretsBehaviour::Throttled, 400, "ThrottlingException"),
        (SecretsBehaviour::TooMany, 429, "UnheardOfException"),
        (SecretsBehaviour::Down, 500, "InternalServiceError"),
        (SecretsBehaviour::Deleted, 400, "InvalidRequestException"),
        (SecretsBehaviour::Expired, 400, "InvalidSignatureException"),
        (SecretsBehaviour::ChecksTime, 400, "InvalidSignatureException"),
        (SecretsBehaviour::Fails("KMSFault", "Disabled."), 400, "KMSFault"),
    ] {
        secrets.behave(behaviour);
        for _ in 0..2 {
            let message = fault(behaviour, "lendswift/acme").unwrap().message;
            assert_fault(&get(&secrets, "lendswift/acme").await, status, kind, &message);
        }
    }
    secrets.behave(SecretsBehaviour::Normal);
    assert_eq!(get(&secrets, "lendswift/acme").await.status, 200);
}

#[tokio::test]
async fn the_next_calls_come_before_all_calls_and_those_before_a_name() {
    let secrets = secrets_manager().await;
    secrets.put("lendswift/second", "another");
    secrets.behave_for("lendswift/acme", SecretsBehaviour::Deleted);
    secrets.behave_next([SecretsBehaviour::Expired, SecretsBehaviour::Normal]);
    let fault = async |name| get(&secrets, name).await.header("x-amzn-errortype").unwrap_or_default().to_owned();
    assert_eq!(fault("lendswift/second").await, "InvalidSignatureException");
    assert_eq!(fault("lendswift/second").await, "");
    assert_eq!(fault("lendswift/acme").await, "InvalidRequestException");
    secrets.behave(SecretsBehaviour::Throttled);
    assert_eq!(fault("lendswift/acme").await, "ThrottlingException");
}

#[test]
fn a_signature_is_valid_five_minutes_before_and_after() {
    for (offset, valid) in [(-302, false), (-298, true), (0, true), (298, true), (302, false)] {
        let signed = OffsetDateTime::now_utc() + time::Duration::seconds(offset);
        let date = signed.format(&Rfc3339).unwrap()[..19].replace(['-', ':'], "") + "Z";
        let headers = HeaderMap::from_iter([("x-amz-date".parse().unwrap(), date.parse().unwrap())]);
        assert_eq!(is_signed_now(&headers), valid, "{date}");
    }
    assert!(!is_signed_now(&HeaderMap::new()));
}

#[tokio::test]
async fn other_operations_and_bodies_are_refused() {
    let secrets = secrets_manager().await;
    let another = HEAD.replace("GetSecretValue", "RotateSecret");
    for head in [&another, &HEAD.replace("POST", "PUT"), &HEAD.replace("POST /", "POST /x"), "POST / HTTP/1.1"] {
        let answer = send(secrets.address(), head, r#"{"SecretId":"a"}"#).await.unwrap();
        assert_fault(&answer, 400, "UnknownOperationException", "This operation is not known here.");
    }
    for body in ["", "{}", r#"{"SecretId":1}"#] {
        let answer = send(secrets.address(), HEAD, body).await.unwrap();
        assert_fault(&answer, 400, "SerializationException", "The body is no GetSecretValue request.");
    }
    assert!(secrets.calls().is_empty());
}
