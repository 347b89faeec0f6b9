//! Times as they are written, where there may be none.

use crate::domain::clock::Time;
pub use crate::domain::clock::rfc3339;

/// The time as text, if there is one.
pub fn maybe(at: Option<Time>) -> Option<String> {
    at.map(rfc3339)
}
