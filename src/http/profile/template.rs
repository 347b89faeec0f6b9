//! [`Template`]: the JSON of an answer with `"{field}"` where something is filled in, keys in the
//! order of the file.
//!
//! A field is a text by itself, so that nothing that is filled in can become a key or run into
//! other words. What a list repeats stands in an array of one.

use std::ops::Range;

use serde_json::{Number, Value as Json};
use toml_edit::{Item, TableLike, Value};
use zeroize::Zeroizing;

use super::{
    answer::Nothing,
    mistake::{Mistake, Source},
    reader::{kind, listed},
};

/// An answer, to be filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Template {
    /// As it stands.
    Literal(Json),
    /// What is filled in.
    Field(&'static str),
    /// In the order of the file.
    Object(Vec<(String, Template)>),
    /// Once for each row.
    Each(Box<Template>),
}

/// What may stand in a template.
#[derive(Clone, Copy)]
pub(super) struct Allowed<'a> {
    /// What it answers, in words: `create_token`, or `an error`.
    pub(super) what: &'a str,
    /// The fields that can be filled in.
    pub(super) fields: &'static [&'static str],
    /// Whether it answers with many.
    pub(super) repeats: bool,
}

/// What a field is filled with.
#[derive(Clone, Copy)]
pub(super) enum Filling<'a> {
    Text(&'a str),
    Texts(&'a [String]),
    Number(u16),
    Null,
}

/// Something whose fields can be told.
pub(super) trait Fields {
    /// What `field` is filled with.
    fn filling(&self, field: &str) -> Filling<'_>;
}

impl<'a> From<&'a Option<String>> for Filling<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_deref().map_or(Filling::Null, Filling::Text)
    }
}

impl Template {
    /// Reads what stands in the file.
    pub(super) fn read(
        source: Source<'_>,
        item: &Item,
        allowed: Allowed<'_>,
    ) -> Result<Self, Mistake> {
        let reading = Reading { source, allowed };
        let is_repeated = !allowed.repeats;
        let template = match item {
            Item::Table(table) => reading.object(table, is_repeated),
            Item::ArrayOfTables(tables) => {
                let rows: Vec<_> = tables.iter().map(|table| table as &dyn TableLike).collect();
                let [row] = rows.as_slice() else {
                    return Err(reading.many(item.span()));
                };
                reading.each(item.span(), is_repeated, || reading.object(*row, true))
            }
            Item::Value(value) => reading.value(value, is_repeated),
            Item::None => {
                Err(reading.wrong(None, "nothing stands there".into(), "write an answer"))
            }
        }?;
        if allowed.repeats && !template.repeats() {
            return Err(reading.wrong(
                item.span(),
                format!("the answer of {} has no list", allowed.what),
                "put what one token looks like in `[` and `]`: it is repeated for each",
            ));
        }
        Ok(template)
    }

    /// Whether anything in it is repeated.
    fn repeats(&self) -> bool {
        match self {
            Self::Each(_) => true,
            Self::Object(members) => members.iter().any(|(_, inner)| inner.repeats()),
            Self::Literal(_) | Self::Field(_) => false,
        }
    }

    /// Whether `field` stands anywhere in it.
    pub(super) fn shows(&self, field: &str) -> bool {
        match self {
            Self::Field(shown) => *shown == field,
            Self::Object(members) => members.iter().any(|(_, inner)| inner.shows(field)),
            Self::Each(inner) => inner.shows(field),
            Self::Literal(_) => false,
        }
    }

    /// The answer about one thing.
    pub(super) fn filled(&self, one: &impl Fields) -> Zeroizing<Vec<u8>> {
        self.filled_with(one, std::slice::from_ref(one))
    }

    /// The answer about many.
    pub(super) fn filled_for_each(&self, rows: &[impl Fields]) -> Zeroizing<Vec<u8>> {
        self.filled_with(&Nothing, rows)
    }

    fn filled_with(&self, one: &impl Fields, rows: &[impl Fields]) -> Zeroizing<Vec<u8>> {
        // There may be a value in it: reserved, so that growing leaves no copy behind.
        let mut out = Zeroizing::new(Vec::with_capacity(8192));
        self.write(&mut out, one, rows);
        out
    }

    fn write(&self, out: &mut Vec<u8>, one: &impl Fields, rows: &[impl Fields]) {
        match self {
            Self::Literal(value) => json(out, value),
            Self::Field(field) => match one.filling(field) {
                Filling::Text(text) => json(out, text),
                Filling::Texts(texts) => json(out, texts),
                Filling::Number(number) => json(out, &number),
                Filling::Null => json(out, &()),
            },
            Self::Object(members) => {
                out.push(b'{');
                for (place, (key, inner)) in members.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    json(out, key);
                    out.push(b':');
                    inner.write(out, one, rows);
                }
                out.push(b'}');
            }
            Self::Each(inner) => {
                out.push(b'[');
                for (place, row) in rows.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    inner.write(out, row, &[Nothing; 0]);
                }
                out.push(b']');
            }
        }
    }
}

