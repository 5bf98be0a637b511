//! Personal data as a type: held, compared and sent, but never printed.

use std::fmt;

/// A value about a consumer. Its `Debug` says that something is there, and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Personal<T>(pub(super) T);

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("personal")
    }
}
