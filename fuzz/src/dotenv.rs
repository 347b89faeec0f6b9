//! Dotenv files, of which one key is changed and the rest stays byte for byte.

use keywright::cli::fuzzing::dotenv;

const OLD: &str = "kw_pat_old";
const NEW: &str = "kw_pat_new";

pub fn look(data: &[u8]) {
    for key in ["KEY", "A_TOKEN"] {
        change(data, key);
    }
}

fn change(data: &[u8], key: &str) {
    let Some(once) = dotenv(data, key, OLD) else {
        return;
    };
    let text = str::from_utf8(&once).expect("only text is changed");
    let twice = dotenv(&once, key, OLD).expect("what was written is understood");
    assert_eq!(*twice, *once, "{text:?}");
    let other = dotenv(&once, key, NEW).expect("what was written is understood");
    assert_eq!(other.len(), once.len(), "{text:?}");
    let back = dotenv(&other, key, OLD).expect("what was written is understood");
    assert_eq!(*back, *once);

    // The value stands once where it did not, and nothing but a piece in one place differs.
    let before = str::from_utf8(data).expect("only text is changed");
    assert!(text.matches(OLD).count() <= before.matches(OLD).count() + 1);
    let same = |one: &[u8], two: &[u8]| one.iter().zip(two).take_while(|(a, b)| a == b).count();
    let front = same(&once, &other);
    let written = &once[front - (OLD.len() - 3)..];
    assert!(written.starts_with(OLD.as_bytes()), "{text:?}");
    let head = &once[..front - (OLD.len() - 3)];
    let tail = &written[OLD.len()..];
    if data.starts_with(head) {
        assert!(data.ends_with(tail), "{before:?} became {text:?}");
    } else {
        // It was not there, and stands at the end.
        assert!(head.starts_with(data) && tail.trim_ascii().is_empty());
        assert!(head.ends_with(format!("{key}=").as_bytes()));
    }
    // The line of the value says whose it is.
    let line = head.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line = line
        .trim_start_matches('\u{feff}')
        .trim_start_matches([' ', '\t']);
    let line = line.strip_prefix("export").map_or(line, str::trim_start);
    assert!(line.starts_with(key), "{text:?}");
}
