mod orders;
mod transactions;
mod units;

use std::{
    io::Write,
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::*;
use crate::client::{Answer, send};

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

async fn ask(dynamodb: &DynamoDb, operation: &str, body: &Value) -> io::Result<Answer> {
    send(dynamodb.server.address(), &head(operation), &body.to_string()).await
}

fn item(pk: &str, who: &str) -> Value {
    json!({ "pk": { "S": pk }, "who": { "S": who } })
}

fn claim(pk: &str, who: &str) -> Value {
    json!({
        "TableName": "claims",
        "Item": item(pk, who),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    })
}

fn assert_answer(answer: &Answer, status: u16, body: &Value) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), *body);
}

#[tokio::test]
async fn a_claim_that_is_taken_shows_who_has_it() {
    let dynamodb = dynamodb().await;

    let first = ask(&dynamodb, "PutItem", &claim("a", "first")).await.unwrap();
    let second = ask(&dynamodb, "PutItem", &claim("a", "second")).await.unwrap();

    assert_answer(&first, 200, &json!({}));
    assert_answer(
        &second,
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "message": "The conditional request failed",
            "Item": item("a", "first"),
        }),
    );
    assert_eq!(dynamodb.items("claims"), [item("a", "first")]);
}

#[tokio::test]
async fn a_transaction_happens_whole_or_tells_what_was_in_its_way() {
    let dynamodb = dynamodb().await;
    let transaction = |pks: [&str; 2], who| json!({ "TransactItems": [{ "Put": claim(pks[0], who) }, { "Put": claim(pks[1], who) }] });

    let first = ask(&dynamodb, "TransactWriteItems", &transaction(["b", "a"], "first")).await.unwrap();
    let second = ask(&dynamodb, "TransactWriteItems", &transaction(["c", "a"], "second")).await.unwrap();

    assert_answer(&first, 200, &json!({}));
    assert_answer(
        &second,
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
            "CancellationReasons": [
                { "Code": "None" },
                { "Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item("a", "first") },
            ],
        }),
    );
    assert_eq!(dynamodb.items("claims"), [item("a", "first"), item("b", "first")]);
}

#[tokio::test]
async fn of_two_hundred_claims_at_once_one_wins() {
    let dynamodb = dynamodb().await;
    let address = dynamodb.server.address();

    let mut race = JoinSet::new();
    for who in 0..200 {
        race.spawn(async move { send(address, &head("PutItem"), &claim("a", &who.to_string()).to_string()).await });
    }
    let answers = race.join_all().await;

    let winners = answers.iter().filter(|answer| answer.as_ref().unwrap().status == 200).count();
    assert_eq!((winners, dynamodb.items("claims").len()), (1, 1));
}

#[tokio::test]
async fn items_can_be_put_read_and_updated() {
    let dynamodb = dynamodb().await;
    dynamodb.put("claims", item("a", "nobody"));
    let key = json!({ "pk": { "S": "a" } });

    let update = json!({
        "TableName": "claims",
        "Key": key,
        "UpdateExpression": "SET who = :who",
        "ExpressionAttributeValues": { ":who": { "S": "somebody" } },
    });
    assert_answer(&ask(&dynamodb, "UpdateItem", &update).await.unwrap(), 200, &json!({}));

    let read = ask(&dynamodb, "GetItem", &json!({ "TableName": "claims", "Key": key })).await.unwrap();
    assert_answer(&read, 200, &json!({ "Item": item("a", "somebody") }));
    assert_eq!(dynamodb.calls(), ["UpdateItem", "GetItem"]);
}

#[tokio::test]
async fn more_items_than_a_page_holds_are_all_shown_in_order() {
    let dynamodb = dynamodb().await;
    let names = ["e", "d", "c", "b", "a"];
    for name in names {
        dynamodb.put("claims", item(name, &"x".repeat(300_000)));
    }

    let shown = dynamodb.items("claims");

    assert_eq!(shown.iter().map(|item| &item["pk"]["S"]).collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_table_of_another_shape_does_not_take_the_relays_items() {
    let dynamodb = dynamodb().await;
    dynamodb.create_table_of_another_shape("shapes");
    let put = |table| json!({ "TableName": table, "Item": item("a", "first") });

    let wrong = ask(&dynamodb, "PutItem", &put("shapes")).await.unwrap();
    let missing = ask(&dynamodb, "PutItem", &put("nothing")).await.unwrap();

    assert_answer(
        &wrong,
        400,
        &json!({
            "__type": "com.amazon.coral.validate#ValidationException",
            "message": "One or more parameter values were invalid: Missing the key id in the item",
        }),
    );
    assert_answer(
        &missing,
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            "message": "Requested resource not found",
        }),
    );
}

#[tokio::test]
async fn a_refusal_stays_until_the_next_behaviour_and_leaves_nothing() {
    let dynamodb = dynamodb().await;
    let fault =
        |kind, message| json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message });
    let denied = json!({
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "Message": "User: relay is not authorized to perform: dynamodb:PutItem",
    });
    let throttled = "Throughput exceeds the current capacity of your table or index.";

    for (behaviour, status, body) in [
        (DynamoBehaviour::Down, 500, fault("InternalServerError", "Internal server error")),
        (DynamoBehaviour::Throttled, 400, fault("ThrottlingException", throttled)),
        (DynamoBehaviour::Denied, 400, denied),
        (
            DynamoBehaviour::Conflicting,
            400,
            fault("TransactionConflictException", "Transaction is ongoing for the item"),
        ),
    ] {
        dynamodb.behave(behaviour);
        for _ in 0..2 {
            assert_answer(&ask(&dynamodb, "PutItem", &claim("a", "first")).await.unwrap(), status, &body);
        }
    }
    assert_eq!(dynamodb.items("claims"), [Value::Null; 0]);
    dynamodb.behave(DynamoBehaviour::Normal);
    assert_eq!(ask(&dynamodb, "PutItem", &claim("a", "first")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_conflicting_transaction_names_a_reason_for_every_item() {
    let dynamodb = dynamodb().await;
    dynamodb.behave(DynamoBehaviour::Conflicting);
    let puts = ["a", "b"].map(|pk| json!({ "Put": claim(pk, "first") }));

    let answer = ask(&dynamodb, "TransactWriteItems", &json!({ "TransactItems": puts })).await.unwrap();

    let reason = json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" });
    assert_answer(
        &answer,
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, TransactionConflict]",
            "CancellationReasons": [reason, reason],
        }),
    );
}

