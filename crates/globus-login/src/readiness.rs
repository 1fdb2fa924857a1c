//! Whether a login will do for a while, before anything is sent.

use std::time::{Duration, SystemTime};

use super::app::Who;
use super::auth;
use super::collection::TRANSFER;
use super::learning::name;
use super::prompt::at;
use super::scope::{Scope, Scopes};
use super::session::{Missing, Session, began, time};
use super::store::{Learned, Login, LoginRecord, StoredToken};
use super::user::AppUser;
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Origin, ReauthError, Target};

/// What a login is [checked](AppUser::check) for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CheckFor {
    /// A collection, by its id, through Globus Transfer.
    Collection(String),
    /// A service, or a collection's HTTPS server.
    Service(Target),
    /// A requirement, with tokens for all of the program's scopes.
    Requirement(AuthorizationParameters),
}

/// The answer of [`AppUser::check`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Readiness {
    /// As far as is known, the login will do.
    Satisfied {
        /// A login that was this old was refused before, or a token ends.
        until: SystemTime,
    },
    /// It takes a login, or will before the time is over.
    NeedsLogin {
        /// The requirement of the login: for [`AppUser::login_with`]. Empty if any login will do.
        required: AuthorizationParameters,
        /// Why, in words for a person. Parts of it come from a service, on one line.
        words: String,
    },
    /// Nobody can know.
    Unknown {
        /// What is not known, in words for a person.
        words: String,
    },
}

impl AppUser {
    /// Checks whether the login will do for `good_for` from now on, before a request is sent. Nobody is
    /// asked to log in; a token that has expired is refreshed.
    ///
    /// What a collection or a service requires is not published. It is learned from its challenges: whenever
    /// a challenge starts a login, the requirement is kept in the [record](LoginRecord::learned), and how
    /// old the refused login was if it had satisfied that very requirement. Programs that share the store
    /// share what was learned. The rules, in this order:
    ///
    /// | what is known | answer |
    /// | --- | --- |
    /// | no token that is good or can be refreshed | needs a login |
    /// | a token that ends before the time is over, and cannot be refreshed | needs a login |
    /// | the last login is the one that was refused | needs a login |
    /// | a consent that is missing, by the record or by Globus Auth's Consents API | needs a login |
    /// | Globus Auth tells of the session that a required identity, or its second factor, is missing | needs a login |
    /// | no challenge | unknown |
    /// | the last login is by a program without records, or was not for the requirement | unknown |
    /// | no login that had satisfied the requirement was refused so far | unknown |
    /// | the login will be as old as one that was refused although it had satisfied the requirement | needs a login |
    /// | it will be younger than any such one | satisfied |
    ///
    /// The age of a refused login is an upper bound: a session that ended while nobody sent a request
    /// looks longer than it was, until it is refused earlier. Globus Auth tells the times of a session to clients
    /// with a secret; others take the time of the login from the record.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use globus_gare::reauth::Principal;
    /// use globus_login::{CheckFor, GlobusApp, Readiness};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").app_name("night run").build()?;
    /// let user = app.for_user(&Principal::Session);
    /// let collection = CheckFor::Collection("6c54cade-bde5-45c1-bdea-f4bd71dba2cc".to_owned());
    /// match user.check(&collection, Duration::from_secs(12 * 3600)).await? {
    ///     Readiness::NeedsLogin { required, words } => {
    ///         eprintln!("{words}");
    ///         user.login_with(required).await?;
    ///     }
    ///     readiness => println!("{readiness:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Where no resource server is known for a service, the store cannot be read, or Globus Auth cannot be
    /// asked now.
    pub async fn check(
        &self,
        what: &CheckFor,
        good_for: Duration,
    ) -> Result<Readiness, ReauthError> {
        let subject = self.subject(what)?;
        let now = self.shared.logins.clock.now();
        let end = now.checked_add(good_for);
        let is_too_early = |at: SystemTime| end.is_none_or(|end| at < end);

        let Some(login) = self.good_login(&subject).await? else {
            return Ok(needs_any_login(
                "there is no token that is good or can be refreshed",
            ));
        };
        let learned = login.record.as_ref().and_then(|it| subject.learned(it));
        let known = learned.as_ref().map(|learned| learned.required.clone());
        let known = known.unwrap_or_default();
        let token_ends = self.token_ends(&login, &subject);
        if let Some(ends) = token_ends.filter(|ends| is_too_early(*ends)) {
            return Ok(Readiness::NeedsLogin {
                required: known,
                words: format!("the token ends at {}, and cannot be refreshed", at(ends)),
            });
        }
        if learned.as_ref().is_some_and(|learned| learned.is_refused) {
            return Ok(self.needs_login(&subject, known, None));
        }
        let scopes = self.consents_for(&subject, &known).await;
        if !scopes.is_empty() {
            match self.has_consented(&login, &scopes).await? {
                Some(true) => {}
                Some(false) => {
                    let texts = scopes.iter().map(Scope::to_string);
                    let required = known.with_required_scopes(texts);
                    return Ok(self.needs_login(&subject, required, None));
                }
                None => return Ok(unknown("nobody tells which consents were given")),
            }
        }
        let Some(record) = &login.record else {
            return Ok(unknown("nothing is known of the login"));
        };
        let Some(Known {
            required, longest, ..
        }) = learned
        else {
            let words = "it has refused no login yet, and so nothing is known of what it requires";
            return Ok(unknown(words));
        };
        let session = self.session_of(&login, &subject).await;
        let began = match began(record, &required, session) {
            Ok(began) => began,
            Err(Missing::Met) => {
                return Ok(unknown("the last login was not made for what it requires"));
            }
            Err(Missing::Login) => return Ok(self.needs_login(&subject, required, None)),
        };
        let Some(ends) = longest.and_then(|longest| began.checked_add(longest)) else {
            let words = "the login satisfies what it requires, and nothing is known of how long: it has \
                         refused no such login yet";
            return Ok(unknown(words));
        };
        if is_too_early(ends) {
            return Ok(self.needs_login(&subject, required, Some(ends)));
        }
        let until = token_ends.map_or(ends, |token| token.min(ends));
        Ok(Readiness::Satisfied { until })
    }

