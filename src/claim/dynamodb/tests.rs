//! Requests as they are on the wire, and DynamoDB's errors.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use serde_json::json;
use sha2::{Digest, Sha256};
use support::RawTcpServer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use super::*;
use crate::config::Config;

/// HMAC (RFC 2104) with SHA-256 and a key of at most 64 bytes.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(block, key)| *block ^= key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

/// The client of a DynamoDB at this URL, in `eu-west-1`.
fn client(url: &str, token: Option<&str>) -> DynamoDb {
    let config = Config::from_variables(|name| match name {
        "CLAIMS_TABLE" => Some("claims".into()),
        "AWS_REGION" => Some("eu-west-1".into()),
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.into()),
        _ => None,
    });
    let mut aws = Aws::new(&config.unwrap()).unwrap();
    let credentials = Credentials::from_keys("AKIDEXAMPLE", "a secret key", token.map(str::to_owned));
    aws.sdk = aws.sdk.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
    DynamoDb::new(&aws)
}

/// The lines of the head of a request that the client sends, and its body.
async fn sent(token: Option<&str>, body: &'static str) -> (Vec<String>, String) {
    let (requests, mut received) = mpsc::unbounded_channel();
    let server = RawTcpServer::start(move |mut stream| {
        let requests = requests.clone();
        async move {
            let mut request = Vec::new();
            while !request.ends_with(body.as_bytes()) && stream.read_buf(&mut request).await.unwrap() > 0 {}
            requests.send(String::from_utf8(request).unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        }
    });
    let server = server.await;
    let client = client(&format!("http://{}", server.address()), token);
    let now = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let answer = client.call("GetItem", Bytes::from_static(body.as_bytes()), now).await;
    assert!(answer.is_ok_and(|answer| *answer == *b"{}"));
    let request = received.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.split("\r\n").map(str::to_owned).collect(), body.to_owned())
}

#[tokio::test]
async fn a_request_is_signed_as_aws_requires() {
    const BODY: &str = r#"{"TableName":"claims","Key":{"pk":{"S":"Zo\u00eb"}}}"#;
    for token in [None, Some("a session token")] {
        let (head, body) = sent(token, BODY).await;
        assert_eq!((head[0].as_str(), body.as_str()), ("POST / HTTP/1.1", BODY));
        let header = |name: &str| {
            let value = head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.unwrap_or_else(|| panic!("no {name}: {head:?}")).to_owned()
        };
        assert_eq!(header("x-amz-date"), "20260921T141320Z");
        // AWS Identity and Access Management's user guide, "Create a signed AWS API request".
        let names = ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"];
        let names: Vec<_> = names.into_iter().filter(|name| token.is_some() || !name.ends_with("token")).collect();
        let signed = names.join(";");
        let headers = names.iter().map(|name| format!("{name}:{}\n", header(name))).collect::<Vec<_>>().concat();
        let canonical = format!("POST\n/\n\n{headers}\n{signed}\n{}", hex::encode(Sha256::digest(BODY)));
        let scope = "20260921/eu-west-1/dynamodb/aws4_request";
        let digest = hex::encode(Sha256::digest(canonical));
        let to_sign = format!("AWS4-HMAC-SHA256\n20260921T141320Z\n{scope}\n{digest}");
        let key = scope.split('/').fold(b"AWS4a secret key".to_vec(), |key, part| hmac(&key, part.as_bytes()));
        let signature = hex::encode(hmac(&key, to_sign.as_bytes()));
        assert_eq!(
            header("authorization"),
            format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}")
        );
        assert_eq!(header("x-amz-target"), "DynamoDB_20120810.GetItem");
    }
}

#[tokio::test]
async fn only_dynamodbs_own_response_says_what_it_did() {
    for (response, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "done"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>", "no response"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]", "no response"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "no response"),
        ("HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}", "no response"),
        ("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", "no response"),
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}", "refused, no code"),
        ("HTTP/1.1 400 Bad Request\r\nx-amzn-errortype: A:b\r\ncontent-length: 2\r\n\r\n{}", "refused, A"),
        ("HTTP/1.1 503 Slow Down\r\ncontent-length: 2\r\n\r\n{}", "refused, no code"),
    ] {
        let server = RawTcpServer::start(move |mut stream| async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(response.as_bytes()).await;
        });
        let server = server.await;
        let client = client(&format!("http://{}", server.address()), None);
        let seen = match client.call("GetItem", Bytes::from_static(b"{}"), UNIX_EPOCH).await {
            Ok(_) => "done".to_owned(),
            Err(CallError::NoResponse(_)) => "no response".to_owned(),
            Err(CallError::NotSent(_)) => "not sent".to_owned(),
            Err(CallError::Refused(refusal)) => format!("refused, {}", refusal.code.as_deref().unwrap_or("no code")),
        };
        assert_eq!(seen, expected, "{response}");
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let mut client = client("http://127.0.0.1:1", None);
    client.credentials = None;
    let result = client.call("GetItem", Bytes::new(), UNIX_EPOCH).await;
    assert!(matches!(result, Err(CallError::NotSent(cause)) if cause.as_str() == "no credentials provider"));
}

#[test]
fn an_error_has_the_last_part_of_its_name() {
    for (body, code) in [
        (r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#, Some("ThrottlingException")),
        (r#"{"__type":"AccessDeniedException","Message":"no"}"#, Some("AccessDeniedException")),
        (r#"{"__type":"a#ThrottlingException:http://internal.amazon.com/"}"#, Some("ThrottlingException")),
        (r#"{"message":"no"}"#, None),
        ("<html>", None),
        ("", None),
    ] {
        let refusal = Refusal::parse(400, None, body.as_bytes());
        assert_eq!((refusal.status, refusal.code.as_deref()), (400, code), "{body}");
    }
}

#[test]
fn a_cancellation_has_a_reason_for_each_write() {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": [
            {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "a"}, "expires": {"N": "7"}, "tags": {"SS": ["x"]}}},
            {"Code": "None"},
        ],
    });
    let Refusal { code, reasons, .. } = Refusal::parse(400, None, body.to_string().as_bytes());
    assert_eq!(code.as_deref(), Some("TransactionCanceledException"));
    let [failed, other] = &reasons[..] else { panic!("two reasons") };
    assert_eq!((failed.code.as_deref(), other.code.as_deref()), (Some("ConditionalCheckFailed"), Some("None")));
    let item = failed.item.as_ref().unwrap();
    assert!(item["pk"] == AttributeValue::S("a".to_owned()) && item["expires"] == AttributeValue::N("7".to_owned()));
    assert!(item["tags"] == AttributeValue::Other(json!({"SS": ["x"]})) && other.item.is_none());
}
