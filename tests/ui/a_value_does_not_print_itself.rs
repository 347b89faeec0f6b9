//! A value is exposed by name, or not at all.

use keywright::domain::credential::PlainToken;

fn print(value: &PlainToken) -> String {
    format!("{value}")
}

fn main() {}
