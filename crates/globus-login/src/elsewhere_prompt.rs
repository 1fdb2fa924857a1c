use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::{LoginPrompt, LoginReply, LoginRequest, LoginStatus, UserKey, Waiting};
use globus_gare::reauth::ReauthError;

/// A [`LoginPrompt`] for programs that cannot ask a person: it waits for a login with another
/// program on the same store, and notifies a person.
///
/// The program posts a notice in the store. Another program shows the notice
/// ([`AppUser::waiting`](super::AppUser::waiting)) and logs in, for example `globus-ls login`. A
/// login by a Python program with the same store works as well. Then the waiting program continues.
/// A store on a disk is read every 5 seconds.
///
/// A login for a request waits for the session's
/// [`login_timeout`](globus_gare::reauth::SessionBuilder::login_timeout) (default: 15 minutes).
/// After that, the caller gets the service's own response, and the notice is withdrawn. A request
/// with a shorter [`max_wait`](globus_gare::reauth::GareOptions::max_wait) gets its response
/// earlier; the login and its notice stay. [`GlobusApp::login`](super::GlobusApp::login) waits
/// without limit. The notice of a killed program expires after a minute.
///
/// Of all programs that wait for the same login of a user, one notifies: with a WARN event
/// (`waits for a login elsewhere`), and in the ways that are set here.
///
/// ```
/// use globus_login::{ElsewherePrompt, GlobusApp};
///
/// let prompt = ElsewherePrompt::new()
///     .on_waiting(|_user, waiting, jobs| eprintln!("{jobs} wait, the first on {}", waiting.by.host()))
///     // Reads a JSON document from its standard input.
///     .command("notify-send-globus", ["--urgent"]);
/// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").prompt(prompt).build()?;
/// # Ok::<(), globus_login::SetupError>(())
/// ```
#[derive(Clone, Default)]
pub struct ElsewherePrompt {
    hooks: Vec<Hook>,
}

type Hook = Arc<dyn Fn(&UserKey, &Waiting, usize) + Send + Sync>;

impl ElsewherePrompt {
    /// Makes a prompt that notifies with an event only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `hook` with the user, the notice, and the number of programs that wait for the same
    /// login. It must return at once.
    #[must_use]
    pub fn on_waiting(
        mut self,
        hook: impl Fn(&UserKey, &Waiting, usize) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Runs a command with `{"user": ..., "jobs": ..., "waiting": ...}` on its standard input: the
    /// name of the user, the number of programs that wait for the same login, and the notice with
    /// `by.program`, `by.host`, `by.since` (seconds since the Unix epoch), `words` and `required`.
    /// None of this is secret. `words` and `required` are text of a service: do not trust it.
    ///
    /// The program does not wait for the command. A WARN event reports a command that cannot be
    /// started.
    #[must_use]
    pub fn command(
        self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Self {
        let program = program.as_ref().to_owned();
        let arguments = arguments.into_iter();
        let arguments: Vec<_> = arguments.map(|it| it.as_ref().to_owned()).collect();
        self.on_waiting(move |user, waiting, jobs| {
            let document = json!({"user": user.user(), "jobs": jobs, "waiting": waiting});
            let (program, arguments) = (program.clone(), arguments.clone());
            // On a thread: the command may read slowly.
            std::thread::spawn(move || {
                if let Err(error) = run(&program, &arguments, &document.to_string()) {
                    let program = program.display().to_string();
                    tracing::warn!(program, %error, "command for a waiting login failed");
                }
            });
        })
    }
}

fn run(program: &OsStr, arguments: &[OsString], input: &str) -> std::io::Result<()> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // The command need not read it.
        let _ = writeln!(stdin, "{input}");
    }
    child.wait().map(drop)
}

#[async_trait]
impl LoginPrompt for ElsewherePrompt {
    async fn ask(&self, _: &LoginRequest) -> Result<LoginReply, ReauthError> {
        // The login ends, and this is dropped, when another program's login is in the store.
        std::future::pending().await
    }

    fn status(&self, status: &LoginStatus) {
        let LoginStatus::WaitsElsewhere {
            user,
            waiting,
            jobs,
        } = status
        else {
            return;
        };
        tracing::warn!(
            user = user.user(),
            jobs,
            program = waiting.by.program(),
            host = waiting.by.host(),
            "waits for a login elsewhere"
        );
        for hook in &self.hooks {
            hook(user, waiting, *jobs);
        }
    }

    fn waits_elsewhere(&self) -> bool {
        true
    }
}

impl fmt::Debug for ElsewherePrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElsewherePrompt")
            .field("hooks", &self.hooks.len())
            .finish()
    }
}
