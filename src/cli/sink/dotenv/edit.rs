//! A dotenv file with one value changed. Everything else stays as it is, byte for byte, and a text
//! that is not understood is not changed at all.
//!
//! Programs read such files in different ways. Where they would disagree on where a value ends, the
//! text counts as not understood.

use std::ops::Range;

use zeroize::Zeroizing;

/// What stands between words. To some programs other characters do so, too, to others they do not.
const BLANK: [char; 2] = [' ', '\t'];

/// To some a line ends there, to others it does not.
const ENDS_SOME: [char; 7] = [
    '\0', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
];

/// The text cannot be changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(in crate::cli) enum EditError {
    /// It is no text.
    #[error("is not text in UTF-8")]
    NotText,
    /// A value has no end that everybody agrees on.
    #[error("has a quote in line {0} that is not closed; close it, or put the value in quotes")]
    Quote(usize),
    /// A line is none of a dotenv file.
    #[error("cannot be understood in line {0}; write it as `KEY=value`, or as a comment")]
    Line(usize),
    /// Nobody knows which of the two counts.
    #[error("has the key twice, in lines {0} and {1}; take one of them out")]
    Twice(usize, usize),
}

/// Where the value of a key is, or would be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::cli) struct Place {
    /// What of the text the value is.
    range: Range<usize>,
    /// What goes in front of it.
    before: String,
    /// What goes behind it.
    behind: &'static str,
    /// Whether it takes the place of another.
    pub(super) replaces: bool,
    /// Whether the line begins with `export `.
    pub(super) exported: bool,
}

/// A key and its value.
#[derive(Debug, Eq, PartialEq)]
struct Entry<'a> {
    line: usize,
    key: &'a str,
    exported: bool,
    value: Range<usize>,
    /// Whether it is plain where the value ends.
    is_plain: bool,
}

/// Where in `text` the value of `key` goes.
pub(in crate::cli) fn place(text: &[u8], key: &str) -> Result<Place, EditError> {
    let text = str::from_utf8(text).map_err(|_| EditError::NotText)?;
    let entries = entries(text)?;
    let mut ours = entries.iter().filter(|entry| entry.key == key);
    match (ours.next(), ours.next()) {
        (Some(first), Some(second)) => Err(EditError::Twice(first.line, second.line)),
        (Some(entry), None) if !entry.is_plain => Err(EditError::Line(entry.line)),
        (Some(entry), None) => Ok(Place {
            range: entry.value.clone(),
            before: String::new(),
            behind: "",
            replaces: true,
            exported: entry.exported,
        }),
        (None, _) => {
            let end = match text.find('\n') {
                Some(at) if text[..at].ends_with('\r') => "\r\n",
                Some(_) | None => "\n",
            };
            // A file that ends without the end of a line goes on to do so.
            let begun = !is_blank(text) && !text.ends_with('\n');
            Ok(Place {
                range: text.len()..text.len(),
                before: format!("{}{key}=", if begun { end } else { "" }),
                behind: if begun { "" } else { end },
                replaces: false,
                exported: false,
            })
        }
    }
}

/// `text` with `value` at `place`. It fits there without quotes, or in those that it has.
pub(in crate::cli) fn with(text: &[u8], place: &Place, value: &str) -> Zeroizing<Vec<u8>> {
    let parts = [
        &text[..place.range.start],
        place.before.as_bytes(),
        value.as_bytes(),
        place.behind.as_bytes(),
        &text[place.range.end..],
    ];
    // Reserved whole, so that growing leaves no copy behind.
    let mut new = Zeroizing::new(Vec::with_capacity(
        parts.iter().map(|part| part.len()).sum(),
    ));
    for part in parts {
        new.extend_from_slice(part);
    }
    new
}

/// Whether `text` is empty, but for the mark that some editors begin a file with.
fn is_blank(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').is_empty()
}

fn entries(text: &str) -> Result<Vec<Entry<'_>>, EditError> {
    let mut entries = Vec::new();
    let (mut at, mut line) = (text.len() - text.trim_start_matches('\u{feff}').len(), 1);
    while at < text.len() {
        let read = entry(text, at, line)?;
        let read_to = read.as_ref().map_or(at, |entry| entry.value.end);
        let end = text[read_to..]
            .find('\n')
            .map_or(text.len(), |end| read_to + end + 1);
        line += text[at..end].matches('\n').count();
        at = end;
        entries.extend(read);
    }
    Ok(entries)
}

