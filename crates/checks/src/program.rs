//! Runs a test again as a child process: for environment variables, signals and output. Builds
//! examples that tests run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Cargo, ExitStatus, Stdio};
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

/// The variable that a program needs for its coverage to be measured, for programs that get no
/// other variables.
pub fn coverage() -> Option<(&'static str, OsString)> {
    let name = "LLVM_PROFILE_FILE";
    env::var_os(name).map(|file| (name, file))
}

/// The path of an example of the package under test. Builds it if its code has changed: `cargo test
/// --test` does not build the examples.
///
/// An example that is current is not built, since the other packages of the same `cargo test` may
/// have turned on features: without them, cargo would build all dependencies again.
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("this test");
    let profile = test.parent().and_then(Path::parent);
    let profile = profile.expect("target/<profile>/deps");
    let program = profile.join("examples").join(name);
    if !is_current(&program) {
        let mut cargo = Cargo::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--example", name])
            .args(profile.ends_with("release").then_some("--release"))
            .arg("--target-dir")
            .arg(profile.parent().expect("a target directory"))
            .current_dir(env::var_os("CARGO_MANIFEST_DIR").expect("a test that cargo runs"));
        let built = cargo.status().expect("cargo runs");
        assert!(built.success(), "{name} does not build");
    }
    program.with_extension(env::consts::EXE_EXTENSION)
}

/// Whether a program is newer than its sources. Cargo lists them in a file beside it.
fn is_current(program: &Path) -> bool {
    let built = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let Ok(of_program) = built(&program.with_extension(env::consts::EXE_EXTENSION)) else {
        return false;
    };
    let listed = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let mut sources = listed.split_whitespace().skip(1).peekable();
    sources.peek().is_some()
        && sources.all(|path| built(Path::new(path)).is_ok_and(|of_source| of_source <= of_program))
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
            .envs(coverage())
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
