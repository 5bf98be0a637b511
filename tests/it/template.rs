//! `template.yaml` against the code: variables, metrics, limits and permissions must match.

mod alarms;
mod dashboard;

use std::{collections::BTreeSet, fs, sync::LazyLock};

use http::HeaderMap;
use lendswift_relay::config::VARIABLES;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value, json};
use support::snapshot::{self, files};
use support::{
    DynamoBehaviour, LEAD, Reply, Request, TABLE, TestApp, api_gateway, config, in_repository, sam_local_variables,
};

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

/// A resource of this type, with its name.
fn of_type(resource_type: &str) -> Vec<(&'static str, &'static Value)> {
    let resources = object(at("/Resources")).iter().map(|(name, resource)| (name.as_str(), resource));
    resources.filter(|(_, resource)| resource["Type"] == resource_type).collect()
}

/// The function's variables whose values are fixed in the template.
fn fixed_variables() -> Vec<(&'static str, &'static str)> {
    let variables = object(at("/Globals/Function/Environment/Variables")).iter();
    variables.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

/// The function's other variables.
fn other_variables() -> &'static Map<String, Value> {
    object(function("Environment/Variables"))
}

#[test]
fn the_function_has_the_variables_that_the_relay_reads() {
    let fixed: BTreeSet<_> = fixed_variables().into_iter().map(|(name, _)| name).collect();
    let given: BTreeSet<_> = fixed.iter().copied().chain(other_variables().keys().map(String::as_str)).collect();
    // Lambda and SAM set the variables of AWS, except the addresses of emulators.
    let emulators = ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_DYNAMODB"];
    let read = VARIABLES.iter().map(|variable| variable.name).filter(|name| !name.starts_with("AWS_"));
    assert_eq!(given, read.chain(emulators).collect());
}

#[test]
fn the_fixed_values_are_the_defaults() {
    for (variable, value) in fixed_variables() {
        let with = |value: &str| format!("{:?}", config(&[(variable, value)]).unwrap());
        assert_eq!(with(value), with(""), "{variable}");
    }
    let level = at("/Globals/Function/LoggingConfig/ApplicationLogLevel").as_str().unwrap();
    let log = |variables: &[(&str, &str)]| config(variables).unwrap().log;
    assert_eq!(log(&[("AWS_LAMBDA_LOG_LEVEL", level)]), log(&[]));
}

#[test]
fn sam_local_overrides_variables_that_exist_with_the_ports_of_the_fakes() {
    let urls = ["http://127.0.0.1:9101/api/push", "http://[::1]:9102", "http://172.17.0.1:9103"];
    let variables = sam_local_variables(urls[0], urls[1], urls[2]);
    let variables = object(&variables["Parameters"]);
    for (name, url) in [
        ("UPSTREAM_BASE_URL", "http://host.docker.internal:9101/api/push"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://host.docker.internal:9102"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://host.docker.internal:9103"),
        ("CLAIMS_TABLE", TABLE),
    ] {
        assert_eq!(variables[name], url);
    }
    let fixed = fixed_variables();
    for name in variables.keys() {
        assert!(fixed.iter().any(|(fixed, _)| fixed == name) || other_variables().contains_key(name), "{name}");
    }
}

#[test]
fn every_parameter_is_described_constrained_and_grouped() {
    let groups = array(at("/Metadata/AWS::CloudFormation::Interface/ParameterGroups"));
    let grouped: BTreeSet<String> = groups.iter().flat_map(|group| strings(&group["Parameters"])).collect();
    let parameters = object(at("/Parameters"));
    assert_eq!(grouped, parameters.keys().cloned().collect());
    assert!(parameters.len() <= 12, "`sam deploy --guided` asks for each");
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
    for url in &array(at("/Outputs/LeadsUrl/Value/Fn::If"))[1..] {
        let url = url["Fn::Sub"].as_str().unwrap();
        assert!(url.ends_with(route.strip_prefix("POST ").unwrap()), "{url}");
    }

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
    // Secrets Manager and DynamoDB use the key with the caller's permissions.
    let keys =
        ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*"].map(|action| format!("kms:{action}"));
    let others = keys.into_iter().chain(["secretsmanager:GetSecretValue".to_owned()]);
    let used = app.dynamodb.actions().into_iter().map(|action| format!("dynamodb:{action}"));
    assert_eq!(allowed, used.chain(others).collect());
}

#[test]
fn the_function_reaches_its_secrets_its_table_and_its_key_alone() {
    let statements = statements();
    let statement = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid).unwrap();
    let secrets = json!({
        "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretPrefix}/*"
    });
    assert_eq!(statement("ReadAccountSecrets")["Resource"], secrets);
    let via = |service: &str| json!({"Fn::Sub": format!("{service}.${{AWS::Region}}.${{AWS::URLSuffix}}")});
    let for_secrets = json!({
        "StringEquals": {"kms:ViaService": via("secretsmanager")},
        "StringLike": {"kms:EncryptionContext:SecretARN": secrets},
    });
    for (sid, condition) in [
        ("DecryptAccountSecrets", for_secrets),
        ("UseClaimsKey", json!({"StringEquals": {"kms:ViaService": via("dynamodb")}})),
    ] {
        let statement = statement(sid);
        assert_eq!((&statement["Resource"], &statement["Condition"]), (&json!({"Ref": "KmsKeyArn"}), &condition));
    }
    let table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingClaimsTable}";
    let own_or_existing = |own: Value, existing: Value| json!({"Fn::If": ["MakesTable", own, existing]});
    let resource = own_or_existing(json!({"Fn::GetAtt": "ClaimsTable.Arn"}), json!({ "Fn::Sub": table }));
    assert_eq!(statement("KeepClaims")["Resource"], resource);
    let name = own_or_existing(json!({"Ref": "ClaimsTable"}), json!({"Ref": "ExistingClaimsTable"}));
    assert_eq!(other_variables()["CLAIMS_TABLE"], name);
    assert_eq!(*at("/Outputs/ClaimsTableName/Value"), name);
    assert_eq!(*at("/Outputs/SecretPrefix/Value"), other_variables()["SECRET_PREFIX"]);
}

#[test]
fn the_table_and_the_logs_outlive_the_stack() {
    for resource in ["ClaimsTable", "FunctionLog", "AccessLog"] {
        let policy = |policy: &str| at(&format!("/Resources/{resource}/{policy}"));
        let policies = [policy("DeletionPolicy"), policy("UpdateReplacePolicy")];
        assert_eq!(policies, ["RetainExceptOnCreate", "Retain"], "{resource}");
    }
}

#[tokio::test]
async fn the_table_fits_the_relays_items() {
    let table = at("/Resources/ClaimsTable");
    let properties = &table["Properties"];
    assert_eq!(properties["KeySchema"], json!([{"AttributeName": "pk", "KeyType": "HASH"}]));
    assert_eq!(properties["AttributeDefinitions"], json!([{"AttributeName": "pk", "AttributeType": "S"}]));
    assert_eq!(properties["TimeToLiveSpecification"], json!({"AttributeName": "expires", "Enabled": true}));
    let app = TestApp::with_ledger().await;
    app.post(&Request::lead()).await;
    let [item] = &app.dynamodb.items(TABLE)[..] else { panic!("one item") };
    assert!(item["pk"]["S"].is_string() && item["expires"]["N"].is_string(), "{item}");
}
