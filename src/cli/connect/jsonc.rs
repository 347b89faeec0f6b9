//! JSON, with comments and trailing commas where the client reads them. The text is cut and joined
//! at the places that a parser finds, so that nothing else is written anew.

use std::borrow::Cow;

use jsonc_parser::{
    CollectOptions, CommentCollectionStrategy, ParseOptions, ParseResult,
    ast::{Object, ObjectProp, Value as Node},
    common::{Range, Ranged as _},
    parse_to_ast,
    tokens::{Token, TokenAndRange},
};
use serde::Serialize as _;
use serde_json::{Map, Value};

use super::document::{NAME, Odd, broken, line_end, line_start, newline, unusual};

/// A byte order mark, which some editors put in front.
const MARK: char = '\u{feff}';

/// All that stands in `text`; nothing, if it is empty.
pub(super) fn read(text: &str, lenient: bool) -> Result<Value, Odd> {
    let readable = readable(text);
    let parsed = Parsed::of(text, &readable, lenient)?;
    parsed
        .result
        .value
        .as_ref()
        .map_or(Ok(Value::Null), |node| parsed.value(node))
}

/// `text` with `entry` under `key`. It has none yet.
pub(super) fn with(text: &str, lenient: bool, key: &str, entry: &Value) -> Result<String, Odd> {
    let readable = readable(text);
    let parsed = Parsed::of(text, &readable, lenient)?;
    let ours = |entry: &Value| Value::Object(Map::from_iter([(NAME.to_owned(), entry.clone())]));
    let Some(root) = &parsed.result.value else {
        let all = Value::Object(Map::from_iter([(key.to_owned(), ours(entry))]));
        let end = newline(text);
        let gap = if text.is_empty() || text.ends_with('\n') || text == MARK.to_string() {
            ""
        } else {
            end
        };
        return Ok(format!("{text}{gap}{}{end}", pretty(&all, "  ", "", end)));
    };
    let root = root
        .as_object()
        .ok_or_else(|| unusual("it holds something else than an object"))?;
    match root.get(key) {
        None => Ok(parsed.inserted(root, key, &ours(entry))),
        Some(member) => match member.value.as_object() {
            Some(servers) => Ok(parsed.inserted(servers, NAME, entry)),
            None => Err(Odd::Unusual(format!(
                "`{key}` is something else than an object"
            ))),
        },
    }
}

/// `text` without the entry under `key`, which it has.
pub(super) fn without(text: &str, lenient: bool, key: &str) -> Result<String, Odd> {
    let readable = readable(text);
    let parsed = Parsed::of(text, &readable, lenient)?;
    let root = parsed.result.value.as_ref().and_then(Node::as_object);
    let servers = root.and_then(|root| root.get_object(key));
    let member = servers.and_then(|servers| servers.get(NAME));
    Ok(member.map_or_else(|| text.to_owned(), |member| parsed.removed(member)))
}

/// `text`, byte for byte as long, with another character in the place of each half of one. A client
/// that cuts a text short anywhere writes such halves, and reads them again; the parser reads none.
fn readable(text: &str) -> Cow<'_, str> {
    const HALF: usize = "\\ud800".len();
    let half = |at: usize| {
        let digits = text.get(at..at + HALF)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut known, mut at) = (Cow::Borrowed(text), 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match half(at) {
            Some(0xd800..=0xdbff) if matches!(half(at + HALF), Some(0xdc00..=0xdfff)) => {
                at += 2 * HALF;
            }
            Some(0xd800..=0xdfff) => {
                known.to_mut().replace_range(at..at + HALF, "\\ufffd");
                at += HALF;
            }
            // What is behind it belongs to it, and may be another one.
            Some(_) | None => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    known
}

/// A text and what a parser found in it.
struct Parsed<'a> {
    /// Without the mark in front.
    text: &'a str,
    mark: &'a str,
    result: ParseResult<'a>,
    newline: &'static str,
    lenient: bool,
}

