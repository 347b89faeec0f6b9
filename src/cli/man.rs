//! `keywright man`: the manual pages, from the definition that also parses the commands. It needs
//! no store.

use std::{fs, path::Path};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::{args::Keywright, error::Failure, output, token::written};

/// Prints the page of the command named by `words`, or writes all pages into the folder `out`.
pub(super) fn run(words: &[String], out: Option<&Path>) -> Result<(), Failure> {
    let mut program = Keywright::command().disable_help_subcommand(true);
    program.build();
    let Some(folder) = out else {
        let mut asked = &program;
        for word in words {
            asked = asked.find_subcommand(word).ok_or_else(|| {
                Failure::Misuse("there is no such command: see `keywright --help`".to_owned())
            })?;
        }
        return written(page(asked).and_then(|page| output::write(&page)));
    };
    let write = || {
        fs::create_dir_all(folder)?;
        write_all(&program, folder)
    };
    Ok(write().with_context(|| format!("the manual pages in `{}`", folder.display()))?)
}

/// Writes the page of `command`, and those of the commands in it.
fn write_all(command: &Command, folder: &Path) -> std::io::Result<()> {
    let name = Man::new(command.clone()).get_filename();
    fs::write(folder.join(name), page(command)?)?;
    command
        .get_subcommands()
        .try_for_each(|command| write_all(command, folder))
}

/// The page of `command`. The library would run the lines of an example together, so that what
/// stands below the options on the screen is set here.
fn page(command: &Command) -> std::io::Result<String> {
    let program = concat!("keywright ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone())
        .source(program)
        .manual("Keywright");
    let (remarks, examples) = below(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if !remarks.is_empty() {
        page.extend_from_slice(format!(".PP\n{}", set(&remarks)).as_bytes());
    }
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if !examples.is_empty() {
        let section = format!(".SH EXAMPLES\n.nf\n{}.fi\n", set(&examples));
        page.extend_from_slice(section.as_bytes());
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// What stands below the options of `command`: remarks, and examples.
fn below(command: &Command) -> (Vec<String>, Vec<String>) {
    let text = command.get_after_help().map(ToString::to_string);
    let text = text.unwrap_or_default();
    let mut lines = text.lines().map(|line| line.trim().to_owned());
    let remarks = lines
        .by_ref()
        .take_while(|line| !line.starts_with("Example"));
    let remarks = remarks.filter(|line| !line.is_empty()).collect();
    (remarks, lines.collect())
}

/// Lines as a page takes them: nothing in them is a command to the typesetter.
fn set(lines: &[String]) -> String {
    let set = lines.iter().map(|line| {
        let line = line.replace('\\', r"\e").replace('-', r"\-");
        let guard = if line.starts_with(['.', '\'']) {
            r"\&"
        } else {
            ""
        };
        format!("{guard}{line}\n")
    });
    set.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_stays_as_it_is_typed() {
        let lines = [".x".to_owned(), r"a\b --c".to_owned()];

        assert_eq!(set(&lines), "\\&.x\na\\eb \\-\\-c\n");
    }
}
