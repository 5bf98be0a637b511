//! The dashboard.

use std::collections::BTreeMap;

use lendswift_relay::{
    answer::{Kind, Outcome},
    telemetry::metrics::{CLAIM_LEFT, METRICS, NAMESPACE, STACK},
};
use strum::VariantArray;

use super::*;

/// What AWS counts: namespace, metrics, dimension, and how the template names the resource.
const AWS_COUNTS: [(&str, &[&str], &str, &[&str]); 4] = [
    ("AWS/ApiGateway", &["Count", "Latency"], "ApiId", &["${Api}"]),
    ("AWS/Lambda", &["Invocations", "Duration", "Throttles", "ConcurrentExecutions"], "FunctionName", &["${Relay}"]),
    ("AWS/Logs", &["IncomingBytes"], "LogGroupName", &["${FunctionLog}", "${AccessLog}"]),
    ("AWS/DynamoDB", &["ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"], "TableName", &["${Table}"]),
];

/// The widgets, as they are before CloudFormation's substitutions.
fn widgets() -> Vec<Value> {
    let body = at("/Resources/Dashboard/Properties/DashboardBody/Fn::Sub/0").as_str().unwrap();
    array(&serde_json::from_str::<Value>(body).unwrap()["widgets"]).clone()
}

/// The names of each metric of a widget, with `.` replaced by the name above it.
fn metrics(widget: &Value) -> Vec<Vec<String>> {
    let mut above = Vec::<String>::new();
    let lines = array(&widget["properties"]["metrics"]).iter().map(|line| {
        let names = array(line).iter().filter_map(Value::as_str).enumerate();
        above = names.map(|(place, name)| if name == "." { above[place].clone() } else { name.to_owned() }).collect();
        above.clone()
    });
    lines.filter(|names| !names.is_empty()).collect()
}

/// The expressions of a widget.
fn expressions(widget: &Value) -> Vec<String> {
    let lines = array(&widget["properties"]["metrics"]).iter();
    lines.filter_map(|line| line[0]["expression"].as_str().map(str::to_owned)).collect()
}

fn charts() -> Vec<Value> {
    widgets().into_iter().filter(|widget| widget["type"] == "metric").collect()
}

/// Whether the relay, or the template's filter, counts a metric with these dimensions for the stack.
fn is_own(metric: &str, dimensions: &[&str]) -> bool {
    let by = METRICS.iter().find(|own| own.name == metric).and_then(|own| own.dimension);
    let is_known = metric == "ApiThrottles" || METRICS.iter().any(|own| own.name == metric);
    let outcomes = || Outcome::VARIANTS.iter().map(|outcome| outcome.as_str());
    let errors = || Kind::VARIANTS.iter().filter_map(|kind| kind.metric()).chain([CLAIM_LEFT]);
    is_known
        && match (by, dimensions) {
            (None, [STACK, "${AWS::StackName}"]) => true,
            (Some(by), [STACK, "${AWS::StackName}", dimension, value]) if by == *dimension => match by {
                "outcome" => outcomes().any(|outcome| outcome == *value),
                "error" => errors().any(|error| error == *value),
                "result" => ["read", "stale"].contains(value),
                _ => false,
            },
            _ => false,
        }
}

fn is_awss(namespace: &str, metric: &str, dimensions: &[&str]) -> bool {
    AWS_COUNTS.iter().any(|(whose, metrics, by, of)| {
        let [dimension, value] = dimensions else { return false };
        *whose == namespace && metrics.contains(&metric) && by == dimension && of.contains(value)
    })
}

