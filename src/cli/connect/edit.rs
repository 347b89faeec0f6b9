//! [`Edit`]: what connecting changed in a file, so that disconnecting gives back the very bytes.

use serde::{Deserialize, Serialize};

use crate::domain::{credential, sighting, text::escaped};

/// One piece of a text that another took the place of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Edit {
    /// What stood there.
    removed: String,
    /// What stands there now.
    inserted: String,
}

impl Edit {
    /// The smallest piece in which the two differ.
    pub(super) fn between(before: &str, after: &str) -> Self {
        let front = common(before.chars(), after.chars());
        let (before, after) = (&before[front..], &after[front..]);
        let back = common(before.chars().rev(), after.chars().rev());
        Self {
            removed: before[..before.len() - back].to_owned(),
            inserted: after[..after.len() - back].to_owned(),
        }
    }

    /// Whether a value of ours stands in it, which somebody wrote into the file by hand. No value is
    /// kept beside the store.
    pub(super) fn holds_value(&self) -> bool {
        [&self.removed, &self.inserted]
            .into_iter()
            .any(|text| sighting::holds_value(text))
    }

    /// The text as it was, if what was put in stands in it once and unchanged, whatever else changed.
    pub(super) fn undone(&self, text: &str) -> Option<String> {
        if self.inserted.is_empty() {
            return None;
        }
        let mut places = text.match_indices(&self.inserted);
        let (at, _) = places.next()?;
        if places.next().is_some() {
            return None;
        }
        let behind = &text[at + self.inserted.len()..];
        Some(format!("{}{}{behind}", &text[..at], self.removed))
    }
}

/// How many bytes the two have in common from here on.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    let same = one.zip(other).take_while(|(one, other)| one == other);
    same.map(|(c, _)| c.len_utf8()).sum()
}

/// The change from `before` to `after` as people read it: lines that went and came, and three
/// lines around them. Values that stand there are cut down, and a terminal is not steered.
pub(super) fn shown(path: &str, before: Option<&str>, after: &str) -> String {
    const AROUND: usize = 3;
    let old: Vec<_> = before.unwrap_or_default().split_inclusive('\n').collect();
    let new: Vec<_> = after.split_inclusive('\n').collect();
    let front = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - front;
    let back = old.iter().rev().zip(new.iter().rev());
    let back = back.take(rest).take_while(|(a, b)| a == b).count();
    let start = front.saturating_sub(AROUND);
    let reach = |lines: usize| (lines - back + AROUND).min(lines);
    let (old_end, new_end) = (reach(old.len()), reach(new.len()));
    let from = |lines: &[&str]| if lines.is_empty() { 0 } else { start + 1 };
    let mut text = format!(
        "--- {}\n+++ {path}\n@@ -{},{} +{},{} @@\n",
        if before.is_some() { path } else { "/dev/null" },
        from(&old),
        old_end - start,
        from(&new),
        new_end - start,
    );
    let mut add = |mark: char, lines: &[&str]| {
        for line in lines {
            text.push(mark);
            let said = line.trim_end_matches(['\r', '\n']).split('\t').map(escaped);
            text.push_str(&credential::without_values(
                &said.collect::<Vec<_>>().join("\t"),
            ));
            text.push('\n');
            if !line.ends_with('\n') {
                text.push_str("\\ No newline at end of file\n");
            }
        }
    };
    add(' ', &old[start..front]);
    add('-', &old[front..old.len() - back]);
    add('+', &new[front..new.len() - back]);
    add(' ', &old[old.len() - back..old_end]);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_stands_once_can_be_undone(front in "[a-z\n ]{0,20}", old in "[a-z]{0,9}", back in "[a-zé\n ]{0,20}") {
            let before = format!("{front}{old}{back}");
            let after = format!("{front}\"KEYWRIGHT\"{back}");
            let edit = Edit::between(&before, &after);
            prop_assert_eq!(edit.undone(&after), Some(before));
        }
    }

    #[test]
    fn what_stands_twice_or_not_at_all_is_left_alone() {
        let edit = Edit::between("a", "aXY");
        assert_eq!(edit.undone("XY XY"), None);
        assert_eq!(edit.undone("X Y"), None);
        assert_eq!(edit.undone("bXYc").as_deref(), Some("bc"));
    }

    #[test]
    fn a_change_is_shown_with_the_lines_around_it() {
        let text = shown("/f", Some("1\n2\n3\n4\n5\n"), "1\n2\n3\n4\nnew\n5\n");
        assert_eq!(
            text,
            "--- /f\n+++ /f\n@@ -2,4 +2,5 @@\n 2\n 3\n 4\n+new\n 5\n"
        );
        let text = shown("/f", Some("\t1\r\n"), "\t2\u{1b}[31m\r\n");
        assert!(text.ends_with("\n-\t1\n+\t2\\u{1b}[31m\n"), "{text}");
        let text = shown("/f", None, "1\n");
        assert_eq!(text, "--- /dev/null\n+++ /f\n@@ -0,0 +1,1 @@\n+1\n");
    }
}