impl<'a> Parsed<'a> {
    /// Of `whole`, which is parsed as it is `readable`.
    fn of(whole: &'a str, readable: &'a str, lenient: bool) -> Result<Self, Odd> {
        let text = whole.strip_prefix(MARK).unwrap_or(whole);
        let readable = readable.strip_prefix(MARK).unwrap_or(readable);
        let mark = &whole[..whole.len() - text.len()];
        let collect = CollectOptions {
            comments: if lenient {
                CommentCollectionStrategy::AsTokens
            } else {
                CommentCollectionStrategy::Off
            },
            tokens: true,
        };
        let options = ParseOptions {
            allow_comments: lenient,
            allow_trailing_commas: lenient,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let result = parse_to_ast(readable, &collect, &options)
            .map_err(|error| broken(text, error.range().start, error.kind().to_string()))?;
        let parsed = Self {
            text,
            mark,
            result,
            newline: newline(text),
            lenient,
        };
        parsed.is_spaced_plainly()?;
        Ok(parsed)
    }

    /// Whether JSON's four kinds of space are all that stands between the words. The parser takes
    /// others, and a client that reads nothing but JSON does not.
    fn is_spaced_plainly(&self) -> Result<(), Odd> {
        if self.lenient {
            return Ok(());
        }
        let tokens = self.result.tokens.iter().flatten();
        let mut end = 0;
        for (start, next) in tokens
            .map(|token| (token.range.start, token.range.end))
            .chain([(self.text.len(), self.text.len())])
        {
            let is_odd = |c| !matches!(c, ' ' | '\t' | '\r' | '\n');
            if let Some(at) = self.text[end..start].find(is_odd) {
                let why = "a space that JSON does not know stands here";
                return Err(broken(self.text, end + at, why));
            }
            end = next;
        }
        Ok(())
    }

    /// Whether what stands at `range` is written as JSON has it: control characters are not. The
    /// parser takes them, and a client that reads nothing but JSON does not.
    fn is_plain(&self, range: Range) -> Result<(), Odd> {
        let is_control = |c: char| c < ' ' && !self.lenient;
        match self.text[range.start..range.end].find(is_control) {
            None => Ok(()),
            Some(at) => {
                let why = "a control character stands in a text; write it as `\\n` or `\\u0000`";
                Err(broken(self.text, range.start + at, why))
            }
        }
    }

    fn value(&self, node: &Node<'_>) -> Result<Value, Odd> {
        Ok(match node {
            Node::StringLit(text) => {
                self.is_plain(text.range)?;
                Value::String(text.value.clone().into_owned())
            }
            // As it is written, so that no digit is lost in between.
            Node::NumberLit(number) => serde_json::from_str(number.value)
                .unwrap_or_else(|_| Value::String(number.value.to_owned())),
            Node::BooleanLit(is) => Value::Bool(is.value),
            Node::NullKeyword(_) => Value::Null,
            Node::Array(array) => {
                let elements = array.elements.iter().map(|node| self.value(node));
                Value::Array(elements.collect::<Result<_, _>>()?)
            }
            Node::Object(object) => {
                let mut members = Map::new();
                for member in &object.properties {
                    self.is_plain(member.name.range())?;
                    let name = member.name.as_str();
                    let value = self.value(&member.value)?;
                    if members.insert(name.to_owned(), value).is_some() {
                        let why = format!("`{name}` stands twice in one object");
                        return Err(broken(self.text, member.range.start, why));
                    }
                }
                Value::Object(members)
            }
        })
    }

    /// The text with one more member at the end of `object`.
    fn inserted(&self, object: &Object<'_>, name: &str, value: &Value) -> String {
        let (open, close) = (object.range.start + 1, object.range.end - 1);
        let last = object.properties.last();
        let has_lines = self.text[open..close].contains('\n');
        let is_spread = has_lines || last.is_none() && self.is_spread();
        let base = self.indent(object.range.start);
        let unit = self.unit();
        let indent = match object.properties.first() {
            Some(first) if self.begins_line(first.range.start) => {
                self.indent(first.range.start).to_owned()
            }
            Some(_) | None => format!("{base}{unit}"),
        };
        let name = Value::from(name);
        let member = if is_spread {
            let value = pretty(value, &unit, &indent, self.newline);
            format!("{}{indent}{name}: {value}", self.newline)
        } else if self.text.contains(": ") || self.text.contains(", ") {
            let gap = if last.is_some() { " " } else { "" };
            format!("{gap}{name}: {value}")
        } else {
            format!("{name}:{value}")
        };
        let Some(last) = last else {
            let said = self.comments_behind(open, close, false);
            let rest = &self.text[said..close];
            let end = if !is_spread || rest.contains('\n') {
                rest.to_owned()
            } else {
                format!("{}{base}", self.newline)
            };
            return self.joined(&[&self.text[..said], &member, &end, &self.text[close..]]);
        };
        // What is said of the last member on its line stays with it.
        let value_end = last.value.range().end;
        let comma = self.next(value_end).filter(|token| is_comma(token));
        let from = comma.map_or(value_end, |comma| comma.range.end);
        let said = self.comments_behind(from, close, true);
        let mut parts = vec![&self.text[..from]];
        if comma.is_none() {
            parts.push(",");
        }
        parts.extend([&self.text[from..said], &member]);
        if comma.is_some() {
            parts.push(",");
        }
        parts.push(&self.text[said..]);
        self.joined(&parts)
    }

    /// The text without `member`, and without the one comma that goes with it.
    fn removed(&self, member: &ObjectProp<'_>) -> String {
        let (mut start, mut end) = (member.range.start, member.range.end);
        let mut before = None;
        match self.next(end).filter(|token| is_comma(token)) {
            Some(comma) => end = comma.range.end,
            None => before = self.previous(start).filter(|token| is_comma(token)),
        }
        let line = line_end(self.text, end);
        if self.begins_line(start) && self.text[end..line].trim().is_empty() {
            start = line_start(self.text, start);
            end = line;
        } else if before.is_none() {
            let rest = &self.text[end..];
            end += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        } else {
            start = self.text[..start].trim_end_matches([' ', '\t']).len();
        }
        match before {
            None => self.joined(&[&self.text[..start], &self.text[end..]]),
            Some(comma) => self.joined(&[
                &self.text[..comma.range.start],
                &self.text[comma.range.end..start],
                &self.text[end..],
            ]),
        }
    }

    fn joined(&self, parts: &[&str]) -> String {
        format!("{}{}", self.mark, parts.concat())
    }

    fn tokens(&self) -> &[TokenAndRange<'a>] {
        self.result.tokens.as_deref().unwrap_or_default()
    }

    /// The first token from `at` on that is no comment.
    fn next(&self, at: usize) -> Option<&TokenAndRange<'a>> {
        let mut tokens = self.tokens().iter();
        tokens.find(|token| token.range.start >= at && !is_comment(token))
    }

