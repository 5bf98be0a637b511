use std::net::Ipv4Addr;

use serde_json::Value;
use tokio::time::Instant;

use super::*;
use crate::client::{Answer, send};

const HEAD: &str = "POST / HTTP/1.1
                    content-type: application/x-amz-json-1.1
                    x-amz-target: secretsmanager.GetSecretValue";

async fn secrets_manager() -> SecretsManager {
    let secrets = SecretsManager::start((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    secrets.put("lendswift/acme", "the secret");
    secrets
}

async fn ask(secrets: &SecretsManager, name: &str) -> Answer {
    let body = json!({ "SecretId": name }).to_string();
    send(secrets.server.address(), HEAD, &body).await.unwrap()
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

fn assert_fault(answer: &Answer, status: u16, kind: &str, message: &str) {
    assert_eq!(answer.status, status);
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(answer.header("x-amzn-errortype"), Some(kind));
    assert_eq!(json(answer), json!({ "__type": kind, "Message": message }));
}

#[tokio::test]
async fn a_secret_comes_with_all_that_aws_says_about_it() {
    let secrets = secrets_manager().await;

    let answer = ask(&secrets, "lendswift/acme").await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(
        json(&answer),
        json!({
            "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:lendswift/acme-a1b2c3",
            "CreatedDate": 1_683_135_757.123,
            "Name": "lendswift/acme",
            "SecretString": "the secret",
            "VersionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
            "VersionStages": ["AWSCURRENT"],
        })
    );
}

#[tokio::test]
async fn a_secret_put_again_is_replaced() {
    let secrets = secrets_manager().await;

    secrets.put("lendswift/acme", "another");

    assert_eq!(json(&ask(&secrets, "lendswift/acme").await)["SecretString"], "another");
}

#[tokio::test]
async fn an_unknown_or_removed_secret_is_not_found() {
    let secrets = secrets_manager().await;
    secrets.remove("lendswift/acme");

    for name in ["lendswift/nobody", "lendswift/acme"] {
        assert_fault(
            &ask(&secrets, name).await,
            400,
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret.",
        );
    }
}

#[tokio::test]
async fn a_behaviour_stays_until_the_next() {
    let secrets = secrets_manager().await;
    let faults = [
        (Behaviour::Denied, 400, access_denied("lendswift/acme")),
        (Behaviour::Throttled, 400, THROTTLING),
        (Behaviour::TooMany, 429, TOO_MANY),
        (Behaviour::Down, 500, INTERNAL_SERVICE_ERROR),
        (Behaviour::Deleted, 400, DELETED),
        (Behaviour::Expired, 400, INVALID_SIGNATURE),
        (Behaviour::ChecksTime, 400, INVALID_SIGNATURE),
        (Behaviour::Fails("KMSFault", "Disabled."), 400, fault(Behaviour::Fails("KMSFault", "Disabled."), "")),
    ];

    for (behaviour, status, fault) in faults {
        secrets.behave(behaviour);
        for _ in 0..2 {
            assert_fault(&ask(&secrets, "lendswift/acme").await, status, fault.kind, &fault.message);
        }
    }
    secrets.behave(Behaviour::Normal);
    assert_eq!(ask(&secrets, "lendswift/acme").await.status, 200);
}

#[tokio::test]
async fn what_is_said_of_the_next_calls_goes_before_what_is_said_of_all_and_of_one() {
    let secrets = secrets_manager().await;
    secrets.put("lendswift/second", "another");
    secrets.behave_for("lendswift/acme", Behaviour::Deleted);
    secrets.behave_next([Behaviour::Expired, Behaviour::Normal]);
    let fault = async |name: &str| ask(&secrets, name).await.header("x-amzn-errortype").map(str::to_owned);

    assert_eq!(fault("lendswift/second").await.as_deref(), Some("InvalidSignatureException"));
    assert_eq!(fault("lendswift/second").await, None);
    assert_eq!(fault("lendswift/acme").await.as_deref(), Some("InvalidRequestException"));
    secrets.behave(Behaviour::Throttled);
    assert_eq!(fault("lendswift/acme").await.as_deref(), Some("ThrottlingException"));
}

#[test]
fn a_signature_is_good_for_five_minutes_before_and_after() {
    for (offset, good) in [(-302, false), (-298, true), (0, true), (298, true), (302, false)] {
        let signed = OffsetDateTime::now_utc() + time::Duration::seconds(offset);
        let date = format!(
            "{}{:02}{:02}T{:02}{:02}{:02}Z",
            signed.year(),
            u8::from(signed.month()),
            signed.day(),
            signed.hour(),
            signed.minute(),
            signed.second()
        );
        let headers = HeaderMap::from_iter([("x-amz-date".parse().unwrap(), date.parse().unwrap())]);
        assert_eq!(is_signed_now(&headers), good, "{date}");
    }
    assert!(!is_signed_now(&HeaderMap::new()));
}

#[tokio::test]
async fn a_binary_secret_has_no_text() {
    let secrets = secrets_manager().await;
    secrets.behave(Behaviour::Binary);

    let answer = json(&ask(&secrets, "lendswift/acme").await);

    assert_eq!(answer["SecretBinary"], "dGhlIHNlY3JldA==");
    assert_eq!(answer.get("SecretString"), None);
}

#[tokio::test]
async fn a_slow_answer_is_right_but_late() {
    let secrets = secrets_manager().await;
    secrets.behave(Behaviour::Slow(Duration::from_millis(50)));
    let asked = Instant::now();

    let answer = ask(&secrets, "lendswift/acme").await;

    assert_eq!(json(&answer)["SecretString"], "the secret");
    assert!(asked.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn silence_is_recorded_and_holds_up_nobody_else() {
    let secrets = secrets_manager().await;
    secrets.behave(Behaviour::Silent);
    let address = secrets.server.address();

    let silent = tokio::spawn(async move { send(address, HEAD, r#"{"SecretId":"a"}"#).await });
    while secrets.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    secrets.behave(Behaviour::Normal);
    assert_eq!(ask(&secrets, "lendswift/acme").await.status, 200);

    assert_eq!(secrets.calls(), ["a", "lendswift/acme"]);
    assert!(!silent.is_finished());
    drop(secrets);
    assert!(silent.await.unwrap().is_err());
}

#[tokio::test]
async fn another_operation_is_unknown() {
    let secrets = secrets_manager().await;

    for head in [
        HEAD.replace("GetSecretValue", "PutSecretValue"),
        HEAD.replace("POST", "PUT"),
        HEAD.replace("POST /", "POST /x"),
        "POST / HTTP/1.1".to_owned(),
    ] {
        let answer = send(secrets.server.address(), &head, r#"{"SecretId":"a"}"#).await.unwrap();
        assert_fault(&answer, 400, UNKNOWN_OPERATION.kind, &UNKNOWN_OPERATION.message);
    }
    assert!(secrets.calls().is_empty());
}

#[tokio::test]
async fn a_body_that_names_no_secret_is_refused() {
    let secrets = secrets_manager().await;

    for body in ["", "{}", r#"{"SecretId":1}"#] {
        let answer = send(secrets.server.address(), HEAD, body).await.unwrap();
        assert_fault(&answer, 400, SERIALIZATION.kind, &SERIALIZATION.message);
    }
}

#[tokio::test]
async fn the_url_is_where_it_listens() {
    let secrets = secrets_manager().await;

    assert_eq!(secrets.url(), format!("http://{}", secrets.server.address()));
}