    fn subject(&self, what: &CheckFor) -> Result<Subject, ReauthError> {
        let shared = &*self.shared;
        let transfer = || {
            let origin = shared.resource_servers.origin_of(TRANSFER).cloned();
            origin.ok_or_else(|| ReauthError::new("it is not known where Globus Transfer is"))
        };
        Ok(match what {
            CheckFor::Collection(id) => Subject {
                origin: transfer()?,
                server: Some(TRANSFER.to_owned()),
                is_through_transfer: true,
                wants: Wants::Of(id.to_ascii_lowercase()),
            },
            CheckFor::Service(target) => {
                let audience = shared.require_audience(target)?;
                Subject {
                    origin: target.origin().clone(),
                    server: Some(audience.resource_server().to_owned()),
                    is_through_transfer: false,
                    wants: Wants::Of(name(audience)),
                }
            }
            CheckFor::Requirement(required) => Subject {
                origin: shared.auth.origin()?,
                server: None,
                is_through_transfer: false,
                wants: Wants::This(Box::new(required.clone())),
            },
        })
    }

    /// The login, with good tokens; `None` where it takes a login to have them.
    async fn good_login(&self, subject: &Subject) -> Result<Option<Login>, ReauthError> {
        match &subject.server {
            Some(server) => self.usable(server, None).await,
            None => {
                let login = self.refreshed().await?;
                let login = self.with_consents(login).await;
                Ok(Some(login).filter(|login| self.is_complete(login, true)))
            }
        }
    }

