//! `lendswift check`: is everything in place?

mod function;
mod table;

use serde_json::json;

pub(crate) use self::function::has_ledger;
use crate::{
    account::{SecretStore, check_all},
    aws::Aws,
    cli::Global,
    deployment::{Deployment, Need},
    failure::{ExitStatus, Failure},
    output::{self, Output, count},
};

/// The results, in the order of the checks. A right that is denied fails its check, and the others are made all the
/// same.
#[derive(Default)]
struct Checks(Vec<Check>);

struct Check {
    name: String,
    verdict: Verdict,
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Failed,
    /// It could not be made, and the relay does not depend on that.
    Skipped,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

impl Checks {
    fn add(&mut self, name: impl Into<String>, verdict: Verdict, detail: impl Into<String>) {
        self.0.push(Check { name: name.into(), verdict, detail: detail.into() });
    }

    /// Adds a check that succeeded or failed.
    fn result(&mut self, name: impl Into<String>, result: Result<String, String>) {
        match result {
            Ok(detail) => self.add(name, Verdict::Ok, detail),
            Err(detail) => self.add(name, Verdict::Failed, detail),
        }
    }

    fn failed(&self) -> usize {
        self.0.iter().filter(|check| check.verdict == Verdict::Failed).count()
    }
}

pub(crate) async fn run(global: &Global, output: Output) -> Result<ExitStatus, Failure> {
    let mut checks = Checks::default();
    let aws = Aws::load(global).await?;
    checks.add("credentials", Verdict::Ok, "found");
    checks.add("region", Verdict::Ok, aws.region());
    let deployment = Deployment::find(&aws, global, Need::Both).await?;
    checks.result("table", deployment.table().map(str::to_owned).map_err(|failure| failure.to_string()));
    if let Ok(name) = deployment.table() {
        table::check(&aws, name, &mut checks).await;
    }
    let prefix = deployment.secret_prefix().map(|prefix| format!("{prefix}/ACCOUNT"));
    checks.result("secrets", prefix.map_err(|failure| failure.to_string()));
    if let Ok(prefix) = deployment.secret_prefix() {
        secrets(&SecretStore::new(&aws, prefix), &mut checks).await;
    }
    function::check(&aws, &deployment, &mut checks).await;
    print(&checks, output)?;
    Ok(if checks.failed() == 0 { ExitStatus::Done } else { ExitStatus::Refused })
}

async fn secrets(store: &SecretStore, checks: &mut Checks) {
    let accounts = match check_all(store).await {
        Ok(accounts) => accounts,
        Err(failure) => return checks.add("accounts", Verdict::Failed, failure.to_string()),
    };
    if accounts.is_empty() {
        checks.add("accounts", Verdict::Skipped, "there is no account yet: lendswift account add NAME");
    }
    for account in accounts {
        checks.result(format!("account {}", account.account), account.result);
    }
}

fn print(checks: &Checks, output: Output) -> Result<(), Failure> {
    let document = checks.0.iter().map(|Check { name, verdict, detail }| {
        json!({ "check": name, "result": verdict.as_str().to_lowercase(), "detail": detail })
    });
    let document = json!({ "failed": checks.failed(), "checks": document.collect::<Vec<_>>() });
    let rows = checks
        .0
        .iter()
        .map(|Check { name, verdict, detail }| [name.clone(), verdict.as_str().to_owned(), detail.clone()]);
    output.print(&document, output::table(["check", "result", "detail"], rows, true))?;
    let summary = match checks.failed() {
        0 => "No check failed.".to_owned(),
        failed => format!("{} failed.", count(failed, "check")),
    };
    output.hint(format!("\n{summary}"));
    Ok(())
}
