//! `template.yaml` against the code: each names things of the other.

use std::{collections::BTreeSet, ffi::OsString, fs};

use lendswift_relay::{
    answer::{Kind, Outcome},
    config::{Config, VARIABLES},
    telemetry::metrics::{CLAIM_LEFT, NAMESPACE},
};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value, json};
use strum::VariantArray;
use support::{
    Request, TABLE, TestApp,
    fakes::api_gateway,
    in_repository,
    snapshot::{self, files},
    sources,
};

/// The template as JSON, with CloudFormation's short forms (`!Ref x`) in their long form (`{"Ref": "x"}`).
fn template() -> Value {
    let text = fs::read_to_string(in_repository("template.yaml")).unwrap();
    json_of(&Yaml::load_from_str(&text).unwrap()[0])
}

fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tag, value) => {
            let name = if tag.suffix == "Ref" { "Ref".to_owned() } else { format!("Fn::{}", tag.suffix) };
            json!({ name: json_of(value) })
        }
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), json_of(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Yaml::Sequence(items) => items.iter().map(json_of).collect(),
        scalar => scalar
            .as_str()
            .map(Value::from)
            .or_else(|| scalar.as_integer().map(Value::from))
            .or_else(|| scalar.as_bool().map(Value::from))
            .unwrap_or_else(|| panic!("{scalar:?}")),
    }
}

