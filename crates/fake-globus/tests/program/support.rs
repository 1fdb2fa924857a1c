//! Starting the program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-globus"));
    command.env("NO_COLOR", "1");
    command.args(arguments);
    command
}

/// How a run ended that ends by itself.
pub(crate) fn ended(arguments: &[&str]) -> Output {
    command(arguments).output().expect("it runs")
}

/// A run that goes on until it is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::with(arguments, |_| {})
    }

    /// Starts it with more than arguments.
    pub(crate) fn with(arguments: &[&str], more: impl FnOnce(&mut Command)) -> Self {
        let mut command = command(arguments);
        more(&mut command);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("it starts");
        let stdout = child.stdout.take().expect("a pipe");
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// Asks it to end as a shell does; gives whether it succeeded.
    pub(crate) fn terminate(&mut self) -> bool {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.expect("kill runs").success());
        self.child.wait().expect("it ends").success()
    }

    /// The variables that it prints for a shell.
    pub(crate) fn variables(&mut self) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        // It is the last one.
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
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
