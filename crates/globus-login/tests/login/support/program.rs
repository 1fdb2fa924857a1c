//! A program of its own, for what is set in the environment, or said and listened for by a process.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

/// Set where this process is such a program.
const HERE: &str = "GLOBUS_GARE_TEST_PROGRAM";

/// How long a program may say nothing: one that hangs fails the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands before what the program found out.
const FOUND: &str = "found: ";

/// What the test told its program; nothing where this is the test itself.
pub(crate) fn told() -> Option<String> {
    env::var(HERE).ok()
}

/// Tells the test what the program found out, on one line.
pub(crate) fn found(text: &str) {
    eprintln!("{FOUND}{}", text.replace('\n', " "));
}

pub(crate) struct Program {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
}

impl Program {
    /// Runs the test `name` again as a program that is told `what`, with only these `variables`.
    pub(crate) fn start(name: &str, what: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture", name])
            .env_clear()
            .env(HERE, what)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        Self {
            child,
            said: said.lines(),
        }
    }

    #[cfg(unix)]
    pub(crate) fn id(&self) -> rustix::process::Pid {
        let id = self.child.id().expect("it runs").cast_signed();
        rustix::process::Pid::from_raw(id).expect("no zero")
    }

    /// The next line that it says with `text` in it.
    pub(crate) async fn says(&mut self, text: &str) -> String {
        let mut heard = Vec::new();
        let next = async |said: &mut Lines<_>| {
            let line = timeout(PATIENCE, said.next_line()).await;
            line.expect("it says more").expect("text")
        };
        while let Some(line) = next(&mut self.said).await {
            if line.contains(text) {
                return line;
            }
            heard.push(line);
        }
        panic!("it never says {text:?}: {heard:#?}");
    }

    /// What it found out.
    pub(crate) async fn finds(&mut self) -> String {
        let line = self.says(FOUND).await;
        line.split_once(FOUND).expect("just found").1.to_owned()
    }
}