    /// When the first token ends that cannot be refreshed.
    fn token_ends(&self, login: &Login, subject: &Subject) -> Option<SystemTime> {
        if matches!(self.shared.who, Who::Client) {
            return None;
        }
        let is_meant = |name: &String| subject.server.as_ref().is_none_or(|it| it == name);
        let tokens = login.tokens.iter().filter(|(name, _)| is_meant(name));
        let ending = tokens.filter(|(name, _)| !login.can_refresh(name));
        ending.map(|(_, token)| end_of(token)).min()
    }

    /// The consents that the subject is known to take beside the scopes of the tokens.
    async fn consents_for(&self, subject: &Subject, known: &AuthorizationParameters) -> Scopes {
        let texts = known.required_scopes.iter();
        // A service may have written anything: what is no scope cannot be consented to.
        let mut scopes: Vec<Scopes> = texts.filter_map(|text| text.parse().ok()).collect();
        if let Wants::Of(collection) = &subject.wants
            && subject.is_through_transfer
            && self.has_data_access(collection).await
        {
            scopes.push(Scope::transfer_data_access(collection).into());
        }
        Scopes::united(&scopes).unwrap_or_default()
    }

    async fn session_of(&self, login: &Login, subject: &Subject) -> Session {
        let server = subject.server.as_deref().unwrap_or(auth::SERVER);
        let Some(token) = login.tokens.get(server) else {
            return Session::Unknown;
        };
        match self.shared.auth.session(token.access()).await {
            // The next one belongs to the same session.
            Ok(Session::Ended) if login.can_refresh(server) => Session::Unknown,
            Ok(session) => session,
            Err(_) => Session::Unknown,
        }
    }

    fn needs_login(
        &self,
        subject: &Subject,
        required: AuthorizationParameters,
        ends: Option<SystemTime>,
    ) -> Readiness {
        let target = Target::new(subject.origin.clone(), self.principal.clone());
        let gare = Gare::new("AuthorizationRequired", required.clone());
        let mut words = Challenge::new(target, gare).in_plain_words();
        if let Some(ends) = ends {
            words += &format!(" The session ends at {}, as far as is known.", at(ends));
        }
        Readiness::NeedsLogin { required, words }
    }
}

/// What is checked.
struct Subject {
    /// For words.
    origin: Origin,
    /// Whose token it takes; `None` for all of the program's.
    server: Option<String>,
    is_through_transfer: bool,
    wants: Wants,
}

enum Wants {
    /// What was learned of this place.
    Of(String),
    This(Box<AuthorizationParameters>),
}

/// What is known of a requirement.
struct Known {
    required: AuthorizationParameters,
    /// How long a session lasts at most.
    longest: Option<Duration>,
    /// Whether the last login was refused for it.
    is_refused: bool,
}

impl Subject {
    fn learned(&self, record: &LoginRecord) -> Option<Known> {
        match &self.wants {
            Wants::Of(place) => record.learned.get(place).map(|learned| Known {
                required: learned.required().clone(),
                longest: learned.refused_age(),
                is_refused: learned.refused(record.epoch()),
            }),
            // The shortest of all sessions that this requirement was made for.
            Wants::This(required) => {
                let query = |of: &AuthorizationParameters| of.to_query();
                let same = record.learned.values();
                let same = same.filter(|it| query(it.required()) == query(required));
                Some(Known {
                    required: (**required).clone(),
                    longest: same.filter_map(Learned::refused_age).min(),
                    is_refused: false,
                })
            }
        }
    }
}

fn end_of(token: &StoredToken) -> SystemTime {
    time(u64::try_from(token.expires_at_seconds()).unwrap_or(0))
}

fn needs_any_login(words: &str) -> Readiness {
    Readiness::NeedsLogin {
        required: AuthorizationParameters::default(),
        words: words.to_owned(),
    }
}

fn unknown(words: &str) -> Readiness {
    Readiness::Unknown {
        words: words.to_owned(),
    }
}
