//! Why a command ended without its result, and the exit codes.

use std::fmt;

use lendswift_relay::lead::Fault;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// Everything was done, or had been done before.
    Done = 0,
    /// Something was refused, was not found, or failed a check. The output says what and why.
    Refused = 1,
    /// The command line or its input is invalid. Nothing was written.
    Usage = 2,
    /// AWS failed, denied a right, or could not be reached.
    Aws = 3,
    /// The result could not be written to stdout.
    Output = 4,
}

impl ExitStatus {
    /// All exit codes.
    pub const ALL: [Self; 5] = [Self::Done, Self::Refused, Self::Usage, Self::Aws, Self::Output];

    /// What it means, for the reference.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Everything was done, or had been done before.",
            Self::Refused => {
                "Something was refused, was not found, or failed a check. The output says why. The rest was done."
            }
            Self::Usage => {
                "The command line or its input is invalid, or a question was not answered yes. Nothing was written."
            }
            Self::Aws => {
                "AWS failed, denied a right, or could not be reached; or there are no credentials or no region. \
                 The output says what was done before, and what to do."
            }
            Self::Output => "The result could not be written to stdout. stderr says what was done, and what to do.",
        }
    }
}

/// A command's end without its result. No text contains a token, an API key or a part of a secret.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: ExitStatus,
    message: String,
    fix: String,
    /// For JSON: the faults of a lead, as the relay returns them.
    pub(crate) faults: Vec<Fault>,
}

impl Failure {
    /// Something that the state of AWS does not allow. Nothing was written.
    pub(crate) fn refused(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: ExitStatus::Refused, message: message.into(), fix: fix.into(), faults: Vec::new() }
    }

    /// A command line or an input that is invalid. Nothing was written.
    pub(crate) fn usage(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: ExitStatus::Usage, message: message.into(), fix: fix.into(), faults: Vec::new() }
    }

    /// A failure of AWS, or on the way to it.
    pub(crate) fn aws(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: ExitStatus::Aws, message: message.into(), fix: fix.into(), faults: Vec::new() }
    }

    /// A result that could not be written.
    pub(crate) fn output(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: ExitStatus::Output, message: message.into(), fix: fix.into(), faults: Vec::new() }
    }

    /// With the faults of a lead.
    pub(crate) fn with_faults(self, faults: Vec<Fault>) -> Self {
        Self { faults, ..self }
    }

    /// With another way out.
    pub(crate) fn or_else(mut self, fix: &str) -> Self {
        self.fix = format!("{} {fix}", self.fix);
        self
    }

    /// When it is not known whether a write was made: with the state that is possible, and what to do about it.
    pub(crate) fn unclear(mut self, possible: &str, fix: &str) -> Self {
        self.fix = format!("{possible} {fix}");
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn fix(&self) -> &str {
        &self.fix
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}