    /// The last token before `at` that is no comment.
    fn previous(&self, at: usize) -> Option<&TokenAndRange<'a>> {
        let mut tokens = self.tokens().iter().rev();
        tokens.find(|token| token.range.end <= at && !is_comment(token))
    }

    /// Where the comments between `from` and `to` end; those on the line of `from` alone, if so
    /// asked.
    fn comments_behind(&self, from: usize, to: usize, same_line: bool) -> usize {
        let comments = self.tokens().iter().filter(|token| is_comment(token));
        let mut end = from;
        for comment in comments {
            let range = comment.range;
            if range.start < from || range.end > to {
                continue;
            }
            if same_line && self.text[end..range.end].contains('\n') {
                break;
            }
            end = range.end;
        }
        end
    }

    fn begins_line(&self, at: usize) -> bool {
        let start = line_start(self.text, at);
        start > 0 && self.text[start..at].trim().is_empty()
    }

    /// The white space that the line of `at` begins with.
    fn indent(&self, at: usize) -> &str {
        let line = &self.text[line_start(self.text, at)..at];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// What one step to the right is: that of the first member of all.
    fn unit(&self) -> String {
        let root = self.result.value.as_ref().and_then(Node::as_object);
        let first = root.and_then(|root| root.properties.first());
        let step = first
            .filter(|first| self.begins_line(first.range.start))
            .map(|first| self.indent(first.range.start))
            .filter(|step| !step.is_empty());
        step.unwrap_or("  ").to_owned()
    }

    /// Whether the text is written over several lines; an empty one will be.
    fn is_spread(&self) -> bool {
        let root = self.result.value.as_ref().and_then(Node::as_object);
        root.is_none_or(|root| {
            root.properties.is_empty() || self.text[root.range.start..root.range.end].contains('\n')
        })
    }
}

fn is_comment(token: &TokenAndRange<'_>) -> bool {
    matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_))
}

fn is_comma(token: &TokenAndRange<'_>) -> bool {
    token.token == Token::Comma
}

/// `value` over several lines, those behind the first one at `indent`.
fn pretty(value: &Value, unit: &str, indent: &str, newline: &str) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(unit.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // Neither a `Value` nor a `Vec` can fail here.
    drop(value.serialize(&mut serializer));
    let text = String::from_utf8_lossy(&bytes);
    text.replace('\n', &format!("{newline}{indent}"))
}
