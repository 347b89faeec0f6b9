//! YAML: our entry is a block of lines directly below its key, and goes by whole lines. A file that
//! is written in another way there is left alone.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::document::{NAME, Odd, broken, newline, unusual, without_lines};

/// How far our lines stand in, where nothing tells.
const STEP: usize = 2;

/// No file that people write by hand is nested deeper, and what is read goes down into it.
const DEEPEST: usize = 128;

/// All that stands in `text`. Every plain word comes as text.
pub(super) fn read(text: &str) -> Result<Value, Odd> {
    Ok(root(text)?.map_or(Value::Null, |node| node.value))
}

/// `text` with `entry` under `key`. It has none yet.
pub(super) fn with(text: &str, key: &str, entry: &Value) -> Result<String, Odd> {
    let root = root(text)?;
    let end = newline(text);
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let Some(root) = root.filter(|root| !root.is_empty_plain()) else {
        return appended(text, key, entry, 0);
    };
    if root.is_flow || !root.value.is_object() {
        return Err(unusual("it is not written as lines of `key: value`"));
    }
    let Some((name, servers)) = root.members.iter().find(|(name, _)| name.is(key)) else {
        let indent = root.members.first().map_or(0, |(name, _)| name.start.col());
        return appended(text, key, entry, indent);
    };
    let odd = || {
        Odd::Unusual(format!(
            "what stands under `{key}` is not written as a block"
        ))
    };
    let line = name.start.line() - 1;
    let (head, indent) = match servers.members.first() {
        _ if servers.is_marked => return Err(odd()),
        Some((first, _)) if !servers.is_flow && first.start.line() > name.start.line() => {
            (lines[line].to_owned(), first.start.col())
        }
        None if servers.is_empty_plain() => (lines[line].to_owned(), name.start.col() + STEP),
        None if servers.is_flow && lines[line].matches("{}").count() == 1 => {
            let head = lines[line].replacen(" {}", "", 1);
            (head, name.start.col() + STEP)
        }
        Some(_) | None => return Err(odd()),
    };
    let gap = if head.ends_with('\n') { "" } else { end };
    let block = block(NAME, entry, indent).replace('\n', end);
    let mut whole = lines[..line].concat();
    whole.push_str(&head);
    whole.push_str(gap);
    whole.push_str(&block);
    whole.push_str(&lines[line + 1..].concat());
    Ok(whole)
}

/// `text` without the entry under `key`, which it has.
pub(super) fn without(text: &str, key: &str) -> Result<String, Odd> {
    let odd = || unusual("the entry cannot be told from the rest");
    let root = root(text)?.ok_or_else(odd)?;
    let mut members = root.members.iter();
    let (name, servers) = members.find(|(name, _)| name.is(key)).ok_or_else(odd)?;
    let mut entries = servers.members.iter();
    let (ours, entry) = entries.find(|(name, _)| name.is(NAME)).ok_or_else(odd)?;
    if root.is_flow
        || servers.is_flow
        || servers.is_marked
        || ours.start.line() == name.start.line()
    {
        return Err(odd());
    }
    let (first, last) = (
        ours.start.line() - 1,
        entry.last_line().max(ours.start.line()) - 1,
    );
    let cut = without_lines(text, |line| (first..=last).contains(&line));
    if servers.members.len() > 1 {
        return Ok(cut);
    }
    // A key with nothing behind it would be no table.
    let line = name.start.line() - 1;
    let lines = cut.split_inclusive('\n').enumerate();
    let lines = lines.map(|(at, text)| match (at == line, text.find(':')) {
        (true, Some(colon)) => format!("{}: {{}}{}", &text[..colon], &text[colon + 1..]),
        (true, None) | (false, _) => text.to_owned(),
    });
    Ok(lines.collect())
}

fn appended(text: &str, key: &str, entry: &Value, indent: usize) -> Result<String, Odd> {
    if text.lines().any(|line| line == "...") {
        return Err(unusual(
            "it ends with `...`, and nothing may stand behind that",
        ));
    }
    let end = newline(text);
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        end
    };
    let all = Value::Object(Map::from_iter([(NAME.to_owned(), entry.clone())]));
    let block = block(key, &all, indent).replace('\n', end);
    Ok(format!("{text}{gap}{block}"))
}

/// `name` and what stands under it, a line each.
fn block(name: &str, value: &Value, indent: usize) -> String {
    let space = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            let lines = members.iter();
            let lines = lines.map(|(name, value)| block(name, value, indent + STEP));
            format!("{space}{name}:\n{}", lines.collect::<String>())
        }
        Value::Array(all) => {
            // A quoted text of JSON is one of YAML, too.
            let all: Vec<_> = all.iter().map(Value::to_string).collect();
            format!("{space}{name}: [{}]\n", all.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            format!("{space}{name}: {value}\n")
        }
    }
}

/// Something in the text, and where.
struct Node {
    value: Value,
    members: Vec<(Node, Node)>,
    others: Vec<Node>,
    start: Marker,
    end: Marker,
    /// Whether it is written with brackets.
    is_flow: bool,
    /// Whether it has an anchor or a tag, or is an alias.
    is_marked: bool,
    is_plain: bool,
}

impl Node {
    fn is(&self, key: &str) -> bool {
        self.value == key && !self.is_marked
    }

    /// Whether nothing at all stands there.
    fn is_empty_plain(&self) -> bool {
        self.is_plain && !self.is_marked && self.value == ""
    }