fn json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("a text, a number or null can be written to memory");
}

/// Reads one template.
struct Reading<'a> {
    source: Source<'a>,
    allowed: Allowed<'a>,
}

impl Reading<'_> {
    fn wrong(
        &self,
        span: Option<Range<usize>>,
        problem: String,
        remedy: impl Into<String>,
    ) -> Mistake {
        Mistake::at(self.source.place(span), problem, remedy)
    }

    fn many(&self, span: Option<Range<usize>>) -> Mistake {
        self.wrong(
            span,
            "a list holds what one token looks like, and is repeated for each".to_owned(),
            "leave exactly one in it",
        )
    }

    /// `is_one` tells whether the fields of one thing can be filled in here.
    fn object(&self, table: &dyn TableLike, is_one: bool) -> Result<Template, Mistake> {
        let member = |(key, item): (&str, &Item)| {
            let inner = match item {
                Item::Table(table) => self.object(table, is_one),
                Item::Value(value) => self.value(value, is_one),
                Item::ArrayOfTables(tables) => {
                    let rows: Vec<_> = tables.iter().collect();
                    let [row] = rows.as_slice() else {
                        return Err(self.many(item.span()));
                    };
                    self.each(item.span(), is_one, || self.object(*row, true))
                }
                Item::None => return Err(self.odd(item)),
            };
            Ok((key.to_owned(), inner?))
        };
        let members: Result<_, _> = table.iter().map(member).collect();
        members.map(Template::Object)
    }

    fn value(&self, value: &Value, is_one: bool) -> Result<Template, Mistake> {
        match value {
            Value::String(text) => self.text(text.value(), value.span(), is_one),
            Value::Integer(number) => {
                let number = Number::from(*number.value());
                Ok(Template::Literal(Json::Number(number)))
            }
            Value::Boolean(is) => Ok(Template::Literal(Json::Bool(*is.value()))),
            Value::InlineTable(table) => self.object(table, is_one),
            Value::Array(array) => {
                let rows: Vec<_> = array.iter().collect();
                let [row] = rows.as_slice() else {
                    return Err(self.many(value.span()));
                };
                self.each(value.span(), is_one, || self.value(row, true))
            }
            Value::Float(_) | Value::Datetime(_) => Err(self.odd(&Item::Value(value.clone()))),
        }
    }

    fn odd(&self, item: &Item) -> Mistake {
        self.wrong(
            item.span(),
            format!("{} cannot stand in an answer", kind(item)),
            "write a text, a whole number, a yes or no, a table or a list",
        )
    }

    fn each(
        &self,
        span: Option<Range<usize>>,
        is_one: bool,
        inner: impl FnOnce() -> Result<Template, Mistake>,
    ) -> Result<Template, Mistake> {
        if is_one || !self.allowed.repeats {
            return Err(self.wrong(
                span,
                format!(
                    "a list is repeated for each, and {} is about one",
                    self.allowed.what
                ),
                "take the `[` and `]` away",
            ));
        }
        Ok(Template::Each(Box::new(inner()?)))
    }

    fn text(
        &self,
        text: &str,
        span: Option<Range<usize>>,
        is_one: bool,
    ) -> Result<Template, Mistake> {
        let what = self.allowed.what;
        if !text.contains(['{', '}']) {
            return Ok(Template::Literal(Json::String(text.to_owned())));
        }
        let name = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let Some(name) = name.filter(|name| !name.contains(['{', '}'])) else {
            return Err(self.wrong(
                span,
                format!("`{text}` is more than a field"),
                "let a field stand by itself, as in `\"{id}\"`",
            ));
        };
        let known = self.allowed.fields;
        match known.iter().find(|field| **field == name) {
            Some(_) if !is_one => Err(self.wrong(
                span,
                format!("`{{{name}}}` is told of one token, and {what} answers with many"),
                "put it in the list, between `[` and `]`",
            )),
            Some(field) => Ok(Template::Field(field)),
            None if name == "token" => Err(self.wrong(
                span,
                format!("`{{token}}` would show a value, and {what} shows none"),
                "leave it out",
            )),
            None if known.is_empty() => Err(self.wrong(
                span,
                format!("unknown field `{{{name}}}`"),
                format!("{what} knows no fields; leave it out"),
            )),
            None => Err(self.wrong(
                span,
                format!("unknown field `{{{name}}}`"),
                format!("{what} knows {}", listed(known)),
            )),
        }
    }
}
