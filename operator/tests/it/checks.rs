//! `lendswift check`.

use serde_json::{Value, json};
use support::{DynamoBehaviour, KEY, SecretsBehaviour, TABLE, TOKEN};

use crate::operator::Operator;

/// The results by the checks' names.
fn results(checks: &Value) -> Vec<(String, String)> {
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    let checks = checks["checks"].as_array().unwrap();
    checks.iter().map(|check| (text(check, "check"), text(check, "result"))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, result)| ((*name).to_owned(), (*result).to_owned())).collect()
}

#[tokio::test]
async fn every_account_and_the_table_are_checked() {
    let operator = Operator::start().await;
    operator.app.secrets.put("lendswift/odd", "not JSON");
    operator.app.secrets.put("lendswift/16501231234", support::secret(TOKEN, &[KEY]));
    let ran = operator.run(&["check", "--json"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(
        results(&ran.json()),
        pairs(&[
            ("credentials", "ok"),
            ("region", "ok"),
            ("table", "ok"),
            ("table's key", "ok"),
            ("table's protection", "failed"),
            ("table's time to live", "failed"),
            ("secrets", "ok"),
            ("account 16501231234", "failed"),
            ("account acme", "ok"),
            ("account acme-sandbox", "ok"),
            ("account odd", "failed"),
            ("function's variables", "skipped"),
        ])
    );
    assert!(!ran.stdout.contains(TOKEN) && !ran.stdout.contains("not JSON\""), "{ran:?}");
}

#[tokio::test]
async fn a_denied_right_fails_its_check_and_no_other() {
    let operator = Operator::start().await;
    operator.app.dynamodb.next("DescribeTable", DynamoBehaviour::Denied);
    operator.app.secrets.behave_for("lendswift/acme", SecretsBehaviour::Denied);
    let ran = operator.run(&["check", "--json"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let failed: Vec<_> = results(&ran.json()).into_iter().filter(|(_, result)| result == "failed").collect();
    let expected = ["table's key", "table's time to live", "account acme"];
    assert_eq!(failed, pairs(&expected.map(|name| (name, "failed"))));
    for action in ["dynamodb:DescribeTable", "secretsmanager:GetSecretValue"] {
        assert!(ran.stdout.contains(action), "{ran:?}");
    }
}

#[tokio::test]
async fn a_table_that_is_right_passes() {
    let operator = Operator::start().await;
    let time_to_live = json!({
        "TableName": TABLE, "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "expires"}
    });
    operator.app.dynamodb.call("UpdateTimeToLive", time_to_live.to_string().as_bytes()).await;
    let checks = results(&operator.run(&["check", "--json"]).await.json());
    assert_eq!(checks[5], ("table's time to live".to_owned(), "ok".to_owned()));
    operator.app.dynamodb.create_table_of_another_shape("other");
    for (table, result) in [("other", "failed"), ("nothing", "failed")] {
        let ran = operator.run(&["check", "--json", "--table", table]).await;
        assert_eq!(results(&ran.json())[3], ("table's key".to_owned(), result.to_owned()));
        assert_eq!(ran.code, 1);
    }
}