    /// The last line of the text that belongs to it, counted from 1.
    fn last_line(&self) -> usize {
        let members = self.members.iter().flat_map(|(name, value)| [name, value]);
        let inner = members.chain(&self.others).map(Self::last_line).max();
        // A block ends where something else begins, which may be far below.
        let is_block = !self.is_flow && (self.value.is_object() || self.value.is_array());
        let own = match (self.end.line(), self.end.col()) {
            _ if is_block => self.start.line(),
            (line, 0) if line > self.start.line() => line - 1,
            (line, _) => line,
        };
        inner.map_or(own, |inner| inner.max(own))
    }
}

/// The one document in `text`.
fn root(text: &str) -> Result<Option<Node>, Odd> {
    // A line ends there for YAML, and nowhere else: the lines would be counted in two ways.
    if let Some(at) = text.replace("\r\n", "  ").find('\r') {
        return Err(broken(text, at, "a carriage return stands alone"));
    }
    let (mut events, mut depth) = (Vec::new(), 0_usize);
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| broken(text, byte(text, error.marker()), error.info()))?;
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => depth = depth.saturating_sub(1),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::Scalar(..) => {}
        }
        if depth > DEEPEST {
            return Err(unusual("it is nested too deep"));
        }
        events.push((event, span));
    }
    let mut reader = Reader {
        text,
        characters: text.chars().collect(),
        lines: text.lines().collect(),
        events: events.into_iter(),
        ended: Marker::new(0, 1, 0),
        root: None,
    };
    reader.all()?;
    Ok(reader.root)
}

/// Where in `text` a parser's place is. Of a name that is empty it may tell one behind the end.
fn byte(text: &str, place: &Marker) -> usize {
    let at = text.char_indices().nth(place.index());
    at.map_or(text.len(), |(at, _)| at)
}

struct Reader<'a> {
    text: &'a str,
    // Both are counted once, since a parser tells places by them.
    characters: Vec<char>,
    lines: Vec<&'a str>,
    events: std::vec::IntoIter<(Event<'a>, Span)>,
    /// Where what was read last ended.
    ended: Marker,
    root: Option<Node>,
}

impl Reader<'_> {
    fn all(&mut self) -> Result<(), Odd> {
        while let Some((event, _)) = self.events.next() {
            if let Event::DocumentStart(_) = event {
                if self.root.is_some() {
                    return Err(unusual("several documents stand in it"));
                }
                self.root = self.node()?;
            }
        }
        Ok(())
    }

    /// The next node, or none where the one around it ends.
    fn node(&mut self) -> Result<Option<Node>, Odd> {
        let Some((event, span)) = self.events.next() else {
            return Ok(None);
        };
        self.ended = span.end;
        let mut node = Node {
            value: Value::Null,
            members: Vec::new(),
            others: Vec::new(),
            start: span.start,
            end: span.end,
            is_flow: false,
            is_marked: false,
            is_plain: false,
        };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                node.value = Value::String(text.into_owned());
                node.is_plain = style == ScalarStyle::Plain;
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    node.end = self.end_of_lines(span);
                }
                node.is_marked = anchor != 0 || tag.is_some();
            }
            Event::Alias(id) => {
                node.value = Value::String(format!("*{id}"));
                node.is_marked = true;
            }
            Event::MappingStart(anchor, tag) => {
                node.is_marked = anchor != 0 || tag.is_some();
                node.is_flow = self.at(span.start) == Some('{');
                self.members(&mut node)?;
            }
            Event::SequenceStart(anchor, tag) => {
                node.is_marked = anchor != 0 || tag.is_some();
                node.is_flow = self.at(span.start) == Some('[');
                while let Some(inner) = self.node()? {
                    node.others.push(inner);
                }
                node.value = node
                    .others
                    .iter()
                    .map(|inner| inner.value.clone())
                    .collect();
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Ok(None),
        }
        if node.is_flow {
            node.end = self.ended;
        }
        Ok(Some(node))
    }

    fn members(&mut self, node: &mut Node) -> Result<(), Odd> {
        let mut all = Map::new();
        while let Some(name) = self.node()? {
            let Some(value) = self.node()? else { break };
            let text = match name.value.as_str() {
                Some(text) => text.to_owned(),
                None => name.value.to_string(),
            };
            if all.insert(text.clone(), value.value.clone()).is_some() {
                let why = format!("`{text}` stands twice in one table");
                return Err(broken(self.text, byte(self.text, &name.start), why));
            }
            node.members.push((name, value));
        }
        node.value = Value::Object(all);
        Ok(())
    }

    /// Where a text over several lines ends: not with the comments and empty lines below it, which
    /// are not as far to the right.
    fn end_of_lines(&self, span: Span) -> Marker {
        let (first, depth) = (span.start.line(), span.start.col());
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let lines = (first..).zip(self.lines.iter().skip(first - 1));
        let lines = lines.take_while(|(line, _)| *line <= span.end.line());
        let own = lines
            .filter(|(_, text)| !text.trim().is_empty())
            .take_while(|(_, text)| depth > 0 && indent(text) >= depth);
        let line = own.last().map_or(first, |(line, _)| line);
        Marker::new(span.start.index(), line, 1)
    }

    fn at(&self, marker: Marker) -> Option<char> {
        self.characters.get(marker.index()).copied()
    }
}
