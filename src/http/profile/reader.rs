//! Reads the tables of a profile's file, each mistake told where it stands.

use std::{ops::Range, str::FromStr};

use toml_edit::{Item, TableLike, Value};

use super::mistake::{Mistake, Source};

/// A table of the file, under the name by which mistakes call it.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) source: Source<'a>,
    /// Such as `a route`.
    what: &'a str,
    table: &'a dyn TableLike,
    /// Where it begins: where what it lacks is told.
    begins: usize,
}

/// Something of the file, and where it stands.
#[derive(Clone)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) span: Option<Range<usize>>,
}

impl<'a> Section<'a> {
    /// The table, which knows these `keys` and no other; with none it knows any.
    pub(super) fn new(
        source: Source<'a>,
        what: &'a str,
        keys: &'a [&'a str],
        table: &'a dyn TableLike,
        span: Option<Range<usize>>,
    ) -> Result<Self, Mistake> {
        let section = Self {
            source,
            what,
            table,
            begins: span.map_or(0, |span| span.start),
        };
        let unknown = |(key, _): &(&str, &Item)| !keys.is_empty() && !keys.contains(key);
        match table.iter().find(unknown) {
            Some((key, _)) => Err(section.wrong(
                section.key_span(key),
                format!("unknown key `{key}`"),
                format!("{what} knows {}", listed(keys)),
            )),
            None => Ok(section),
        }
    }

    /// A mistake at `span`.
    pub(super) fn wrong(
        &self,
        span: Option<Range<usize>>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Mistake {
        Mistake::at(self.source.place(span), problem, remedy)
    }

    /// A mistake of the whole table.
    pub(super) fn lacks(&self, problem: impl Into<String>, remedy: impl Into<String>) -> Mistake {
        self.wrong(Some(self.begins..self.begins), problem, remedy)
    }

    /// Where `key` stands.
    pub(super) fn key_span(&self, key: &str) -> Option<Range<usize>> {
        self.table
            .get_key_value(key)
            .and_then(|(key, _)| key.span())
    }

    /// What stands under `key`, if anything.
    pub(super) fn item(&self, key: &str) -> Option<&'a Item> {
        self.table.get(key).filter(|item| !item.is_none())
    }

    /// What must stand under `key`.
    pub(super) fn needed(&self, key: &str, remedy: &str) -> Result<&'a Item, Mistake> {
        let missing = || {
            let problem = format!("{} has no `{key}`", self.what);
            self.lacks(problem, format!("add {remedy}"))
        };
        self.item(key).ok_or_else(missing)
    }

    /// The text under `key`, if there is one.
    pub(super) fn text(&self, key: &str) -> Result<Option<Spanned<&'a str>>, Mistake> {
        self.item(key)
            .map(|item| self.text_of(key, item))
            .transpose()
    }

    fn text_of(&self, key: &str, item: &'a Item) -> Result<Spanned<&'a str>, Mistake> {
        let span = item.span();
        match item.as_str() {
            Some(value) => Ok(Spanned { value, span }),
            None => Err(self.wrong(
                span,
                format!("`{key}` is {}", kind(item)),
                "write a text in quotes",
            )),
        }
    }

    /// The text under `key`, read as what it means; `example` mends a missing one.
    pub(super) fn parsed<T>(&self, key: &str, example: &str) -> Result<Spanned<T>, Mistake>
    where
        T: FromStr,
        T::Err: ToString,
    {
        let text = self.text_of(key, self.needed(key, example)?)?;
        match text.value.parse() {
            Ok(value) => Ok(Spanned {
                value,
                span: text.span,
            }),
            Err(why) => {
                let why: T::Err = why;
                Err(self.wrong(
                    text.span,
                    format!("`{key}` cannot be `{}`: {}", text.value, why.to_string()),
                    format!("write it as in {example}"),
                ))
            }
        }
    }

    /// The yes or no under `key`.
    pub(super) fn flag(&self, key: &str, remedy: &str) -> Result<bool, Mistake> {
        let item = self.needed(key, remedy)?;
        item.as_bool().ok_or_else(|| {
            let problem = format!("`{key}` is {}", kind(item));
            self.wrong(item.span(), problem, "write `true` or `false`")
        })
    }

    /// The number under `key`.
    pub(super) fn number(&self, key: &str, item: &Item) -> Result<Spanned<i64>, Mistake> {
        let span = item.span();
        match item.as_integer() {
            Some(value) => Ok(Spanned { value, span }),
            None => Err(self.wrong(
                span,
                format!("`{key}` is {}", kind(item)),
                "write a number without quotes",
            )),
        }
    }

    /// The texts of the list under `key`.
    pub(super) fn texts(&self, key: &str, example: &str) -> Result<Vec<Spanned<&'a str>>, Mistake> {
        let item = self.needed(key, example)?;
        let wrong = |span, what: String| {
            self.wrong(
                span,
                what,
                format!("write a list of texts, as in {example}"),
            )
        };
        let Some(list) = item.as_array() else {
            return Err(wrong(item.span(), format!("`{key}` is {}", kind(item))));
        };
        if list.is_empty() {
            return Err(wrong(item.span(), format!("`{key}` is empty")));
        }
        let text = |value: &'a Value| match value.as_str() {
            Some(text) => Ok(Spanned {
                value: text,
                span: value.span(),
            }),
            None => Err(wrong(
                value.span(),
                format!("`{key}` holds what is no text"),
            )),
        };
        list.iter().map(text).collect()
    }

    /// The table under `key`, if there is one, which knows these `keys`.
    pub(super) fn section(
        &self,
        key: &str,
        what: &'a str,
        keys: &'a [&'a str],
    ) -> Result<Option<Section<'a>>, Mistake> {
        let Some(item) = self.item(key) else {
            return Ok(None);
        };
        match item.as_table_like() {
            Some(table) => {
                let span = item.span().or_else(|| self.key_span(key));
                Section::new(self.source, what, keys, table, span).map(Some)
            }
            None => Err(self.wrong(
                item.span(),
                format!("`{key}` is {}", kind(item)),
                "write a table: keys and values between `{` and `}`, or below a heading",
            )),
        }
    }

    /// Its keys with what stands under them, in the order of the file.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, &'a Item)> {
        self.table.iter()
    }
}

/// What an item is, in words.
pub(super) fn kind(item: &Item) -> &'static str {
    match item {
        Item::None => "nothing",
        Item::Table(_) | Item::Value(Value::InlineTable(_)) => "a table",
        Item::ArrayOfTables(_) | Item::Value(Value::Array(_)) => "a list",
        Item::Value(Value::String(_)) => "a text",
        Item::Value(Value::Integer(_)) => "a number",
        Item::Value(Value::Float(_)) => "a number with a point",
        Item::Value(Value::Boolean(_)) => "a yes or no",
        Item::Value(Value::Datetime(_)) => "a time",
    }
}

/// Words in a list for people.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a &'a str>) -> String {
    let words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