/// Reads what begins at `at`; nothing, if no value is set there.
fn entry(text: &str, at: usize, line: usize) -> Result<Option<Entry<'_>>, EditError> {
    let whole = line_at(text, at);
    if whole.contains(ENDS_SOME) {
        return Err(EditError::Line(line));
    }
    let body = whole.trim_start_matches(BLANK);
    if body.starts_with(char::is_whitespace) {
        return Err(EditError::Line(line));
    }
    if body.is_empty() || body.starts_with('#') {
        return Ok(None);
    }
    let unexported = body
        .strip_prefix("export")
        .filter(|rest| rest.starts_with(BLANK))
        .map(|rest| rest.trim_start_matches(BLANK));
    let (exported, named) = (unexported.is_some(), unexported.unwrap_or(body));
    let Some((key, value)) = named.split_once('=') else {
        // A key that is handed on, and not set.
        let is_named = named.split_whitespace().all(is_key);
        let is_one = exported || named.split_whitespace().count() == 1;
        return if is_named && is_one {
            Ok(None)
        } else {
            Err(EditError::Line(line))
        };
    };
    let key = key.trim_end_matches(BLANK);
    if !is_key(key) {
        return Err(EditError::Line(line));
    }
    let begin = at + whole.len() - value.len();
    let (value, is_plain) = value_at(text, begin, line)?;
    Ok(Some(Entry {
        line,
        key,
        exported,
        value,
        is_plain,
    }))
}

/// Where the value is that begins behind the `=` before `at`, and whether that is plain.
fn value_at(text: &str, at: usize, line: usize) -> Result<(Range<usize>, bool), EditError> {
    let rest = line_at(text, at);
    let first = rest.trim_start_matches(BLANK);
    let begin = at + rest.len() - first.len();
    let Some(quote @ ('"' | '\'' | '`')) = first.chars().next() else {
        return unquoted(rest, at, line);
    };
    let end = closing(&text[begin..], quote).map_err(|wrong| match wrong {
        Wrong::Unclosed => EditError::Quote(line),
        Wrong::Ambiguous => EditError::Line(line),
    })?;
    let end = begin + end;
    let behind = line_at(text, end);
    if behind.contains(ENDS_SOME) {
        return Err(EditError::Line(line));
    }
    if !is_closed(behind) {
        return Err(EditError::Quote(line));
    }
    // What is glued to the quote would be glued to a value without quotes, and be a part of it.
    let said = behind.trim_start_matches(BLANK);
    let is_comment = said.starts_with('#') && said.len() < behind.len();
    Ok((begin..end, said.is_empty() || is_comment))
}

/// A value without quotes: it ends with its line, or before a comment.
fn unquoted(rest: &str, at: usize, line: usize) -> Result<(Range<usize>, bool), EditError> {
    let comment = rest
        .match_indices('#')
        .find(|(place, _)| rest[..*place].ends_with(BLANK));
    let end = comment.map_or(rest.len(), |(place, _)| place);
    let said = rest[..end].trim_end_matches(BLANK);
    if !is_closed(said) {
        return Err(EditError::Quote(line));
    }
    let value = said.trim_start_matches(BLANK);
    let opened = said.matches("$(").count() + usize::from(value.starts_with('('));
    // A shell reads on in the next line.
    if said.ends_with('\\') || opened > said.matches(')').count() {
        return Err(EditError::Line(line));
    }
    if value.is_empty() {
        return Ok((at..at, true));
    }
    let begin = at + said.len() - value.len();
    // To some a comment, to others a value; and what comes behind a blank or a `;` is to a shell
    // another variable, which must not go with this one.
    let sets_more = value.find([' ', '\t', ';', '&', '|']);
    let sets_more = sets_more.is_some_and(|end| value[end..].contains('='));
    let is_plain = !value.starts_with('#') && !sets_more;
    Ok((begin..begin + value.len(), is_plain))
}

/// Why a value in quotes has no end.
enum Wrong {
    Unclosed,
    /// To some a backslash keeps a quote open, to others it does not.
    Ambiguous,
}

/// How long the value in quotes is that `text` begins with.
fn closing(text: &str, quote: char) -> Result<usize, Wrong> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '\0' {
            return Err(Wrong::Ambiguous);
        }
        if c == quote && !escaped {
            return Ok(at + c.len_utf8());
        }
        if c == quote && quote != '"' {
            return Err(Wrong::Ambiguous);
        }
        escaped = c == '\\' && !escaped;
    }
    Err(Wrong::Unclosed)
}

