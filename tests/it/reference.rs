//! The pages of `docs/reference`, generated from the code: `SNAPSHOTS=overwrite cargo test reference` writes them.

use std::{collections::BTreeSet, env, fs, path::Path};

use lendswift_relay::{
    answer::{Advice, Kind, Outcome},
    config::{DefaultValue, VARIABLES},
    lead::{FaultCode, FieldSpec, fields},
    rudder::Scenario,
    telemetry::metrics::{CLAIM_LEFT, METRICS, NAMESPACE, STACK},
};
use strum::VariantArray;

/// Compares a page with its file, or writes the file.
fn check(page: &str, title: &str, sections: &[String]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(page);
    let note = "<!-- Generated from the code by tests/it/reference.rs: SNAPSHOTS=overwrite cargo test reference -->";
    let text = format!("# {title}\n\n{note}\n\n{}", sections.join("\n"));
    if env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &text).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, text, "{} is out of date: SNAPSHOTS=overwrite cargo test reference", file.display());
}

/// A Markdown table.
fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace("|  |", "| |"));
    let head = row(&head.map(str::to_owned)) + &row(&[const { "---" }; N].map(str::to_owned));
    rows.into_iter().fold(head, |table, cells| table + &row(&cells))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

#[test]
fn responses() {
    let outcomes = Outcome::VARIANTS
        .iter()
        .map(|outcome| [code(outcome.as_str()), outcome.meaning().to_owned(), outcome.next_step().to_owned()]);
    let header = |kind: &Kind| match kind.row().advice {
        None => String::new(),
        Some(Advice::Allow) => code("allow"),
        Some(Advice::Authenticate) => code("www-authenticate"),
        Some(Advice::RetrySoon | Advice::RetryWhenPolicyAllows) => code("retry-after"),
        Some(Advice::RetryWhenUpstreamSays) => "AI Rudder's `retry-after`".to_owned(),
    };
    let fine = [
        ["AI Rudder took the lead: HTTP 2xx and `code` 200.", "200", "`accepted`", "", "false", ""],
        ["A validate request: the lead is valid.", "200", "`not_sent`", "", "false", ""],
    ];
    let kinds = Kind::VARIANTS.iter().map(|kind| {
        let row = kind.row();
        let (status, fixable) = (row.status.as_u16().to_string(), kind.is_client_fixable().to_string());
        [row.when.to_owned(), status, code(row.outcome.as_str()), code(row.error), fixable, header(kind)]
    });
    let scenarios = Scenario::VARIANTS.iter().map(|scenario| {
        let digits = scenario.digits().map_or("any other".to_owned(), |digits| code(&digits.to_string()));
        [digits, scenario.meaning().to_owned()]
    });
    let messages: BTreeSet<[String; 2]> =
        Kind::VARIANTS.iter().map(|kind| [code(kind.row().error), kind.row().message.to_owned()]).collect();
    check(
        "responses.md",
        "Responses",
        &[
            "Every response that the relay sends has the header `lead-outcome`. A response without it comes from API Gateway,\n\
             or the function crashed. If its status is 408, 429 or 5xx, send the lead again; otherwise check the URL and the size \
             of the\nbody.\n\n## Outcomes\n"
                .to_owned(),
            table(["`lead-outcome`", "meaning", "what to do"], outcomes),
            "## Responses\n\nThe header `lead-error` has the `error`. The relay's own envelope also has `error` and `show_err`. If AI \
             Rudder\nsent an envelope, that is the body instead, unless it refuses or quotes the account's token. The status and\n\
             `lead-outcome` are the same.\n"
                .to_owned(),
            table(
                ["when", "status", "`lead-outcome`", "`error`", "`show_err`", "header"],
                fine.map(|row| row.map(str::to_owned)).into_iter().chain(kinds),
            ),
            "## Sandbox accounts\n\nThe last four digits of `loan_amount` choose what the simulated AI Rudder does.\n".to_owned(),
            table(["last four digits", "what happens"], scenarios),
            "## Messages\n\nMessages are for people and may change; `error` is for programs and does not.\n".to_owned(),
            table(["`error`", "`message`"], messages),
        ],
    );
}

/// Runs of fields with the same forms, which share a row.
fn grouped() -> Vec<Vec<FieldSpec>> {
    let mut groups: Vec<Vec<FieldSpec>> = Vec::new();
    for field in fields() {
        let same = |group: &&mut Vec<FieldSpec>| {
            group[0].forms.accepted == field.forms.accepted && group[0].forms.becomes == field.forms.becomes
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(field),
            None => groups.push(vec![field]),
        }
    }
    groups
}

