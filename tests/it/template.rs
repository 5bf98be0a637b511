//! `template.yaml` against the code: variables, metrics, limits and permissions must match.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use http::HeaderMap;
use lendswift_relay::{
    answer::{Kind, Outcome},
    config::VARIABLES,
    telemetry::metrics::{CLAIM_LEFT, NAMESPACE},
};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value, json};
use strum::VariantArray;
use support::snapshot::{self, files};
use support::{DynamoBehaviour, LEAD, Reply, Request, TABLE, TestApp, api_gateway, config, in_repository};

/// The template as JSON, with CloudFormation's short forms (`!Ref x`) in their long form (`{"Ref": "x"}`).
static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    let text = fs::read_to_string(in_repository("template.yaml")).unwrap();
    json_of(&Yaml::load_from_str(&text).unwrap()[0])
});

fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tag, value) => {
            let name = if tag.suffix == "Ref" { "Ref".to_owned() } else { format!("Fn::{}", tag.suffix) };
            json!({ name: json_of(value) })
        }
        Yaml::Mapping(entries) => {
            entries.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), json_of(value))).collect()
        }
        Yaml::Sequence(items) => items.iter().map(json_of).collect(),
        scalar => {
            let number = || scalar.as_integer().map(Value::from);
            let value = scalar.as_str().map(Value::from).or_else(number);
            value.or_else(|| scalar.as_bool().map(Value::from)).unwrap_or_else(|| panic!("{scalar:?}"))
        }
    }
}

/// What is at a pointer of the template.
fn at(pointer: &str) -> &'static Value {
    TEMPLATE.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"))
}

