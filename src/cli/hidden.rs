//! What a person types at a terminal, and nobody sees: a token, say.

use std::io::{self, BufRead, IsTerminal as _, Read as _, Stdin};

use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices as Special, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use super::output;
use crate::domain::credential::LONGEST;

const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACE: [u8; 2] = [8, 127];

/// Whether there is somebody to ask.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for one line. It is not shown while it is typed, and wiped when it is dropped.
pub(super) fn ask(question: &str) -> io::Result<Zeroizing<String>> {
    let typed = {
        let terminal = Silent::new(io::stdin())?;
        output::tell(question);
        line(&mut terminal.stdin.lock())
    };
    let typed = typed?;
    std::str::from_utf8(&typed)
        .map(|text| Zeroizing::new(text.trim().to_owned()))
        .map_err(|_| io::Error::other("expected text in UTF-8"))
}

/// A terminal that shows nothing of what is typed, until this is dropped. It hands every key on, a
/// Ctrl-C too: one that ended us here would leave the terminal silent.
struct Silent {
    stdin: Stdin,
    before: Termios,
}

impl Silent {
    fn new(stdin: Stdin) -> io::Result<Self> {
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        silent.control_chars[Special::VMIN as usize] = 1;
        silent.control_chars[Special::VTIME as usize] = 0;
        tcsetattr(&stdin, SetArg::TCSANOW, &silent)?;
        Ok(Self { stdin, before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // There is nothing to be done if the terminal is gone.
        tcsetattr(&self.stdin, SetArg::TCSANOW, &self.before).ok();
    }
}

/// The keys up to the end of the line, without those that were taken back.
fn line(keys: &mut impl BufRead) -> io::Result<Zeroizing<Vec<u8>>> {
    // Reserved whole, so that growing leaves no copy behind.
    let mut typed = Zeroizing::new(Vec::with_capacity(LONGEST));
    for key in keys.bytes() {
        match key? {
            b'\n' | b'\r' | END => return Ok(typed),
            INTERRUPT => return Err(io::ErrorKind::Interrupted.into()),
            key if BACKSPACE.contains(&key) => {
                typed.pop();
            }
            _ if typed.len() == LONGEST => {
                return Err(io::Error::other("it is too long for a token"));
            }
            key => typed.push(key),
        }
    }
    Ok(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_was_typed_and_not_taken_back() {
        assert_eq!(**line(&mut &b"abx\x7fc\rd"[..]).unwrap(), *b"abc");
        assert_eq!(**line(&mut &b"\x08ab"[..]).unwrap(), *b"ab");
    }

    #[test]
    fn an_interrupt_ends_the_question() {
        let ended = line(&mut &b"ab\x03c\n"[..]).unwrap_err();

        assert_eq!(ended.kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn what_is_too_long_for_a_token_is_not_kept() {
        assert!(line(&mut vec![b'x'; LONGEST + 1].as_slice()).is_err());
    }
}
