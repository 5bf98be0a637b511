//! Alarms, the metrics that they watch, and the saved queries.

use lendswift_relay::{
    answer::{Kind, Outcome},
    telemetry::metrics::{CLAIM_LEFT, NAMESPACE, STACK},
};
use strum::VariantArray;

use super::*;
use crate::log::FIELDS;

/// What AWS counts for an HTTP API and for a function: namespace, metric, dimension, resource.
const AWS_COUNTS: [(&str, &str, &str, &str); 4] = [
    ("AWS/ApiGateway", "5xx", "ApiId", "Api"),
    ("AWS/Lambda", "Errors", "FunctionName", "Relay"),
    ("AWS/Lambda", "Throttles", "FunctionName", "Relay"),
    ("AWS/Lambda", "Duration", "FunctionName", "Relay"),
];

/// Everything that an alarm can watch: namespace, metric, dimensions. Each of the relay's own has the stack.
fn counted() -> Vec<(&'static str, &'static str, Value)> {
    let outcomes = Outcome::VARIANTS.iter().map(|outcome| ("Leads", "outcome", outcome.as_str()));
    let errors = Kind::VARIANTS.iter().filter_map(|kind| kind.metric()).chain([CLAIM_LEFT]);
    let own = outcomes.chain(errors.map(|error| ("Errors", "error", error)));
    let stack = json!({"Name": STACK, "Value": {"Ref": "AWS::StackName"}});
    let own = own.map(|(metric, by, value)| (NAMESPACE, metric, json!([stack, {"Name": by, "Value": value}])));
    let aws = AWS_COUNTS.map(|(whose, metric, by, of)| (whose, metric, json!([{"Name": by, "Value": {"Ref": of}}])));
    let unknown = json!([stack, {"Name": "outcome", "Value": "unknown"}]);
    let others = [(NAMESPACE, "ApiThrottles", json!([stack])), (NAMESPACE, "Replays", unknown)];
    own.chain(aws).chain(others).collect()
}

/// The metrics that an alarm watches: its own, or those of its expression.
fn watched(alarm: &'static Value) -> Vec<&'static Value> {
    let Some(metrics) = alarm["Metrics"].as_array() else { return vec![alarm] };
    metrics.iter().filter_map(|metric| metric.pointer("/MetricStat/Metric")).collect()
}

#[test]
fn every_alarm_watches_a_counted_metric_and_notifies() {
    let alarms = of_type("AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 15);
    let counted = counted();
    for (name, alarm) in alarms {
        let alarm = &alarm["Properties"];
        let text = |property: &str| alarm[property].as_str().unwrap();
        let watched = watched(alarm);
        assert!(!watched.is_empty(), "{name}");
        for metric in watched {
            let text = |property: &str| metric[property].as_str().unwrap();
            let metric = (text("Namespace"), text("MetricName"), metric["Dimensions"].clone());
            assert!(counted.contains(&metric), "{alarm}");
        }
        let missing = if name == "SilenceAlarm" { "breaching" } else { "notBreaching" };
        assert_eq!(text("TreatMissingData"), missing, "{name}");
        let topic = json!({"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]});
        assert_eq!((&alarm["AlarmActions"], &alarm["OKActions"]), (&topic, &topic), "{name}");
    }
}

#[test]
fn a_replayed_unknown_is_no_new_server_error() {
    let metrics = array(at("/Resources/ServerErrorsAlarm/Properties/Metrics"));
    let stats: Vec<_> = metrics.iter().map(|metric| (metric["Id"].as_str().unwrap(), &metric["MetricStat"])).collect();
    let [("errors", _), ("responses", responses), ("replays", replays)] = stats[..] else { panic!("{metrics:?}") };
    assert_eq!(metrics[0]["Expression"], "responses - FILL(replays, 0)");
    assert_eq!([&responses["Metric"]["MetricName"], &replays["Metric"]["MetricName"]], ["5xx", "Replays"]);
    for stat in [responses, replays] {
        assert_eq!((&stat["Period"], &stat["Stat"]), (&json!(60), &json!("Sum")));
    }
}

#[test]
fn every_alarm_names_its_section_of_the_runbook() {
    let runbook = fs::read_to_string(in_repository("docs/operating.md")).unwrap();
    let headings: BTreeSet<_> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    for (name, alarm) in of_type("AWS::CloudWatch::Alarm") {
        let description = alarm["Properties"]["AlarmDescription"].as_str().unwrap();
        let link = format!(" See docs/operating.md#{}", name.to_ascii_lowercase());
        assert!(description.ends_with(&link) && headings.contains(name), "{name}: {description}");
    }
}

#[test]
fn a_deployment_is_rolled_back_by_alarms_of_its_own_stack() {
    let alarms = array(function("DeploymentPreference/Alarms/Fn::If/1"));
    let expected = ["FunctionErrorsAlarm", "InternalErrorAlarm", "UnavailableAlarm"];
    assert_eq!(*alarms, expected.map(|alarm| json!({"Ref": alarm})));
}

#[test]
fn a_push_that_times_out_triggers_the_alarm_for_slow_leads() {
    let timeout = at("/Globals/Function/Timeout").as_u64().unwrap();
    let third = at("/Mappings/Settings/Alarms/SlowMilliseconds").as_u64().unwrap();
    assert_eq!(third, (timeout * 1000 + 1) / 3);
    let (_, push) = fixed_variables().into_iter().find(|(name, _)| *name == "UPSTREAM_TIMEOUT_MS").unwrap();
    assert!(third < push.parse().unwrap());
}

#[test]
fn api_gateways_own_429_is_counted_for_the_stack() {
    let format = at("/Resources/Api/Properties/AccessLogSettings/Format/Fn::Sub").as_str().unwrap();
    let line: Value = serde_json::from_str(format).unwrap();
    assert_eq!(line["stack"], "${AWS::StackName}");
    assert_eq!(line["status"], "$context.status");
    assert_eq!(line["integrationStatus"], "$context.integrationStatus");
    let filter = at("/Resources/ApiThrottlesFilter/Properties");
    assert_eq!(filter["LogGroupName"], json!({"Ref": "AccessLog"}));
    assert_eq!(filter["FilterPattern"], r#"{ ($.status = "429") && ($.integrationStatus = "-") }"#);
    let metric = json!({
        "MetricNamespace": NAMESPACE,
        "MetricName": "ApiThrottles",
        "MetricValue": "1",
        "Unit": "Count",
        "Dimensions": [{"Key": STACK, "Value": format!("$.{STACK}")}],
    });
    assert_eq!(filter["MetricTransformations"], json!([metric]));
}

#[test]
fn every_saved_query_asks_for_fields_that_the_log_has() {
    let queries = of_type("AWS::Logs::QueryDefinition");
    assert_eq!(queries.len(), 8);
    for (name, query) in queries {
        let query = &query["Properties"];
        assert!(query["Name"]["Fn::Sub"].as_str().unwrap().starts_with("${AWS::StackName}/"), "{name}");
        assert_eq!(query["LogGroupNames"], json!([{"Ref": "FunctionLog"}]), "{name}");
        let text = query["QueryString"].as_str().unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "._@".contains(c)));
        for field in words.filter(|word| word.starts_with("span.")) {
            assert!(FIELDS.split_whitespace().any(|known| known == field), "{name}: {field}");
        }
    }
}
