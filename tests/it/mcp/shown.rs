//! [`Shown`]: answers as they are shown in snapshots. What differs from run to run is hidden, and
//! looked at first.

use serde_json::Value;

/// Hides what differs from run to run. The same id is always called the same.
#[derive(Default)]
pub(crate) struct Shown {
    ids: Vec<String>,
}

impl Shown {
    /// A tool's whole answer: its text says the same as its structured content.
    pub(crate) fn answer(&mut self, mut answer: Value) -> Value {
        if let Some(structured) = answer.get("structuredContent") {
            let text = answer["content"][0]["text"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *structured);
            answer["content"][0]["text"] = "[the same]".into();
        }
        self.hide("", &mut answer);
        answer
    }

    /// Any text.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        while let Some(at) = find_uuid(&text) {
            let id = text[at..at + 36].to_owned();
            let version = id.as_bytes()[14];
            assert_eq!(version, b'7', "{id} is no UUIDv7");
            let known = self.ids.iter().position(|known| *known == id);
            let place = known.unwrap_or_else(|| {
                self.ids.push(id);
                self.ids.len() - 1
            });
            text.replace_range(at..at + 36, &format!("[id {}]", place + 1));
        }
        text
    }

    fn hide(&mut self, name: &str, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(name, item)),
            Value::Object(fields) => {
                if let (Some(token), Some(prefix)) = (fields.get("token"), fields.get("prefix")) {
                    let (token, prefix) = (token.as_str().unwrap(), prefix.as_str().unwrap());
                    assert!(token.starts_with(prefix), "the value has another prefix");
                }
                fields.iter_mut().for_each(|(name, v)| self.hide(name, v));
            }
            Value::String(text) => *text = self.string(name, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn string(&mut self, name: &str, text: &str) -> String {
        let random = |text: &str, count: usize| {
            text.len() == count && text.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        match name {
            "token" if text.starts_with("kw_") => {
                let (shape, digits) = text.split_at(7);
                assert!(matches!(shape, "kw_pat_" | "kw_cli_") && random(digits, 49));
                format!("{shape}[49 digits]")
            }
            "prefix" => {
                let (shape, digits) = text.split_at(7);
                assert!(matches!(shape, "kw_pat_" | "kw_cli_") && random(digits, 4));
                format!("{shape}[4 digits]")
            }
            "code" => {
                assert!(is_code(text), "{text}");
                "[code]".into()
            }
            "command" => {
                let (command, code) = text.rsplit_once(' ').unwrap();
                assert!(is_code(code), "{text}");
                format!("{command} [code]")
            }
            "hash" => {
                assert!(text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()));
                "[hash]".into()
            }
            "next_cursor" => {
                assert_eq!(text.len(), 48);
                "[cursor]".into()
            }
            "at" => {
                assert!(is_time(text), "{text}");
                text.into()
            }
            name if name.ends_with("_at") => {
                assert!(is_time(text), "{text}");
                text.into()
            }
            _ => self.text(text),
        }
    }
}

/// `7K3M-Q9TX-2BWF`.
pub(crate) fn is_code(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let is_group = |group: &&str| {
        group.len() == 4
            && group
                .bytes()
                .all(|b| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&b))
    };
    groups.len() == 3 && groups.iter().all(is_group)
}

/// RFC 3339, milliseconds, `Z`.
fn is_time(text: &str) -> bool {
    text.len() == 24
        && text
            .bytes()
            .zip("0000-00-00T00:00:00.000Z".bytes())
            .all(|(have, want)| match want {
                b'0' => have.is_ascii_digit(),
                want => have == want,
            })
}

fn find_uuid(text: &str) -> Option<usize> {
    let is_uuid = |candidate: &[u8]| {
        candidate
            .iter()
            .enumerate()
            .all(|(place, byte)| match place {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    text.as_bytes().windows(36).position(is_uuid)
}
