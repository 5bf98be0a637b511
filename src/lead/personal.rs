//! Personal data as a type: it can be compared and sent, but never printed.

use std::fmt;

/// A value about a consumer. Its `Debug` never shows the value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Personal<T>(pub(crate) T);

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("personal")
    }
}