#[tokio::test]
async fn what_is_next_is_for_one_call_of_that_operation() {
    let dynamodb = dynamodb().await;
    dynamodb.next("GetItem", DynamoBehaviour::Throttled);
    dynamodb.next("PutItem", DynamoBehaviour::Down);
    dynamodb.next("PutItem", DynamoBehaviour::Denied);

    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(ask(&dynamodb, "PutItem", &claim("a", "first")).await.unwrap().status);
    }

    assert_eq!(seen, [500, 400, 200]);
}

#[tokio::test]
async fn a_broken_connection_gives_no_answer() {
    for (behaviour, left) in
        [(DynamoBehaviour::Broken, vec![]), (DynamoBehaviour::DoneButBroken, vec![item("a", "first")])]
    {
        let dynamodb = dynamodb().await;
        dynamodb.next("PutItem", behaviour);

        let answer = ask(&dynamodb, "PutItem", &claim("a", "first")).await;

        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(dynamodb.items("claims"), left);
    }
}

#[tokio::test]
async fn silence_lasts_until_the_end_and_holds_up_nobody_else() {
    for (behaviour, left) in
        [(DynamoBehaviour::Silent, vec![]), (DynamoBehaviour::DoneButSilent, vec![item("a", "first")])]
    {
        let dynamodb = dynamodb().await;
        dynamodb.next("PutItem", behaviour);
        let address = dynamodb.server.address();

        let silent =
            tokio::spawn(async move { send(address, &head("PutItem"), &claim("a", "first").to_string()).await });
        dynamodb.called("PutItem", 1).await;
        let other = ask(&dynamodb, "GetItem", &json!({ "TableName": "claims", "Key": { "pk": { "S": "b" } } })).await;

        assert_eq!(other.unwrap().status, 200);
        assert_eq!(dynamodb.items("claims"), left);
        assert!(!silent.is_finished());
        drop(dynamodb);
        assert!(silent.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn a_slow_call_is_done_even_if_nobody_waits_any_more() {
    let dynamodb = dynamodb().await;
    dynamodb.behave(DynamoBehaviour::Slow(Duration::from_millis(50)));
    let put = claim("a", "first").to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.PutItem\r\ncontent-length: {}\r\n\r\n{put}",
        put.len()
    );

    let mut stream = TcpStream::connect(dynamodb.server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    dynamodb.called("PutItem", 1).await;
    drop(stream);
    assert_eq!(dynamodb.items("claims"), [Value::Null; 0]);
    tokio::time::timeout(Duration::from_secs(5), dynamodb.done("PutItem", 1)).await.unwrap();

    assert_eq!(dynamodb.items("claims"), [item("a", "first")]);
    assert_eq!(ask(&dynamodb, "PutItem", &claim("b", "first")).await.unwrap().status, 200);
}

#[tokio::test]
async fn another_operation_is_unknown() {
    let dynamodb = dynamodb().await;
    let put = head("PutItem");

    for head in [put.replace("PutItem", "Juggle"), put.replace("POST", "PUT"), "POST / HTTP/1.1".to_owned()] {
        let answer = send(dynamodb.server.address(), &head, "{}").await.unwrap();
        assert_answer(&answer, 400, &json!({ "__type": "com.amazon.coral.service#UnknownOperationException" }));
    }
}

#[tokio::test]
async fn the_url_is_where_it_listens() {
    let dynamodb = dynamodb().await;

    assert_eq!(dynamodb.url(), format!("http://{}", dynamodb.server.address()));
}

#[tokio::test]
async fn a_time_to_live_is_kept() {
    let dynamodb = dynamodb().await;
    let specification = json!({ "AttributeName": "expires", "Enabled": true });
    let update = json!({ "TableName": "claims", "TimeToLiveSpecification": specification });

    assert_answer(
        &ask(&dynamodb, "UpdateTimeToLive", &update).await.unwrap(),
        200,
        &json!({ "TimeToLiveSpecification": specification }),
    );

    assert_answer(
        &ask(&dynamodb, "DescribeTimeToLive", &json!({ "TableName": "claims" })).await.unwrap(),
        200,
        &json!({ "TimeToLiveDescription": { "AttributeName": "expires", "TimeToLiveStatus": "ENABLED" } }),
    );
}

#[tokio::test]
async fn a_call_that_is_done_may_be_answered_later() {
    let dynamodb = dynamodb().await;
    let wait = Duration::from_millis(300);
    dynamodb.next("PutItem", DynamoBehaviour::DoneButSlow(wait));
    let begun = std::time::Instant::now();
    let put = claim("a", "first");

    let (answer, ()) = tokio::join!(ask(&dynamodb, "PutItem", &put), async {
        dynamodb.done("PutItem", 1).await;
        assert!(begun.elapsed() < wait);
        assert_eq!(dynamodb.items("claims"), [item("a", "first")]);
    });

    assert_eq!(answer.unwrap().status, 200);
    assert!(begun.elapsed() >= wait);
}
