//! Runs a test again as a child process: for environment variables, signals and output.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

/// Set in the child process.
const ARGUMENT: &str = "GLOBUS_GARE_TEST_PROGRAM";

/// How long a program may print nothing. A program that hangs fails the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// The beginning of a reported line.
const REPORT: &str = "report: ";

/// The argument of this child process; `None` in the test itself.
pub fn argument() -> Option<String> {
    env::var(ARGUMENT).ok()
}

/// Reports to the test, on one line.
pub fn report(text: &str) {
    eprintln!("{REPORT}{}", text.replace('\n', " "));
}

/// The path of an example of the package under test.
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("this test");
    let target = test.parent().and_then(Path::parent);
    let program = target.expect("a target directory").join("examples");
    let program = program.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "build it with `cargo build --example {name}`"
    );
    program
}

pub struct Program {
    child: Child,
    printed: Lines<BufReader<ChildStderr>>,
    so_far: String,
}

impl Program {
    /// Starts the calling test as a child process with this argument, and with only these
    /// `variables`. `module` is the test's `module_path!()`.
    pub fn start(module: &str, argument: &str, variables: &[(&str, &str)]) -> Self {
        let (_, module) = module
            .split_once("::")
            .expect("a module of the test binary");
        // The thread of a test has the name of its function.
        let function = thread::current();
        let test = format!("{module}::{}", function.name().expect("a test"));
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture", &test])
            .env_clear()
            // For the coverage of the child process.
            .envs(env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
            .env(ARGUMENT, argument)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let printed = BufReader::new(child.stderr.take().expect("a pipe"));
        Self {
            child,
            printed: printed.lines(),
            so_far: String::new(),
        }
    }

    #[cfg(unix)]
    pub fn id(&self) -> rustix::process::Pid {
        let id = self.child.id().expect("the program runs").cast_signed();
        rustix::process::Pid::from_raw(id).expect("no zero")
    }

    async fn next_line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.printed.next_line()).await;
        let line = line.expect("the program prints within 60 s").expect("text");
        self.so_far
            .extend(line.iter().map(|line| format!("{line}\n")));
        line
    }

    /// Waits for a printed line that contains `text`.
    pub async fn line_with(&mut self, text: &str) -> String {
        let mut before = Vec::new();
        while let Some(line) = self.next_line().await {
            if line.contains(text) {
                return line;
            }
            before.push(line);
        }
        panic!("the program ended without {text:?}: {before:#?}");
    }

    /// The lines that were read so far.
    pub fn printed(&self) -> &str {
        &self.so_far
    }

    /// Waits for the next report.
    pub async fn reported(&mut self) -> String {
        let line = self.line_with(REPORT).await;
        line.split_once(REPORT).expect("just found").1.to_owned()
    }

    /// Kills the program, unless it has ended.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the program ran");
    }

    /// Waits for the end of the program; returns its status and the rest of its output.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let mut printed = String::new();
        while let Some(line) = self.next_line().await {
            printed.extend([line.as_str(), "\n"]);
        }
        (self.child.wait().await.expect("the program ran"), printed)
    }
}
