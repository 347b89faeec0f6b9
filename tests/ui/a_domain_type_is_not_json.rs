//! Only the views in `wire` are JSON.

use keywright::domain::token::Token;

fn json(token: &Token) -> String {
    serde_json::to_string(token).unwrap()
}

fn main() {}
