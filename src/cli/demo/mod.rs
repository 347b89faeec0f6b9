//! `keywright demo`: the main job, seen, and with `--attack` what is refused. A real `keywright mcp`
//! is started as an MCP client starts it, and asked as an agent asks; a person's commands are run as
//! a person types them. Every line that is shown is what a process said.

mod attack;
mod session;

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::{error::Failure, output};
use crate::{
    config::env,
    domain::{id::RequestId, text::quoted},
};
use session::Session;

/// Plays the whole of it on a throw-away store, which is gone afterwards: the main job, or the
/// attacks on it.
pub(super) async fn run(attack: bool) -> Result<(), Failure> {
    // Processes and pipes block, and the story has nothing else to wait for.
    let told = tokio::task::spawn_blocking(move || {
        let stage = Stage::build()?;
        if attack {
            attack::play(&stage)
        } else {
            stage.play()
        }
    });
    told.await.map_err(anyhow::Error::new)??;
    Ok(())
}

/// A throw-away store, and the program that is shown.
struct Stage {
    folder: PathBuf,
    program: PathBuf,
}

impl Stage {
    fn build() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("keywright-demo-{}", RequestId::fresh()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("a folder for the demo, `{}`", folder.display()))?;
        let program = std::env::current_exe().context("where this program is")?;
        Ok(Self { folder, program })
    }

    fn store(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    fn play(&self) -> anyhow::Result<()> {
        say("An agent's session: `keywright mcp --local`, as an MCP client starts it.");
        let mut agent = Session::local(self, None)?;
        let me = agent.call("whoami", &json!({}))?;
        ensure!(
            me["current_token"].is_null(),
            "the local session has a token"
        );

        say("The agent asks for a token for a nightly job. It gets a claim, not the value.");
        let made = agent.call(
            "create_token",
            &json!({ "label": "nightly export", "scopes": ["read:notes"], "expires": "12h" }),
        )?;
        ensure!(made.get("token").is_none(), "a value reached the agent");
        let id = text(&made, "id")?;

        say(
            "The person runs the claim's command. Their terminal shows the value; the agent never does.",
        );
        let value = self.claim(text(&made["claim"], "code")?)?;

        say("The agent lists its tokens: records, never values.");
        agent.call("list_tokens", &json!({}))?;

        say("The nightly job starts with the value in `KEYWRIGHT_TOKEN`, in a process of its own.");
        let mut job = Session::with_token(self, &value)?;
        let it = job.call("whoami", &json!({}))?;
        ensure!(
            it["current_token"]["id"] == id,
            "the value authenticates another token"
        );

        say("The person gives themselves a CLI token, the one kind that can be shown again.");
        self.person(&["cli-token", "set", "--scopes", "read:notes"])?;
        say("The agent asks to see it. It lacks `read:secrets`, and is told what to do.");
        agent.refused("reveal_user_token", &json!({}), "insufficient_scope")?;

        say("The person starts another session that holds `read:secrets`. It may see it.");
        let scopes = "read:tokens write:tokens delete:tokens read:secrets read:audit";
        let mut trusted = Session::local(self, Some(scopes))?;
        let shown = trusted.call("reveal_user_token", &json!({}))?;
        ensure!(shown["token"].is_string(), "nothing was revealed");
        trusted.end()?;

        say(
            "The agent rotates the job's token. The id stays; until the claim, the old value stands.",
        );
        let turned = agent.call("rotate_token", &json!({ "id": id }))?;
        let newer = self.claim(text(&turned["claim"], "code")?)?;
        say("From the claim on the old value is refused: the running job's next call says so.");
        job.refused("whoami", &json!({}), "unauthenticated")?;
        job.end()?;
        let mut job = Session::with_token(self, &newer)?;
        job.call("whoami", &json!({}))?;

        say("The agent deletes the token, while the job runs with it.");
        agent.call("delete_token", &json!({ "id": id }))?;
        say("The job's next call is refused, at once.");
        job.refused("whoami", &json!({}), "unauthenticated")?;
        job.end()?;
        let heard = agent.end()?;

        say("What happened, as the audit trail tells it, newest first.");
        self.person(&["audit", "list"])?;
        say("And whether anybody rewrote it.");
        self.person(&["audit", "verify"])?;

        let values = [&value, &newer];
        ensure!(
            values.iter().all(|value| !heard.contains(value.as_str())),
            "a value reached the agent"
        );
        say(&format!(
            "The agent received {} bytes. Neither of the token's two values is in them.",
            heard.len()
        ));
        Ok(())
    }

    /// What the person types is shown, and what the program answers.
    fn person(&self, words: &[&str]) -> anyhow::Result<String> {
        tell(&format!("  person   $ {}", typed(words)));
        let done = self
            .command()
            .args(words)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(done.status.success(), "`{}` failed", typed(words));
        let said = String::from_utf8(done.stdout)?;
        for line in said.lines() {
            tell(&format!("           {line}"));
        }
        Ok(said)
    }

    /// The person picks a value up. Their terminal would show it whole; here only what is always
    /// visible of it is shown.
    fn claim(&self, code: &str) -> anyhow::Result<String> {
        self.value(&["claim", code])
    }

    /// What the person types that ends with a value on their terminal.
    fn value(&self, words: &[&str]) -> anyhow::Result<String> {
        tell(&format!("  person   $ {}", typed(words)));
        // A pipe is no terminal: the demo reads the value in the person's place.
        let done = self
            .command()
            .args(words)
            .args(["--to", "stdout"])
            .output()?;
        let (value, aside) = (
            String::from_utf8(done.stdout)?,
            String::from_utf8(done.stderr)?,
        );
        ensure!(done.status.success(), "`{}` failed: {aside}", typed(words));
        let value = value.trim().to_owned();
        ensure!(value.len() == 56, "`{}` printed no value", typed(words));
        tell(&format!("           {}", session::veiled(&value)));
        tell(&format!("           {}", aside.trim()));
        Ok(value)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_remove(env::TOKEN.name);
        command.env_remove(env::KEY_FILE.name);
        command.arg("--store").arg(self.store());
        command
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A command, as it is typed.
fn typed(words: &[&str]) -> String {
    let words = words.iter().map(quoted);
    format!("keywright {}", words.collect::<Vec<_>>().join(" "))
}

fn say(what: &str) {
    tell(&format!("\n{what}"));
}

fn tell(line: &str) {
    // Nobody is left to be told that nobody reads.
    drop(output::write(&format!("{line}\n")));
}

fn text<'a>(answer: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    match answer[field].as_str() {
        Some(text) => Ok(text),
        None => bail!("the answer has no `{field}`"),
    }
}
