mod locks;
mod script;
mod tokens;

use std::{net::Ipv4Addr, time::Duration};

use serde_json::{Value, json};

use super::{DynamoBehaviour as Behaviour, *};
use crate::fakes::client::{Answer, send};

const SECOND: Duration = Duration::from_secs(1);
const TEN_MINUTES: Duration = Duration::from_secs(600);
const TRANSACTION: &str = "TransactWriteItems";

fn claims() -> DynamoCore {
    let core = DynamoCore::new().unwrap();
    core.create_table("claims");
    core
}

fn item(pk: &str, who: &str) -> Value {
    json!({ "pk": { "S": pk }, "who": { "S": who } })
}

fn key(pk: &str) -> Value {
    json!({ "TableName": "claims", "Key": { "pk": { "S": pk } } })
}

fn put(item: Value) -> Value {
    json!({ "TableName": "claims", "Item": item })
}

/// A put that succeeds if there is no such item.
fn claim(pk: &str, who: &str) -> Value {
    let mut claim = put(item(pk, who));
    claim["ConditionExpression"] = "attribute_not_exists(pk)".into();
    claim["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    claim
}

/// A transaction that claims these items for `who`.
fn transaction<const N: usize>(token: &str, pks: [&str; N], who: &str) -> Value {
    json!({ "ClientRequestToken": token, "TransactItems": pks.map(|pk| json!({ "Put": claim(pk, who) })).to_vec() })
}

fn seen(outcome: DynamoOutcome) -> (u16, Value) {
    let DynamoOutcome::Answered(DynamoAnswer { status, body }) = outcome else { panic!("{outcome:?}") };
    (status.as_u16(), serde_json::from_str(&body).unwrap())
}

async fn ask(core: &DynamoCore, operation: &str, body: &Value) -> (u16, Value) {
    seen(core.call(operation, body.to_string().as_bytes()).await)
}

async fn transact<const N: usize>(core: &DynamoCore, token: &str, pks: [&str; N], who: &str) -> (u16, Value) {
    ask(core, TRANSACTION, &transaction(token, pks, who)).await
}

fn done() -> (u16, Value) {
    (200, json!({}))
}

fn error(kind: &str, message: &str) -> (u16, Value) {
    (400, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message }))
}

fn cancelled<const N: usize>(reasons: [Value; N]) -> (u16, Value) {
    let codes = reasons.each_ref().map(|reason| reason["Code"].as_str().unwrap()).join(", ");
    let message = format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": reasons.to_vec(),
    });
    (400, body)
}

fn no_reason() -> Value {
    json!({ "Code": "None" })
}

fn conflicting() -> Value {
    json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" })
}

fn taken(pk: &str, who: &str) -> Value {
    let message = "The conditional request failed";
    json!({ "Code": "ConditionalCheckFailed", "Message": message, "Item": item(pk, who) })
}

async fn dynamodb() -> DynamoDb {
    let dynamodb = DynamoDb::start((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    dynamodb.create_table("claims");
    dynamodb
}

fn head(operation: &str) -> String {
    format!(
        "POST / HTTP/1.1
         content-type: application/x-amz-json-1.0
         x-amz-target: DynamoDB_20120810.{operation}"
    )
}

async fn post(address: SocketAddr, operation: &str, body: Value) -> io::Result<Answer> {
    send(address, &head(operation), &body.to_string()).await
}

fn assert_answer(answer: &Answer, status: u16, body: &Value) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), *body);
}

#[tokio::test]
async fn a_refused_claim_returns_the_item_in_its_way() {
    let dynamodb = dynamodb().await;
    assert_eq!(dynamodb.url(), format!("http://{}", dynamodb.address()));
    let first = post(dynamodb.address(), "PutItem", claim("a", "first")).await.unwrap();
    assert_answer(&first, 200, &json!({}));
    let second = post(dynamodb.address(), "PutItem", claim("a", "second")).await.unwrap();
    let (status, mut refused) = error("ConditionalCheckFailedException", "The conditional request failed");
    refused["Item"] = item("a", "first");
    assert_answer(&second, status, &refused);
    assert_eq!(dynamodb.items("claims"), [item("a", "first")]);
}

#[tokio::test]
async fn a_hanging_call_delays_no_other_and_a_reset_closes() {
    let dynamodb = dynamodb().await;
    dynamodb.next("PutItem", Behaviour::Hang);
    dynamodb.next("PutItem", Behaviour::Reset);
    let hanging = tokio::spawn(post(dynamodb.address(), "PutItem", claim("a", "first")));
    dynamodb.called("PutItem", 1).await;
    let reset = post(dynamodb.address(), "PutItem", claim("a", "first")).await;
    assert_eq!(reset.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(post(dynamodb.address(), "GetItem", key("b")).await.unwrap().status, 200);
    assert!(!hanging.is_finished());
    drop(dynamodb);
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn other_operations_are_unknown() {
    let dynamodb = dynamodb().await;
    let put = head("PutItem");
    for head in [put.replace("PutItem", "Juggle"), put.replace("POST", "PUT"), "POST / HTTP/1.1".to_owned()] {
        let answer = send(dynamodb.address(), &head, "{}").await.unwrap();
        assert_answer(&answer, 400, &json!({ "__type": "com.amazon.coral.service#UnknownOperationException" }));
    }
}

#[tokio::test]
async fn items_beyond_a_page_are_all_returned_in_order() {
    let core = claims();
    for name in ["e", "d", "c", "b", "a"] {
        core.put("claims", item(name, &"x".repeat(300_000)));
    }
    let items = core.items("claims");
    assert_eq!(items.iter().map(|item| &item["pk"]["S"]).collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn the_date_can_be_another_than_this_machines() {
    let dynamodb = DynamoDb::start((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    for ahead in [0, -3600, 3600] {
        dynamodb.set_seconds_ahead(ahead);
        let head = "POST / HTTP/1.1\nx-amz-target: DynamoDB_20120810.ListTables";
        let answer = send(dynamodb.address(), head, "{}").await.unwrap();
        let date = httpdate::parse_http_date(answer.header("date").unwrap()).unwrap();
        let date = date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let difference = i64::try_from(date).unwrap() - i64::try_from(crate::now()).unwrap() - ahead;
        assert!((-2..=0).contains(&difference), "{ahead}: {difference}");
    }
}