#[test]
fn the_fields() {
    let names = |field: &FieldSpec| match field.names {
        [name] => code(name),
        [name, aliases @ ..] => format!("{} (or {})", code(name), codes(aliases.iter().copied())),
        [] => String::new(),
    };
    let rows = grouped().into_iter().map(|group| {
        let forms = group[0].forms;
        let required = if group[0].required { "required" } else { "optional, in `details`" };
        let names = group.iter().map(names).collect::<Vec<_>>().join(", ");
        [names, required.to_owned(), forms.accepted.to_owned(), forms.becomes.to_owned(), forms.refused.to_owned()]
    });
    let faults = grouped().into_iter().map(|group| {
        let names = codes(group.iter().map(|field| field.names[0]));
        [names, codes(group[0].forms.faults.iter().map(|fault| fault.as_str()))]
    });
    check(
        "fields.md",
        "Fields of a lead",
        &[
            "The first name is AI Rudder's; the others are aliases. The relay [cleans](../integrating.md#fields) every string \
             first,\nnames of fields included; that page also lists the placeholders. `null` counts as not given. A field that is \
             given twice\nmust have the same value after normalization. An empty value or `null` in addition to a full value \
             counts as not given; so\ndoes a placeholder, except in `caller_id` and `loan_amount`. The relay does not forward \
             unknown fields; the header\n`lead-ignored-fields` names them.\n"
                .to_owned(),
            table(["field", "", "accepted", "AI Rudder receives", "refused"], rows),
            "## Faults by field\n".to_owned(),
            table(["field", "[fault codes](fault-codes.md)"], faults),
        ],
    );
}

#[test]
fn fault_codes() {
    let rows = FaultCode::VARIANTS.iter().map(|fault| {
        let fields = fields().into_iter().filter(|field| field.forms.faults.contains(fault)).collect::<Vec<_>>();
        let fields = if fields.len() > 13 {
            "text fields of `details`, and [others](fields.md#faults-by-field)".to_owned()
        } else {
            codes(fields.iter().map(|field| field.names[0]))
        };
        [code(fault.as_str()), fault.meaning().to_owned(), fields]
    });
    check(
        "fault-codes.md",
        "Fault codes",
        &[
            "The `code` of each entry of `body.fields` in a response with `error` `invalid_lead`. Codes are for programs and do \
             not change.\n"
                .to_owned(),
            table(["`code`", "meaning", "fields"], rows),
        ],
    );
}

#[test]
fn configuration() {
    let rows = VARIABLES.iter().map(|variable| {
        let default = match variable.default {
            DefaultValue::Required => "required".to_owned(),
            DefaultValue::None => "none".to_owned(),
            DefaultValue::Value(default) => code(default),
        };
        [code(variable.name), default, variable.accepted.to_owned(), variable.meaning.to_owned()]
    });
    check(
        "configuration.md",
        "Configuration",
        &[
            "Environment variables, read once at start-up. An empty variable counts as not set. An invalid value stops the start \
             with a\nmessage that names the variable. The AWS SDK reads the credentials' variables itself, when they are first \
             used.\n"
                .to_owned(),
            table(["variable", "default", "accepted", "meaning"], rows),
        ],
    );
}

/// The values of a metric's dimension, where the code lists them.
fn values(metric: &str) -> String {
    let errors: BTreeSet<&str> = Kind::VARIANTS.iter().filter_map(|kind| kind.metric()).chain([CLAIM_LEFT]).collect();
    match metric {
        "Leads" | "SandboxRequests" => codes(Outcome::VARIANTS.iter().map(|outcome| outcome.as_str())),
        "Replays" => codes([Outcome::Accepted, Outcome::Unknown].map(Outcome::as_str)),
        "Errors" => codes(errors),
        _ => String::new(),
    }
}

#[test]
fn metrics() {
    let rows = METRICS.iter().map(|metric| {
        let dimension = metric.dimension.map(code).unwrap_or_default();
        [code(metric.name), dimension, metric.unit.to_owned(), metric.meaning.to_owned(), values(metric.name)]
    });
    check(
        "metrics.md",
        "Metrics",
        &[
            format!(
                "The function writes these metrics to its log in CloudWatch's embedded metric format, in the namespace `{NAMESPACE}`. If\n`STACK_NAME` is set, as in the template, each metric has the dimension `{STACK}` as well.\n"
            ),
            table(["metric", "dimension", "unit", "meaning", "values"], rows),
        ],
    );
}