fn function(property: &str) -> &'static Value {
    at(&format!("/Resources/Relay/Properties/{property}"))
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn strings(value: &Value) -> BTreeSet<String> {
    array(value).iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The function's variables, the relay's own and AWS's.
fn variables() -> (Map<String, Value>, Map<String, Value>) {
    let all = object(function("Environment/Variables")).clone();
    all.into_iter().partition(|(name, _)| !name.starts_with("AWS_"))
}

#[test]
fn the_function_has_the_variables_that_the_relay_reads() {
    let given: BTreeSet<String> = variables().0.keys().cloned().collect();
    // Lambda and SAM set the variables of AWS.
    let read = VARIABLES.iter().map(|variable| variable.name.to_owned()).filter(|name| !name.starts_with("AWS_"));
    assert_eq!(given, read.collect());
}

#[test]
fn an_emulators_address_is_optional() {
    let optional =
        |condition: &str, parameter: &str| json!({"Fn::If": [condition, {"Ref": parameter}, {"Ref": "AWS::NoValue"}]});
    assert_eq!(
        Value::Object(variables().1),
        json!({
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": optional("HasSecretsManagerEndpoint", "SecretsManagerEndpoint"),
            "AWS_ENDPOINT_URL_DYNAMODB": optional("HasDynamoDbEndpoint", "DynamoDbEndpoint"),
        })
    );
}

#[test]
fn a_parameter_has_the_default_and_the_bounds_of_its_variable() {
    let mut bounded = 0;
    for (variable, value) in variables().0 {
        let Some(parameter) = value["Ref"].as_str() else { continue };
        let parameter = at(&format!("/Parameters/{parameter}"));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // The time that a secret may be stale is at least its time to live.
        let fixed = ("SECRET_TTL_SECONDS", if variable == "SECRET_TTL_SECONDS" { "" } else { "1" });
        let with = |value: &str| config(&[fixed, (&variable, value)]).map(|config| format!("{config:?}"));
        assert_eq!(with(&text(&parameter["Default"])).unwrap(), with("").unwrap(), "{variable}");
        if let (Some(least), Some(most)) = (parameter["MinValue"].as_u64(), parameter["MaxValue"].as_u64()) {
            let accepts = |number: u64| with(&number.to_string()).is_ok();
            assert!(
                accepts(least) && accepts(most) && !least.checked_sub(1).is_some_and(accepts) && !accepts(most + 1),
                "{variable}"
            );
            bounded += 1;
        }
    }
    assert_eq!(bounded, 5);
    for level in strings(at("/Parameters/LogLevel/AllowedValues")) {
        config(&[("AWS_LAMBDA_LOG_LEVEL", &level)]).unwrap();
    }
}

#[test]
fn every_parameter_is_described_constrained_and_grouped() {
    let groups = array(at("/Metadata/AWS::CloudFormation::Interface/ParameterGroups"));
    let grouped: BTreeSet<String> = groups.iter().flat_map(|group| strings(&group["Parameters"])).collect();
    let parameters = object(at("/Parameters"));
    assert_eq!(grouped, parameters.keys().cloned().collect());
    for (name, parameter) in parameters {
        let has = |keys: &[&str]| keys.iter().all(|key| parameter.get(key).is_some());
        let constraints =
            [&["AllowedValues"][..], &["MinValue", "MaxValue"], &["AllowedPattern", "ConstraintDescription"]];
        assert!(has(&["Description", "Default"]) && constraints.into_iter().any(has), "{name}");
    }
}

/// The routes to the function.
pub fn routes() -> BTreeSet<String> {
    let route = |event: &Value| {
        let [method, path] = ["Method", "Path"].map(|name| event["Properties"][name].as_str().unwrap());
        if path == "$default" { path.to_owned() } else { format!("{method} {path}") }
    };
    object(function("Events")).values().map(route).collect()
}

#[test]
fn template_code_and_events_have_the_same_route() {
    let route = "POST /v1/accounts/{account}/leads";
    let all = [route, &format!("{route}/validate"), &format!("{route}/status"), "$default"];
    assert_eq!(routes(), BTreeSet::from(all.map(str::to_owned)));
    let url = at("/Outputs/LeadsUrl/Value/Fn::Sub").as_str().unwrap();
    assert!(url.ends_with(route.strip_prefix("POST ").unwrap()));

    let mut used = BTreeSet::new();
    for file in files("events") {
        let event: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap();
        let key = text("/routeKey");
        let made =
            api_gateway::event(text("/requestContext/http/method"), text("/rawPath"), &HeaderMap::new(), b"", "");
        assert_eq!((&event["routeKey"], &event["pathParameters"]), (&made["routeKey"], &made["pathParameters"]));
        assert_eq!(event["requestContext"]["routeKey"], key);

        // API Gateway and the code agree on what is the route.
        let response = fs::read_to_string(snapshot::path_for(&file)).unwrap();
        let is_off_route = ["lead-error: not_found\n", "HTTP 405\n"].iter().any(|line| response.contains(line));
        assert_eq!(is_off_route, key == "$default", "{}", file.display());
        used.insert(key.to_owned());
    }
    assert_eq!(used, routes());
}

/// What AWS counts for an HTTP API and for a function: namespace, metric, dimension, resource.
const AWS_COUNTS: [(&str, &str, &str, &str); 4] = [
    ("AWS/ApiGateway", "5xx", "ApiId", "Api"),
    ("AWS/Lambda", "Errors", "FunctionName", "Relay"),
    ("AWS/Lambda", "Throttles", "FunctionName", "Relay"),
    ("AWS/Lambda", "Duration", "FunctionName", "Relay"),
];

/// Everything that is counted: namespace, metric, dimension, and its value.
fn counted() -> Vec<[Value; 4]> {
    let outcomes = Outcome::VARIANTS.iter().map(|outcome| ("Leads", "outcome", outcome.as_str()));
    let errors = Kind::VARIANTS.iter().filter_map(|kind| kind.metric()).chain([CLAIM_LEFT]);
    let own = outcomes.chain(errors.map(|error| ("Errors", "error", error)));
    let own = own.map(|(metric, by, value)| [NAMESPACE, metric, by, value].map(Value::from));
    let aws = AWS_COUNTS.map(|(whose, metric, by, of)| [json!(whose), json!(metric), json!(by), json!({ "Ref": of })]);
    own.chain(aws).collect()
}

#[test]
fn every_alarm_watches_a_counted_metric_and_notifies() {
    let resources = object(at("/Resources")).values();
    let alarms: Vec<_> = resources.filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm").collect();
    assert_eq!(alarms.len(), 10);
    let counted = counted();
    for alarm in alarms {
        let alarm = &alarm["Properties"];
        let [dimension] = &array(&alarm["Dimensions"])[..] else { panic!("{alarm}") };
        let watched = [&alarm["Namespace"], &alarm["MetricName"], &dimension["Name"], &dimension["Value"]];
        assert!(counted.iter().any(|counted| counted.each_ref() == watched), "{alarm}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{alarm}");
        let topic = json!({"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]});
        assert_eq!(alarm["AlarmActions"], topic);
    }
}

/// Every statement of the function's policy, conditional ones too.
fn statements() -> Vec<Value> {
    let statements = array(function("Policies")).iter().flat_map(|policy| array(&policy["Statement"]).clone());
    statements.map(|statement| statement.pointer("/Fn::If/1").cloned().unwrap_or(statement)).collect()
}

#[tokio::test]
async fn the_function_has_the_permissions_that_it_uses() {
    let mut allowed = BTreeSet::new();
    for statement in statements() {
        match &statement["Action"] {
            Value::String(action) => _ = allowed.insert(action.clone()),
            actions => allowed.extend(strings(actions)),
        }
    }
    // Each of the ledger's writes, and its read: a lead is accepted, another refused, and a third is in doubt and voided.
    let app = TestApp::with_ledger().await;
    let lead = |amount: &str| Request::post(LEAD.replace("4000", amount)).idempotency_key(amount);
    app.post(&lead("1")).await;
    app.rudder.answer_next(Reply::new(422, ""));
    app.post(&lead("2")).await;
    app.dynamodb.next("TransactWriteItems", DynamoBehaviour::AppliedReset);
    app.post(&lead("3")).await;
    app.post(&lead("1").action("status")).await;
    // Secrets Manager decrypts with the caller's permissions.
    let others = ["secretsmanager:GetSecretValue", "kms:Decrypt"].map(str::to_owned);
    let used = app.dynamodb.actions().into_iter().map(|action| format!("dynamodb:{action}"));
    assert_eq!(allowed, used.chain(others).collect());
}

#[test]
fn the_function_reaches_its_secrets_and_its_table_alone() {
    let statements = statements();
    let secrets = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretPrefix}/*";
    assert_eq!(statements[0]["Resource"], json!({ "Fn::Sub": secrets }));
    assert_eq!(statements[1]["Resource"], json!({"Ref": "SecretsKeyArn"}));
    let via = json!({"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"});
    assert_eq!(statements[1]["Condition"], json!({"StringEquals": {"kms:ViaService": via}}));
    let claims = statements.iter().find(|statement| statement["Sid"] == "KeepClaims").unwrap();
    let table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingClaimsTable}";
    let own_or_existing = |own: Value, existing: Value| json!({"Fn::If": ["MakesTable", own, existing]});
    let resource = own_or_existing(json!({"Fn::GetAtt": "ClaimsTable.Arn"}), json!({ "Fn::Sub": table }));
    assert_eq!(claims["Resource"], resource);
    let variable = own_or_existing(json!({"Ref": "ClaimsTable"}), json!({"Ref": "ExistingClaimsTable"}));
    assert_eq!(*function("Environment/Variables/CLAIMS_TABLE"), variable);
}

#[test]
fn a_push_that_times_out_triggers_the_alarm_for_slow_leads() {
    let timeouts: BTreeSet<_> =
        array(at("/Parameters/TimeoutSeconds/AllowedValues")).iter().map(Value::to_string).collect();
    let thresholds = object(at("/Mappings/SlowThresholdMs"));
    assert_eq!(timeouts, thresholds.keys().cloned().collect());
    for (seconds, third) in thresholds {
        let third = third["Milliseconds"].as_u64().unwrap();
        assert_eq!(third, (seconds.parse::<u64>().unwrap() * 1000 + 1) / 3, "{seconds}");
        assert!(third < at("/Parameters/UpstreamTimeoutMs/Default").as_u64().unwrap());
    }
}

#[tokio::test]
async fn the_table_fits_the_relays_items_and_outlives_the_stack() {
    let table = at("/Resources/ClaimsTable");
    assert_eq!(table["DeletionPolicy"], "Retain");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
    let properties = &table["Properties"];
    assert_eq!(properties["KeySchema"], json!([{"AttributeName": "pk", "KeyType": "HASH"}]));
    assert_eq!(properties["AttributeDefinitions"], json!([{"AttributeName": "pk", "AttributeType": "S"}]));
    assert_eq!(properties["TimeToLiveSpecification"], json!({"AttributeName": "expires", "Enabled": true}));
    let app = TestApp::with_ledger().await;
    app.post(&Request::lead()).await;
    let [item] = &app.dynamodb.items(TABLE)[..] else { panic!("one item") };
    assert!(item["pk"]["S"].is_string() && item["expires"]["N"].is_string(), "{item}");
}