fn function(template: &Value) -> &Value {
    &template["Resources"]["Relay"]["Properties"]
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn strings(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn strings_of_numbers(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(Value::to_string).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// The function's variables, the relay's own and AWS's.
fn variables(template: &Value) -> (Map<String, Value>, Map<String, Value>) {
    let all = object(&function(template)["Environment"]["Variables"]).clone();
    all.into_iter().partition(|(name, _)| !name.starts_with("AWS_"))
}

#[test]
fn the_function_has_the_variables_that_the_relay_reads() {
    let (given, _) = variables(&template());
    let given: BTreeSet<String> = given.keys().cloned().collect();
    // Lambda and SAM set the variables of AWS.
    let read = VARIABLES.iter().map(|variable| variable.name.to_owned()).filter(|name| !name.starts_with("AWS_"));
    assert_eq!(given, read.collect());
}

/// A configuration, printed, or its error.
fn config(variables: &[(&str, &str)]) -> Result<String, String> {
    let config = Config::read(|name| {
        let mut all = [("AWS_REGION", "us-east-1")].iter().chain(variables).rev();
        all.find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
    });
    config.map(|config| format!("{config:?}")).map_err(|error| error.to_string())
}

#[test]
fn an_emulators_address_is_optional() {
    let (_, endpoints) = variables(&template());
    let no_value = json!({"Ref": "AWS::NoValue"});
    let optional = |condition: &str, parameter: &str| json!({"Fn::If": [condition, {"Ref": parameter}, no_value]});
    assert_eq!(
        Value::Object(endpoints),
        json!({
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": optional("HasSecretsManagerEndpoint", "SecretsManagerEndpoint"),
            "AWS_ENDPOINT_URL_DYNAMODB": optional("HasDynamoDbEndpoint", "DynamoDbEndpoint"),
        })
    );
}

#[test]
fn a_parameter_has_the_default_and_the_bounds_of_its_variable() {
    let template = template();
    let mut bounded = 0;
    for (variable, value) in variables(&template).0 {
        let Some(parameter) = value["Ref"].as_str() else { continue };
        let parameter = &template["Parameters"][parameter];
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // The time that a secret may be stale is at least its time to live.
        let fixed = ("SECRET_TTL_SECONDS", if variable == "SECRET_TTL_SECONDS" { "" } else { "1" });
        let with = |value: &str| config(&[("CLAIMS_TABLE", "off"), fixed, (&variable, value)]);
        assert_eq!(with(&text(&parameter["Default"])), with(""), "{variable}");
        if let (Some(least), Some(most)) = (parameter["MinValue"].as_u64(), parameter["MaxValue"].as_u64()) {
            let accepts = |number: u64| with(&number.to_string()).is_ok();
            assert!(accepts(least) && accepts(most) && !accepts(least - 1) && !accepts(most + 1), "{variable}");
            bounded += 1;
        }
    }
    assert_eq!(bounded, 4);
    for level in strings(&template["Parameters"]["LogLevel"]["AllowedValues"]) {
        config(&[("CLAIMS_TABLE", "off"), ("AWS_LAMBDA_LOG_LEVEL", &level)]).unwrap();
    }
}

#[test]
fn every_parameter_is_described_constrained_and_grouped() {
    let template = template();
    let mut grouped = BTreeSet::new();
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap() {
        grouped.extend(strings(&group["Parameters"]));
    }
    let parameters = object(&template["Parameters"]);
    assert_eq!(grouped, parameters.keys().cloned().collect());
    for (name, parameter) in parameters {
        let has = |keys: &[&str]| keys.iter().all(|key| parameter.get(key).is_some());
        assert!(has(&["Description", "Default"]), "{name}");
        assert!(
            has(&["AllowedValues"])
                || has(&["MinValue", "MaxValue"])
                || has(&["AllowedPattern", "ConstraintDescription"]),
            "{name}"
        );
    }
}

/// The routes to the function.
fn routes(template: &Value) -> BTreeSet<String> {
    let events = object(&function(template)["Events"]).values();
    events
        .map(|event| {
            let (method, path) = (&event["Properties"]["Method"], &event["Properties"]["Path"]);
            match path.as_str().unwrap() {
                "$default" => "$default".to_owned(),
                path => format!("{} {path}", method.as_str().unwrap()),
            }
        })
        .collect()
}

#[test]
fn template_code_and_events_have_the_same_route() {
    let template = template();
    let route = "POST /v1/accounts/{account}/leads";
    assert_eq!(routes(&template), set([route, "$default"]));
    let url = &template["Outputs"]["LeadsUrl"]["Value"]["Fn::Sub"];
    assert!(url.as_str().unwrap().ends_with(route.strip_prefix("POST ").unwrap()));

    let mut used = BTreeSet::new();
    for file in files("events") {
        let event: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let key = event["routeKey"].as_str().unwrap();
        let method = event["requestContext"]["http"]["method"].as_str().unwrap();
        let path = event["rawPath"].as_str().unwrap();
        let made = api_gateway::event(method, path, &http::HeaderMap::new(), b"", "");
        assert_eq!((&event["routeKey"], &event["pathParameters"]), (&made["routeKey"], &made["pathParameters"]));
        assert_eq!(event["requestContext"]["routeKey"], key);

        // API Gateway and the code agree on what is the route.
        let response = fs::read_to_string(snapshot::path_for(&file)).unwrap();
        let off_the_route = ["HTTP 404\n", "HTTP 405\n"].iter().any(|status| response.starts_with(status));
        assert_eq!(off_the_route, key == "$default", "{}", file.display());
        if response.starts_with("HTTP 404\n") {
            assert!(response.contains(&format!("No such route. Use {route}.")));
        }
        used.insert(key.to_owned());
    }
    assert_eq!(used, routes(&template));
}

/// What the relay counts: the metric, its dimension, and the dimension's values.
fn counted() -> Vec<(&'static str, &'static str, BTreeSet<String>)> {
    let outcomes = Outcome::VARIANTS.iter().map(|outcome| outcome.as_str().to_owned()).collect();
    let errors = Kind::VARIANTS.iter().map(|kind| kind.metric().to_owned()).chain([CLAIM_LEFT.to_owned()]).collect();
    vec![("Leads", "outcome", outcomes), ("Errors", "error", errors)]
}

/// What AWS counts for an HTTP API and for a function: namespace, metric, dimension, resource.
const AWS_COUNTS: [(&str, &str, &str, &str); 4] = [
    ("AWS/ApiGateway", "5xx", "ApiId", "Api"),
    ("AWS/Lambda", "Errors", "FunctionName", "Relay"),
    ("AWS/Lambda", "Throttles", "FunctionName", "Relay"),
    ("AWS/Lambda", "Duration", "FunctionName", "Relay"),
];

#[test]
fn every_alarm_watches_a_counted_metric_and_notifies() {
    let template = template();
    let resources = object(&template["Resources"]);
    let alarms: Vec<_> = resources.values().filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm").collect();
    assert_eq!(alarms.len(), 10);
    for alarm in alarms {
        let alarm = &alarm["Properties"];
        let dimensions = alarm["Dimensions"].as_array().unwrap();
        let ([dimension], Some(namespace), Some(metric)) =
            (&dimensions[..], alarm["Namespace"].as_str(), alarm["MetricName"].as_str())
        else {
            panic!("{alarm}");
        };
        let (name, value) = (&dimension["Name"], &dimension["Value"]);
        let is_counted = if namespace == NAMESPACE {
            let is_of = |values: &BTreeSet<String>| value.as_str().is_some_and(|value| values.contains(value));
            counted().iter().any(|(counts, by, values)| metric == *counts && name == by && is_of(values))
        } else {
            AWS_COUNTS.iter().any(|(whose, counts, by, of)| {
                namespace == *whose && metric == *counts && name == by && *value == json!({ "Ref": of })
            })
        };
        assert!(is_counted, "{alarm}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{alarm}");
        assert_eq!(
            alarm["AlarmActions"],
            json!({"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]})
        );
    }
}

/// Every statement of the function's policy, conditional ones too.
fn statements(template: &Value) -> Vec<Value> {
    let policies = function(template)["Policies"].as_array().unwrap();
    let statements = policies.iter().flat_map(|policy| policy["Statement"].as_array().unwrap().clone());
    statements.map(|statement| statement.pointer("/Fn::If/1").cloned().unwrap_or(statement)).collect()
}

#[test]
fn the_function_has_the_permissions_that_the_code_uses() {
    let mut allowed = BTreeSet::new();
    for statement in statements(&template()) {
        match &statement["Action"] {
            Value::String(action) => _ = allowed.insert(action.clone()),
            actions => allowed.extend(strings(actions)),
        }
    }
    let code: String = sources("src").into_iter().map(|(_, text)| text).collect();
    let calls: BTreeSet<String> =
        code.split("self.client.").skip(1).filter_map(|rest| Some(rest.split_once("()")?.0.to_owned())).collect();
    assert_eq!(calls, set(["get_secret_value", "transact_write_items"]));
    // Secrets Manager decrypts with the caller's permissions.
    let mut done = set(["secretsmanager:GetSecretValue", "kms:Decrypt"]);
    for (write, action) in [
        ("Put", "PutItem"),
        ("Update", "UpdateItem"),
        ("Delete", "DeleteItem"),
        ("ConditionCheck", "ConditionCheckItem"),
    ] {
        if code.contains(&format!(" {write}::builder()")) {
            done.insert(format!("dynamodb:{action}"));
        }
    }
    assert_eq!(allowed, done);
}

#[test]
fn the_function_reads_the_accounts_secrets_alone() {
    let statements = statements(&template());
    assert_eq!(
        statements[0]["Resource"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${SecretPrefix}/*"})
    );
    assert_eq!(statements[1]["Resource"], json!({"Ref": "SecretsKeyArn"}));
    assert_eq!(
        statements[1]["Condition"],
        json!({"StringEquals": {"kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}}})
    );
}

#[test]
fn the_function_writes_to_the_ledgers_table_alone() {
    let template = template();
    let claims = statements(&template).into_iter().find(|statement| statement["Sid"] == "KeepClaims").unwrap();
    let existing = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingClaimsTable}";
    assert_eq!(
        claims["Resource"],
        json!({"Fn::If": ["MakesTable", {"Fn::GetAtt": "ClaimsTable.Arn"}, {"Fn::Sub": existing}]})
    );
    let variable = &function(&template)["Environment"]["Variables"]["CLAIMS_TABLE"];
    assert_eq!(*variable, json!({"Fn::If": ["MakesTable", {"Ref": "ClaimsTable"}, {"Ref": "ExistingClaimsTable"}]}));
}

#[test]
fn a_push_that_times_out_triggers_the_alarm_for_slow_leads() {
    let template = template();
    let timeouts = strings_of_numbers(&template["Parameters"]["TimeoutSeconds"]["AllowedValues"]);
    let thirds = object(&template["Mappings"]["AThirdOfTheTimeout"]);
    assert_eq!(timeouts, thirds.keys().cloned().collect());
    for (seconds, third) in thirds {
        let third = third["Milliseconds"].as_u64().unwrap();
        assert_eq!(third, (seconds.parse::<u64>().unwrap() * 1000 + 1) / 3, "{seconds}");
        assert!(third < template["Parameters"]["UpstreamTimeoutMs"]["Default"].as_u64().unwrap());
    }
}

#[tokio::test]
async fn the_table_fits_the_relays_items_and_outlives_the_stack() {
    let template = template();
    let table = &template["Resources"]["ClaimsTable"];
    assert_eq!(table["DeletionPolicy"], "Retain");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
    let properties = &table["Properties"];
    let key = json!([{"AttributeName": "pk", "KeyType": "HASH"}]);
    assert_eq!(properties["KeySchema"], key);
    assert_eq!(properties["AttributeDefinitions"], json!([{"AttributeName": "pk", "AttributeType": "S"}]));
    assert_eq!(properties["TimeToLiveSpecification"], json!({"AttributeName": "expires", "Enabled": true}));

    let app = TestApp::with_ledger().await;
    app.post(&Request::lead()).await;
    let items = app.dynamodb.items(TABLE);
    assert_eq!(items.len(), 1);
    assert!(items[0]["pk"]["S"].is_string() && items[0]["expires"]["N"].is_string(), "{items:?}");
}
