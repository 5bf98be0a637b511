//! What is measured.

use std::{fs, path::PathBuf};

use clap::ValueEnum;
use serde_json::Value;
use support::{TOKEN, fakes::api_gateway};

use crate::{
    Failure,
    args::Args,
    build,
    neighbours::{PYTHON_TABLE, RELAY_TABLE},
    package::zipped,
    python,
};

/// One after the other, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Who {
    /// The relay as it is shipped.
    Relay,
    /// The relay without the ledger.
    RelayOff,
    /// The relay where it connects to nobody at its start.
    RelayUnconnected,
    /// Both.
    RelayOffUnconnected,
    /// A function that answers `{}`.
    Floor,
    /// A function that passes the body on, and does nothing else.
    Thin,
    /// The relay's job in Python.
    Python,
    /// The same without a ledger.
    PythonOff,
}

/// One that is ready to be started.
pub struct Subject {
    /// Which one.
    pub who: Who,
    /// What runs.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: &'static [&'static str],
    /// Its variables, beside those that name its neighbours.
    pub variables: Vec<(&'static str, String)>,
    /// Its bytes, where it is one file.
    pub binary: Option<u64>,
    /// Its bytes as Lambda takes it.
    pub zip: u64,
}

impl Who {
    /// Its name in the tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::RelayOff => "relay, ledger `off`",
            Self::RelayUnconnected => "relay, not connected",
            Self::RelayOffUnconnected => "relay, `off`, not connected",
            Self::Floor => "floor: answers `{}`",
            Self::Thin => "thin relay",
            Self::Python => "Python",
            Self::PythonOff => "Python, ledger `off`",
        }
    }

    /// Whether a post is a lead at AI Rudder.
    pub fn pushes(self) -> bool {
        self != Self::Floor
    }

    /// Whether this is the answer to a lead that AI Rudder accepted.
    pub fn accepted(self, answer: &Value) -> bool {
        let answer = api_gateway::response(answer);
        let code = serde_json::from_slice::<Value>(&answer.body).map(|envelope| envelope["code"] == 200);
        let outcome = answer.headers.iter().any(|(name, value)| name == "lead-outcome" && value == "accepted");
        answer.status == 200
            && match self {
                Self::Floor => answer.body == b"{}",
                Self::Thin => code.unwrap_or(false),
                _ => outcome && code.unwrap_or(false),
            }
    }

    /// Whether it connects to AWS at its start, where it can be told to.
    fn connects(self) -> bool {
        !matches!(self, Self::RelayUnconnected | Self::RelayOffUnconnected)
    }

    fn table(self) -> &'static str {
        match self {
            Self::Relay | Self::RelayUnconnected => RELAY_TABLE,
            Self::Python => PYTHON_TABLE,
            _ => "off",
        }
    }
}

/// Those that Cargo builds.
const RUST: [Who; 6] =
    [Who::Relay, Who::RelayOff, Who::RelayUnconnected, Who::RelayOffUnconnected, Who::Floor, Who::Thin];

/// Everything that was asked for, built; and what is to be said of Python where it is left out.
pub fn all(args: &Args) -> Result<(Vec<Subject>, Option<String>), Failure> {
    let mut left_out = None;
    let mut subjects = Vec::new();
    for who in RUST.into_iter().filter(|who| args.wants(*who)) {
        subjects.push(built(who)?);
    }
    let in_python: Vec<_> = [Who::Python, Who::PythonOff].into_iter().filter(|who| args.wants(*who)).collect();
    if !in_python.is_empty() {
        match python::install() {
            Ok(python) => {
                for who in in_python {
                    subjects.push(interpreted(who, &python)?);
                }
            }
            Err(missing) => left_out = Some(format!("Python is left out: {missing}.\n")),
        }
    }
    Ok((subjects, left_out))
}

fn built(who: Who) -> Result<Subject, Failure> {
    let program = match who {
        Who::Floor => build::subject("floor")?,
        Who::Thin => build::subject("thin")?,
        _ => build::relay()?,
    };
    let variables = match who {
        Who::Floor => Vec::new(),
        Who::Thin => vec![("LENDSWIFT_TOKEN", TOKEN.to_owned())],
        _ => vec![("CLAIMS_TABLE", who.table().to_owned()), ("CONNECT_AT_START", who.connects().to_string())],
    };
    let (binary, zip) = (Some(fs::metadata(&program)?.len()), zipped(&program)?);
    Ok(Subject { who, program, arguments: &[], variables, binary, zip })
}

fn interpreted(who: Who, python: &python::Python) -> Result<Subject, Failure> {
    let task = python.task.to_string_lossy().into_owned();
    let variables = vec![
        ("CLAIMS_TABLE", who.table().to_owned()),
        ("SECRET_PREFIX", "lendswift".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("LAMBDA_TASK_ROOT", task.clone()),
        ("PYTHONPATH", task),
        ("_HANDLER", "relay.handler".to_owned()),
    ];
    let zip = zipped(&python.task)?;
    let arguments = &["-m", "awslambdaric", "relay.handler"];
    Ok(Subject { who, program: python.interpreter.clone(), arguments, variables, binary: None, zip })
}