/// Whether a shell finds every quote in `text` closed.
fn is_closed(text: &str) -> bool {
    let (mut open, mut escaped, mut last) = (None, false, ' ');
    for c in text.chars() {
        match open {
            None if escaped => {}
            None if c == '#' && last.is_whitespace() => return true,
            None if matches!(c, '"' | '\'' | '`') => open = Some(c),
            Some(quote) if c == quote && (quote == '\'' || !escaped) => open = None,
            None | Some(_) => {}
        }
        escaped = c == '\\' && !escaped;
        last = c;
    }
    open.is_none()
}

fn is_key(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    !word.is_empty() && word.chars().all(is_part)
}

/// The rest of the line at `at`, without its end. A carriage return is part of that only before a
/// line feed: at the end of the file another line would come behind it.
fn line_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let Some(end) = rest.find('\n') else {
        return rest;
    };
    let line = &rest[..end];
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> Result<String, EditError> {
        let place = place(text.as_bytes(), "KEY")?;
        let new = with(text.as_bytes(), &place, "new");
        Ok(String::from_utf8(new.to_vec()).unwrap())
    }

    #[track_caller]
    fn becomes(text: &str, wanted: &str) {
        assert_eq!(set(text).as_deref(), Ok(wanted), "{text:?}");
    }

    #[test]
    fn a_value_is_changed_where_it_stands() {
        becomes("KEY=old\n", "KEY=new\n");
        becomes("A=1\nKEY=old\nB=2\n", "A=1\nKEY=new\nB=2\n");
        becomes("KEY=\n", "KEY=new\n");
        becomes("KEY=\"old\"\n", "KEY=new\n");
        becomes("KEY='old # no comment'\n", "KEY=new\n");
        becomes("KEY=`old`\n", "KEY=new\n");
        becomes("KEY=\"a \\\" b\"\nB=1\n", "KEY=new\nB=1\n");
        becomes("KEY=\"one\n# two\nKEY=three\"\nB=1\n", "KEY=new\nB=1\n");
        becomes("KEY=a#b=c\n", "KEY=new\n");
        becomes("KEY=your token; here\u{a0}\n", "KEY=new\n");
        becomes(
            "A=1 B=2\n# à\u{a0}b\nKEY=\n",
            "A=1 B=2\n# à\u{a0}b\nKEY=new\n",
        );
    }

    #[test]
    fn what_is_around_the_value_stays() {
        becomes("export KEY=old\n", "export KEY=new\n");
        becomes(
            "\texport  KEY = old  # why\n",
            "\texport  KEY = new  # why\n",
        );
        becomes("KEY= # why\n", "KEY=new # why\n");
        becomes("KEY=\"old\" # it's\n", "KEY=new # it's\n");
        becomes("KEY=old", "KEY=new");
        becomes("A=1\r\nKEY=old\r\nB=2", "A=1\r\nKEY=new\r\nB=2");
        becomes("\u{feff}KEY=old\n", "\u{feff}KEY=new\n");
    }

    #[test]
    fn a_key_that_is_not_there_is_added_at_the_end() {
        becomes("", "KEY=new\n");
        becomes("\u{feff}", "\u{feff}KEY=new\n");
        becomes("A=1\n", "A=1\nKEY=new\n");
        becomes("A=1\r\n", "A=1\r\nKEY=new\r\n");
        becomes("A=1", "A=1\nKEY=new");
        becomes("A=1\r\nB=2", "A=1\r\nB=2\r\nKEY=new");
        becomes(
            "# KEY=old\nexport KEY\nKEYS=1\n",
            "# KEY=old\nexport KEY\nKEYS=1\nKEY=new\n",
        );
        becomes(
            "A=\"\nKEY=not this\n\"\n",
            "A=\"\nKEY=not this\n\"\nKEY=new\n",
        );
        becomes("A='\nKEY=not this'", "A='\nKEY=not this'\nKEY=new");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, why) in [
            ("A=\"open\nKEY=old\n", EditError::Quote(1)),
            ("B=1\nA='open\nKEY=old\n", EditError::Quote(2)),
            ("A=it's\nKEY=old\n", EditError::Quote(1)),
            ("A=\"\"\"\nKEY=old\n\"\"\"\n", EditError::Quote(1)),
            ("A=\"x\" 'y\nKEY=old\n", EditError::Quote(1)),
            ("A='it\\'s'\nKEY=old\n", EditError::Line(1)),
            ("KEY=\"a\"b\n", EditError::Line(1)),
            ("KEY='a'# why\n", EditError::Line(1)),
            ("KEY='a'\u{a0}\n", EditError::Line(1)),
            ("KEY='a\nb' # c\u{2028}B=1\n", EditError::Line(1)),
            ("KEY=#a\n", EditError::Line(1)),
            ("export KEY=1 B=2\n", EditError::Line(1)),
            ("KEY=1; B=2\n", EditError::Line(1)),
            ("A=(\nKEY=old)\n", EditError::Line(1)),
            ("# a\u{2028}KEY=old\n", EditError::Line(1)),
            ("A=1\u{b}KEY=old\n", EditError::Line(1)),
            ("\u{a0}KEY=old\n", EditError::Line(1)),
            ("KEY\u{a0}=old\n", EditError::Line(1)),
            ("A=b\\\nKEY=old\n", EditError::Line(1)),
            ("A=$(cat\nKEY=old\n)\n", EditError::Line(1)),
            ("\nKEY: old\n", EditError::Line(2)),
            ("A=1\rKEY=old\n", EditError::Line(1)),
            ("A=1\r", EditError::Line(1)),
            ("\r\n\r", EditError::Line(2)),
            ("KEY='old'\r", EditError::Line(1)),
            ("if true; then\nKEY=old\nfi\n", EditError::Line(1)),
            ("A=\"two\nlines\"\nset -a\n", EditError::Line(3)),
            ("KEY=1\nA=2\nexport KEY=3\n", EditError::Twice(1, 3)),
        ] {
            assert_eq!(set(text), Err(why), "{text:?}");
        }
        assert_eq!(place(b"A=\xff\n", "KEY"), Err(EditError::NotText));
    }

    /// A line, or several that belong together, as people write them; never of `KEY`.
    fn lines() -> impl Strategy<Value = String> {
        let key = "(export )?[A-JL-Z_][A-Z0-9_]{0,8} ?= ?";
        prop_oneof![
            Just(String::new()),
            "[ \t]{0,3}# ?[ -~é夜]{0,20}",
            (key, "[a-z0-9/:.=]{0,12}( # [ -~]{0,10})?").prop_map(|(key, rest)| key + &rest),
            (key, "'[ -&(-\\[\\]-~\n]{0,20}'").prop_map(|(key, rest)| key + &rest),
            (
                key,
                "\"([ -!#-\\[\\]-~\n]|\\\\\"|\\\\n){0,20}\"( # [ -~]{0,5})?"
            )
                .prop_map(|(key, rest)| key + &rest),
        ]
    }

    proptest! {
        #[test]
        fn everything_but_the_one_value_stays_byte_for_byte(
            before in prop::collection::vec(lines(), 0..6),
            ours in prop::option::of(prop_oneof![
                Just("KEY=old"), Just("export KEY='o l d'  # x"), Just("KEY=\"o\nKEY=l\nd\""), Just("KEY="),
            ]),
            after in prop::collection::vec(lines(), 0..6),
            crlf: bool,
            is_ended: bool,
        ) {
            let is_there = ours.is_some();
            let end = if crlf { "\r\n" } else { "\n" };
            let old: Vec<_> = before.iter().map(String::as_str).chain(ours).chain(after.iter().map(String::as_str)).collect();
            let text = old.join(end) + if is_ended { end } else { "" };

            let found = place(text.as_bytes(), "KEY").unwrap();
            let new = with(text.as_bytes(), &found, "kw_pat_x");

            let (front, back) = (&text.as_bytes()[..found.range.start], &text.as_bytes()[found.range.end..]);
            prop_assert_eq!(found.replaces, is_there);
            prop_assert!(new.starts_with(front) && new.ends_with(back));
            // It is read back where it was put, and nothing else is read in another way.
            let new = str::from_utf8(&new).unwrap();
            let read = |text: &str| {
                let all = entries(text).unwrap().into_iter();
                all.map(|entry| (entry.key.to_owned(), text[entry.value].to_owned())).collect::<Vec<_>>()
            };
            let others = |all: &[(String, String)]| all.iter().filter(|(key, _)| key != "KEY").cloned().collect::<Vec<_>>();
            let ours: Vec<_> = read(new).into_iter().filter(|(key, _)| key == "KEY").collect();
            prop_assert_eq!(ours, [("KEY".to_owned(), "kw_pat_x".to_owned())]);
            prop_assert_eq!(others(&read(new)), others(&read(&text)));
        }

        #[test]
        fn no_text_is_too_odd_to_be_read_or_refused(text in "[ -~\r\n\"'`\\\\#=é\0]{0,60}") {
            if let Ok(found) = place(text.as_bytes(), "KEY") {
                let new = with(text.as_bytes(), &found, "v");
                prop_assert_eq!(place(&new, "KEY").map(|found| found.replaces), Ok(true));
            }
        }
    }
}
