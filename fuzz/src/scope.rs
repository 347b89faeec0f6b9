//! Scopes: one, and lists of them as people type them.

use keywright::domain::scope::{MOST, OURS, Reach, Scope, Scopes, words};

pub fn look(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    one(text);
    text.lines().for_each(one);
    many(text);
}

fn one(text: &str) {
    let read = text.parse::<Scope>();
    assert_eq!(read.is_ok(), is_scope(text), "{text:?}");
    if let Err(why) = read {
        // It says what is wrong, and steers no terminal.
        assert!(!why.to_string().chars().any(char::is_control));
        return;
    }
    let scope = read.unwrap();
    assert_eq!(scope.as_str(), text);
    assert_eq!(scope.to_string(), text);
    assert_eq!(
        scope.is_service(),
        !OURS.iter().any(|ours| ours.as_str() == text)
    );
    // Nothing holds it that was not given it by name, but for what holds everything.
    let alone = Scopes::typed(text).unwrap();
    assert!(Reach::Exactly(alone.clone()).holds(&scope));
    assert!(!Reach::Exactly(Scopes::default()).holds(&scope));
    let services = Reach::WithEveryService(Scopes::default());
    assert_eq!(services.holds(&scope), scope.is_service());
}

/// The grammar, once more.
fn is_scope(text: &str) -> bool {
    let nouns = ["tokens", "secrets", "envs", "audit", "account"];
    let mut parts = text.split(':');
    let (Some(verb), Some(noun), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_word = |word: &str| {
        let mut letters = word.chars();
        letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    text.len() <= MOST
        && is_word(verb)
        && is_word(noun)
        && (!nouns.contains(&noun) || OURS.iter().any(|ours| ours.as_str() == text))
}

fn many(text: &str) {
    let Ok(scopes) = Scopes::typed(text) else {
        return;
    };
    let typed: Vec<_> = words(text).collect();
    assert!(typed.len() <= MOST);
    assert!(typed.iter().all(|word| is_scope(word)));
    let written = scopes.to_string();
    let again = Scopes::typed(&written).unwrap();
    assert_eq!(again, scopes);
    assert_eq!(again.to_string(), written);
    assert!(scopes.iter().all(|scope| typed.contains(&scope.as_str())));
    assert!(
        typed
            .iter()
            .all(|word| scopes.contains(&word.parse().unwrap()))
    );
    assert_eq!(scopes.both(&scopes), scopes);
    assert_eq!(scopes.or(&scopes), scopes);
    assert_eq!(Reach::Exactly(scopes.clone()).lacks(&scopes), None);
    for scope in scopes.iter() {
        let fewer = scopes.clone().without(scope);
        assert!(!fewer.contains(scope));
        assert_eq!(Reach::Exactly(fewer).lacks(&scopes), Some(scope));
    }
}
