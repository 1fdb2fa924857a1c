use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::{LoginPrompt, LoginReply, LoginRequest, LoginStatus, UserKey, Waiting};
use globus_gare::reauth::ReauthError;

/// A [`LoginPrompt`] for programs without a person: it waits for a login that any other program of the
/// same store runs, and has somebody told.
///
/// The program leaves a notice in the store. A person sees it by [`AppUser::waiting`](super::AppUser::waiting), as
/// `globus-ls login` shows it, and logs in there; a login by a program in Python that shares the
/// store will do, too. Then the program goes on. A store that is a file is read every 5 seconds.
///
/// It waits as long as the session lets it: set
/// [`login_timeout`](globus_gare::reauth::SessionBuilder::login_timeout), which is 15 minutes by
/// default; a [`max_wait`](globus_gare::reauth::GareOptions::max_wait) of the request ends the wait
/// earlier. After that the caller gets the service's own response, and the notice is gone; that of a
/// program that was killed is gone after a minute.
///
/// Of all programs that wait for the same login of a user one tells it: by an event of `tracing` (`waits for
/// a login elsewhere`, WARN), and by what is set here.
///
/// ```
/// use globus_login::{ElsewherePrompt, GlobusApp};
///
/// let prompt = ElsewherePrompt::new()
///     .on_waiting(|_user, waiting, jobs| eprintln!("{jobs} wait, the first on {}", waiting.by.host()))
///     // Gets a document in JSON on its standard input.
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
    /// A prompt that tells it by an event alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `hook` with the user, the notice, and the number of programs that wait for the same. It
    /// must return at once.
    #[must_use]
    pub fn on_waiting(
        mut self,
        hook: impl Fn(&UserKey, &Waiting, usize) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Runs a command, which gets `{"user": ..., "jobs": ..., "waiting": ...}` on its standard input:
    /// the name of the user, how many programs wait for the same, and the notice with
    /// `by.program`, `by.host`, `by.since` (seconds since 1970), `words` and `required`. Nothing of
    /// it is secret; `words` and `required` come from a service.
    ///
    /// Nobody waits for the command. That it cannot be started is a WARN event.
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
            // It may read as slowly as it likes.
            std::thread::spawn(move || {
                if let Err(error) = run(&program, &arguments, &document.to_string()) {
                    let program = program.display().to_string();
                    tracing::warn!(program, %error, "nobody is told that a login is waited for");
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
        // Whoever does not read it knows enough.
        let _ = writeln!(stdin, "{input}");
    }
    child.wait().map(drop)
}

#[async_trait]
impl LoginPrompt for ElsewherePrompt {
    async fn ask(&self, _: &LoginRequest) -> Result<LoginReply, ReauthError> {
        // The login ends when somebody else's is found in the store.
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
