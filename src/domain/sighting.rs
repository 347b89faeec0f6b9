//! [`Sighting`]: a value of ours, or what only looks like one, somewhere in a text. It tells where
//! it stands and its visible prefix, and never the value.

use super::{
    credential::{self, RANDOM_AND_CHECK_DIGITS, TokenPrefix, is_ours, is_value, kinds_in},
    token::Kind,
};

/// No brand is longer.
const LONGEST_BRAND: usize = 16;

/// Something of our shape in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sighting {
    /// Where it begins, in bytes.
    pub at: usize,
    /// Which kind of token it would be.
    pub kind: Kind,
    /// What may be shown of it.
    pub prefix: TokenPrefix,
    /// Whether its checksum fits. Of noise of this shape, one in 57 billion does.
    pub is_genuine: bool,
}

/// Everything of our shape in `text`, whatever its brand, in order. What is glued to a value hides
/// only one that is not genuine.
pub fn values_in(text: &str) -> impl Iterator<Item = Sighting> {
    words(text).flat_map(|(start, word)| {
        kinds_in(word).filter_map(move |(at, digits)| {
            let sighting = seen(word, at, digits)?;
            Some(Sighting {
                at: start + sighting.at,
                ..sighting
            })
        })
    })
}

/// Whether a genuine value of ours stands anywhere in `text`.
pub fn holds_value(text: &str) -> bool {
    values_in(text).any(|sighting| sighting.is_genuine)
}

/// The value whose kind stands behind the `_` at `at`, and its digits at the beginning of `digits`.
fn seen(word: &str, at: usize, digits: &str) -> Option<Sighting> {
    let end = word.len() - digits.len() + RANDOM_AND_CHECK_DIGITS;
    let is_cut_off = !word
        .get(end..)?
        .starts_with(|c: char| c.is_ascii_alphanumeric());
    let brand = word[..at].rsplit('_').next().unwrap_or_default();
    let brand = &brand[brand.len().saturating_sub(LONGEST_BRAND)..];
    // Whatever is glued to its front may be no part of the brand.
    let mut starts = at - brand.len()..at;
    let genuine = starts.clone().find(|&start| is_value(&word[start..end]));
    let start = genuine.or_else(|| {
        let start = starts.find(|&start| is_ours(&word[start..end]));
        start.filter(|_| is_cut_off)
    })?;
    let kind = word[at + 1..].split('_').next()?.parse().ok()?;
    Some(Sighting {
        at: start,
        kind,
        prefix: credential::prefix_of(&word[start..end]),
        is_genuine: genuine.is_some(),
    })
}

/// The runs of characters that a value can consist of, and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut behind = 0;
    text.split_inclusive(move |c| !is_part(c))
        .map(move |piece| {
            let start = behind;
            behind += piece.len();
            (start, piece.trim_end_matches(|c| !is_part(c)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{Brand, PlainToken};

    fn value(brand: &str, kind: Kind) -> PlainToken {
        PlainToken::generate(&brand.parse().unwrap(), kind)
    }

    fn mistyped(value: &str) -> String {
        let (body, last) = value.split_at(value.len() - 1);
        format!("{body}{}", if last == "a" { "b" } else { "a" })
    }

    fn sightings(text: &str) -> Vec<(usize, bool)> {
        let sightings = values_in(text);
        sightings.map(|seen| (seen.at, seen.is_genuine)).collect()
    }

    #[test]
    fn each_value_is_seen_where_it_stands() {
        let (one, two) = (value("kw", Kind::Pat), value("acme7", Kind::Cli));
        let text = format!("é {}, {}", one.expose(), two.expose());

        let seen: Vec<_> = values_in(&text).collect();

        let kinds: Vec<_> = seen.iter().map(|seen| (seen.at, seen.kind)).collect();
        let second = 3 + one.expose().len() + 2;
        assert_eq!(kinds, [(3, Kind::Pat), (second, Kind::Cli)]);
        assert_eq!(seen[0].prefix, one.prefix());
        assert_eq!(seen[1].prefix, two.prefix());
        assert!(seen.iter().all(|seen| seen.is_genuine));
    }

    #[test]
    fn a_value_is_seen_whatever_is_glued_to_it() {
        let value = value("kw", Kind::Pat);
        for (text, at) in [
            (format!("X{}", value.expose()), 1),
            (format!("a_b_{}_c", value.expose()), 4),
            (format!("{}Z", value.expose()), 0),
            (format!("abcdefghijklmnopqrs{}", value.expose()), 19),
        ] {
            assert_eq!(sightings(&text), [(at, true)], "{at}");
            assert!(holds_value(&text), "{at}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_told_apart() {
        let near = mistyped(value("kw", Kind::Cli).expose());
        assert_eq!(sightings(&near), [(0, false)]);
        let placeholder = format!("kw_pat_{}", "x".repeat(49));
        assert_eq!(sightings(&format!("a {placeholder}")), [(2, false)]);
        assert!(!holds_value(&near));
    }

    #[test]
    fn noise_is_not_seen() {
        for noise in [
            String::new(),
            "_pat_".to_owned(),
            "kw_pat_abcd".to_owned(),
            format!("kw_pat_{}", "x".repeat(48)),
            format!("kw_pat_{}", "x".repeat(50)),
            format!("KW_pat_{}", "x".repeat(49)),
            format!("kw_xyz_{}", "x".repeat(49)),
            format!("kw_pat_{}é", "x".repeat(48)),
        ] {
            assert_eq!(sightings(&noise), [], "{noise}");
        }
    }

    #[test]
    fn a_sighting_does_not_show_the_value() {
        let value = PlainToken::generate(&Brand::default(), Kind::Pat);

        let shown = format!("{:?}", values_in(value.expose()).collect::<Vec<_>>());

        assert!(shown.contains(value.prefix().as_str()));
        assert!(!shown.contains(&value.expose()[12..]), "{shown}");
    }
}
