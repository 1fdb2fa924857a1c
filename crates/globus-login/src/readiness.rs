//! Checks whether a login will last for a job, before the job sends a request.

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

/// The subject of [`AppUser::check`].
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

/// The result of [`AppUser::check`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Readiness {
    /// As far as is known, the login will last.
    Satisfied {
        /// The time at which the token ends, or at which the login is as old as one that was
        /// challenged before.
        until: SystemTime,
    },
    /// A login is needed, now or before the time is over.
    NeedsLogin {
        /// The requirement for [`AppUser::login_with`]. Empty if any login will do.
        required: AuthorizationParameters,
        /// The reason, in one line for a person. It may hold text of a service.
        words: String,
    },
    /// It is not known whether the login will last.
    Unknown {
        /// What is not known, in one line for a person.
        words: String,
    },
}

impl AppUser {
    /// Checks whether the login will last for `good_for` from now, before a request is sent. No
    /// person is asked. An expired token is refreshed.
    ///
    /// Collections and services do not publish their requirements. The app learns them from
    /// challenges: when a challenge starts a login, the [record](LoginRecord::learned) keeps the
    /// requirement. It also keeps the age of the challenged login, if that login had satisfied the
    /// same requirement. Programs that share a store share this knowledge. The rules, in this
    /// order:
    ///
    /// | known | result |
    /// | --- | --- |
    /// | there is no valid or refreshable token | needs a login |
    /// | the token ends before the time is over, and cannot be refreshed | needs a login |
    /// | the last login was challenged | needs a login |
    /// | a consent is missing, by the record or by Globus Auth's Consents API | needs a login |
    /// | a required identity or its second factor is missing in the session, by introspection | needs a login |
    /// | there was no challenge | unknown |
    /// | the last login is by a program without records, or was not made for the requirement | unknown |
    /// | no login that had satisfied the requirement was challenged so far | unknown |
    /// | the login will be as old as one that was challenged although it had satisfied the requirement | needs a login |
    /// | the login will be younger than each such login | satisfied |
    ///
    /// The age of a challenged login is an upper bound of the session's length: if nobody sent a
    /// request when a session ended, the session seems longer than it was. Globus Auth reports the
    /// times of a session to clients with a secret. Without a secret, the time of the login in the
    /// record is used.
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
    /// If the resource server of a service is not known, the store cannot be read, or Globus Auth
    /// does not answer.
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
            return Ok(Readiness::NeedsLogin {
                required: AuthorizationParameters::default(),
                words: "there is no token that is valid or can be refreshed".to_owned(),
            });
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
                None => return Ok(unknown("it is not known which consents were given")),
            }
        }
        let Some(record) = &login.record else {
            return Ok(unknown("the login has no record"));
        };
        let Some(Known {
            required, longest, ..
        }) = learned
        else {
            let words = "the requirement is not known: there was no challenge yet";
            return Ok(unknown(words));
        };
        let session = self.session_of(&login, &subject).await;
        let began = match began(record, &required, session) {
            Ok(began) => began,
            Err(Missing::Met) => {
                return Ok(unknown("the last login was not made for the requirement"));
            }
            Err(Missing::Login) => return Ok(self.needs_login(&subject, required, None)),
        };
        let Some(ends) = longest.and_then(|longest| began.checked_add(longest)) else {
            let words = "the login satisfies the requirement, but it is not known for how long: no such \
                         login was challenged yet";
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
            origin.ok_or_else(|| ReauthError::new("the URL of Globus Transfer is not known"))
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

    /// The login, if it has valid tokens, refreshed where needed. `None` if a login is needed.
    async fn good_login(&self, subject: &Subject) -> Result<Option<Login>, ReauthError> {
        match &subject.server {
            Some(server) => self.usable(server, None).await,
            None => {
                let (login, failed) = self.refreshed().await?;
                let login = self.with_consents(login).await;
                match (self.is_complete(&login, true), failed) {
                    (true, _) => Ok(Some(login)),
                    // A refresh could have completed it.
                    (false, Some(error)) if self.is_complete(&login, false) => Err(error),
                    (false, _) => Ok(None),
                }
            }
        }
    }

    /// The end of the first token that cannot be refreshed.
    fn token_ends(&self, login: &Login, subject: &Subject) -> Option<SystemTime> {
        if matches!(self.shared.who, Who::Client) {
            return None;
        }
        let is_meant = |name: &String| subject.server.as_ref().is_none_or(|it| it == name);
        let tokens = login.tokens.iter().filter(|(name, _)| is_meant(name));
        let ending = tokens.filter(|(name, _)| !login.can_refresh(name));
        ending.map(|(_, token)| end_of(token)).min()
    }

    /// The consents that the subject is known to need, in addition to the scopes of the tokens.
    async fn consents_for(&self, subject: &Subject, known: &AuthorizationParameters) -> Scopes {
        let texts = known.required_scopes.iter();
        // A service may have sent any text: skips what is not a scope.
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
            // A refreshed token belongs to the same session, which may not have ended.
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
            words += &format!(" The session will probably end at {}.", at(ends));
        }
        Readiness::NeedsLogin { required, words }
    }
}

/// The subject of a check.
struct Subject {
    /// The origin in the words for a person.
    origin: Origin,
    /// The resource server of the token; `None` for all of the program's tokens.
    server: Option<String>,
    is_through_transfer: bool,
    wants: Wants,
}

enum Wants {
    /// The recorded requirement of this place.
    Of(String),
    This(Box<AuthorizationParameters>),
}

/// A requirement and its history.
struct Known {
    required: AuthorizationParameters,
    /// The maximum length of a session.
    longest: Option<Duration>,
    /// Whether the last login was challenged for the requirement.
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
            // The shortest session of all places with this requirement.
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

fn unknown(words: &str) -> Readiness {
    Readiness::Unknown {
        words: words.to_owned(),
    }
}