#[test]
fn every_metric_of_the_dashboard_is_counted_for_the_stack() {
    let mut shown = 0;
    for widget in charts() {
        for names in metrics(&widget) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let [namespace, metric, dimensions @ ..] = &names[..] else { panic!("{names:?}") };
            let is_counted = if *namespace == NAMESPACE {
                is_own(metric, dimensions)
            } else {
                is_awss(namespace, metric, dimensions)
            };
            assert!(is_counted, "{names:?}");
            shown += 1;
        }
        for expression in expressions(&widget) {
            let is_counted = METRICS.iter().filter(|own| own.dimension.is_some()).any(|own| {
                let by = own.dimension.unwrap();
                let search = format!(
                    "SEARCH('{{{NAMESPACE},{STACK},{by}}} MetricName=\"{}\" {STACK}=\"${{AWS::StackName}}\"','Sum')",
                    own.name
                );
                expression == format!("SLICE(SORT({search},SUM,DESC),0,10)")
            });
            assert!(is_counted, "{expression}");
        }
    }
    assert!(shown > 50, "{shown}");
}

#[test]
fn every_outcome_error_and_own_metric_is_on_the_dashboard() {
    let all: Vec<_> = charts().iter().flat_map(metrics).collect();
    let shows =
        |metric: &str, value: &str| all.iter().any(|names| names[1] == metric && names.last().unwrap() == value);
    for outcome in Outcome::VARIANTS {
        assert!(shows("Leads", outcome.as_str()) && shows("SandboxRequests", outcome.as_str()), "{outcome:?}");
    }
    for error in Kind::VARIANTS.iter().filter_map(|kind| kind.metric()).chain([CLAIM_LEFT]) {
        assert!(shows("Errors", error), "{error}");
    }
    let searched = charts().iter().flat_map(expressions).collect::<String>();
    for metric in METRICS {
        let is_shown = all.iter().any(|names| names[1] == metric.name);
        assert!(is_shown || searched.contains(&format!("MetricName=\"{}\"", metric.name)), "{metric:?}");
    }
}

#[test]
fn each_outcome_has_one_color_and_each_line_of_a_chart_another() {
    let mut colors = BTreeMap::new();
    for widget in charts() {
        let mut used = BTreeSet::new();
        for line in array(&widget["properties"]["metrics"]) {
            let Some(color) = array(line).iter().find_map(|option| option["color"].as_str()) else { continue };
            assert!(used.insert(color), "{color} twice in {}", widget["properties"]["title"]);
        }
        for (names, line) in metrics(&widget).iter().zip(array(&widget["properties"]["metrics"])) {
            if names[1] == "Leads" {
                let color = array(line).iter().find_map(|option| option["color"].as_str()).unwrap().to_owned();
                assert_eq!(*colors.entry(names.last().unwrap().clone()).or_insert_with(|| color.clone()), color);
            }
        }
    }
    assert_eq!(colors.len(), Outcome::VARIANTS.len());
}

#[test]
fn the_widgets_fill_the_grid_without_overlaps_and_say_what_they_show() {
    let mut cells = BTreeSet::new();
    let mut height = 0;
    for widget in widgets() {
        let [x, y, wide, high] = ["x", "y", "width", "height"].map(|name| widget[name].as_u64().unwrap());
        for cell in (x..x + wide).flat_map(|x| (y..y + high).map(move |y| (x, y))) {
            assert!(cell.0 < 24 && cells.insert(cell), "{widget}");
        }
        height = height.max(y + high);
        let properties = &widget["properties"];
        assert!(!properties["title"].as_str().unwrap().is_empty());
        if widget["type"] == "metric" {
            assert_eq!(properties["region"], "${AWS::Region}");
            let unit = &properties["yAxis"]["left"]["label"];
            assert!(unit.is_string() || properties["setPeriodToTimeRange"] == true, "{properties}");
        }
    }
    assert_eq!(cells.len() as u64, 24 * height);
}

#[test]
fn the_dashboard_shows_every_alarm_that_always_exists() {
    let alarms = widgets().into_iter().find(|widget| widget["type"] == "alarm").unwrap();
    let all = of_type("AWS::CloudWatch::Alarm").into_iter().filter(|(_, alarm)| alarm.get("Condition").is_none());
    let all: BTreeSet<_> = all.map(|(name, _)| format!("${{{name}.Arn}}")).collect();
    assert_eq!(strings(&alarms["properties"]["alarms"]), all);
}
