//! Starts the program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-globus"));
    command.env("NO_COLOR", "1");
    command.args(arguments);
    command
}

/// Runs the program until it ends by itself.
pub(crate) fn ended(arguments: &[&str]) -> Output {
    command(arguments).output().expect("an output")
}

/// The running program. It is killed when this value is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// `None` once nobody reads them.
    told: Option<Lines<BufReader<ChildStderr>>>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::with(arguments, |_| {})
    }

    /// Starts the program, with further settings of the command.
    pub(crate) fn with(arguments: &[&str], more: impl FnOnce(&mut Command)) -> Self {
        let mut command = command(arguments);
        more(&mut command);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("a process");
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
            told: Some(BufReader::new(stderr).lines()),
        }
    }

    /// Sends SIGTERM. Returns whether the program ended with success.
    pub(crate) fn terminate(&mut self) -> bool {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.expect("kill runs").success());
        self.child.wait().expect("an end").success()
    }

    /// The lines for people, up to the hint on how to stop the program.
    pub(crate) fn told(&mut self) -> Vec<String> {
        let told = self.told.as_mut().expect("a reader");
        let lines = told.map(|line| line.expect("text"));
        lines
            .take_while(|line| !line.starts_with("Press"))
            .collect()
    }

    /// Closes the pipe with the lines for people.
    pub(crate) fn close_messages(&mut self) {
        self.told = None;
    }

    /// The variables for a shell.
    pub(crate) fn variables(&mut self) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        // The last variable.
        while !variables.contains_key("FAKE_GLOBUS_COLLECTION") {
            let line = self.lines.next().expect("a line").expect("text");
            let assignment = line.strip_prefix("export ").expect("a variable");
            let (name, value) = assignment.split_once('=').expect("a value");
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The program may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
