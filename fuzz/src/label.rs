//! Labels, names of people and accounts, and texts for eyes: what cannot be seen does not come in,
//! and is written out on its way out.

use keywright::domain::{
    account::Slug,
    label::{LONGEST, Label},
    sighting,
    text::{escaped, is_unseen, quoted},
    user::{Email, Username},
};
use unicode_normalization::is_nfc;

pub fn look(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    label(&text);
    for_eyes(&text);
    for_a_shell(&text);
    named::<Username>(&text, |name| name.to_string());
    named::<Email>(&text, |email| email.as_str().to_owned());
    named::<Slug>(&text, |slug| slug.to_string());
}

fn label(text: &str) {
    let kept = Label::from_kept(text);
    assert!(!kept.as_str().contains(is_unseen));
    let Ok(label) = Label::parse(text) else {
        return;
    };
    let read = label.as_str();
    assert_eq!(read, read.trim());
    assert!(is_nfc(read));
    assert!((1..=LONGEST).contains(&read.chars().count()));
    assert!(!read.contains(is_unseen), "{read:?}");
    assert!(!read.chars().any(char::is_control));
    assert!(!sighting::holds_value(read));
    assert_eq!(Label::parse(read).as_ref(), Ok(&label));
    assert_eq!(Label::from_kept(read), label);
    assert_eq!(label.to_string(), read);
}

fn for_eyes(text: &str) {
    let shown = escaped(text);
    assert!(!shown.contains(is_unseen));
    assert_eq!(escaped(&shown), shown);
    if !text.contains(is_unseen) {
        assert_eq!(shown, text);
    }
}

/// A shell reads back the very word.
fn for_a_shell(text: &str) {
    let typed = quoted(text);
    let mut read = String::new();
    let mut letters = typed.chars();
    while let Some(c) = letters.next() {
        match c {
            '\'' => read.extend(letters.by_ref().take_while(|c| *c != '\'')),
            '\\' => read.extend(letters.next()),
            plain => {
                assert!(plain.is_ascii_alphanumeric() || "/._-+:@%,=".contains(plain));
                read.push(plain);
            }
        }
    }
    assert_eq!(read, text);
    assert!(!typed.is_empty());
}

/// A name reads back what it writes, and is a visible word.
fn named<T: std::str::FromStr + PartialEq + std::fmt::Debug>(
    text: &str,
    written: impl Fn(&T) -> String,
) where
    T::Err: std::fmt::Debug + std::fmt::Display,
{
    match text.parse::<T>() {
        Ok(name) => {
            let writes = written(&name);
            assert!(
                !writes.is_empty() && !writes.contains(is_unseen),
                "{writes:?}"
            );
            assert!(!sighting::holds_value(&writes), "{writes:?}");
            assert_eq!(writes.parse::<T>().unwrap(), name);
        }
        Err(why) => assert!(!why.to_string().contains(is_unseen)),
    }
}
