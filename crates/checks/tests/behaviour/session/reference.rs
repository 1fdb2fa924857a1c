//! The reference model of a session: requests that are sent together have the same result, so that
//! one request of each kind stands for all.

use std::collections::VecDeque;

// Durations in milliseconds.
pub(crate) const ANSWER: u64 = 10;
pub(crate) const RENEWAL: u64 = 100;
pub(crate) const LOGIN: u64 = 1_000;
pub(crate) const LIFETIME: u64 = 20_000;
pub(crate) const LOGIN_TIMEOUT: u64 = 5_000;
pub(crate) const BACKOFF: u64 = 30_000;
pub(crate) const MAX_LOGINS: u32 = 2;

/// The demand of a `401`: any credential.
pub(crate) const ANY: u8 = 9;

/// The reason of requests for which a login did not help.
pub(crate) const NOT_HELPED: &str = "not helped";

/// A request of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    pub(crate) need: u8,
    /// When the request is dropped.
    pub(crate) dropped: Option<u64>,
}

/// The end of a login.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Succeeds,
    /// With a credential that expires.
    SucceedsForAWhile,
    /// With a credential that does not satisfy the demand.
    IsUseless,
    Declines,
    Panics,
    Hangs,
}

/// A login: its demand, the generation of the challenged request, and the number of the login for
/// that request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) demand: u8,
    pub(crate) generation: u64,
    pub(crate) attempt: u32,
}

/// A status, and the reason for giving up.
pub(crate) type Answer = (u16, String);

#[derive(Clone, Copy, Debug)]
struct Token {
    id: u64,
    level: u8,
    expires: Option<u64>,
}

/// The model of one principal.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    /// Whether its requests present a token.
    pub(crate) presents: bool,
    pub(crate) ways: VecDeque<Way>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) look_ups: u64,
    pub(crate) failed: u64,
    now: u64,
    stored: Option<Token>,
    current: Option<Token>,
    generation: u64,
    next_id: u64,
    /// Tokens that were rejected since the last login.
    rejected: Vec<u64>,
    backs_off: Option<(u64, String)>,
    unmet: Vec<Unmet>,
    /// Demand and generation.
    last_login: Option<(u8, u64)>,
    /// The latest generation that was accepted.
    accepted: u64,
}

/// A demand that a login did not meet.
#[derive(Clone, Copy, Debug)]
struct Unmet {
    demand: u8,
    generation: u64,
    until: u64,
}

/// The state of requests that are sent together.
#[derive(Debug, Default)]
struct Page {
    logins: u32,
    /// The demands of their challenges.
    challenged: Vec<u8>,
    satisfied: Vec<u8>,
    looked_up: Vec<u8>,
}

impl Reference {
    /// Sets the credential that a look-up finds.
    pub(crate) fn store(&mut self, level: Option<u8>) {
        self.stored = level.map(|level| self.token(level, None));
    }

    /// The session at the service is too old: no token has a level any longer.
    pub(crate) fn void(&mut self) {
        for token in [&mut self.stored, &mut self.current].into_iter().flatten() {
            token.level = 0;
        }
    }

    fn token(&mut self, level: u8, expires: Option<u64>) -> Token {
        self.next_id += 1;
        Token {
            id: self.next_id,
            level,
            expires,
        }
    }

    /// Sends requests together at `now`, in this order; returns their answers.
    pub(crate) fn requests(&mut self, now: u64, requests: &[Asking]) -> Vec<Answer> {
        self.now = now;
        let mut answers = vec![None; requests.len()];
        let mut page = Page::default();
        let missing = self.current.is_none() && !self.presents;
        if (missing || self.has_expired()) && !self.look_up() {
            page.looked_up.push(ANY);
        }
        loop {
            let (token, expired) = (self.current, self.has_expired());
            self.now += ANSWER;
            let level = token.map_or(0, |token| token.level);
            for (answer, request) in answers.iter_mut().zip(requests) {
                if answer.is_none() && level >= request.need && !expired {
                    *answer = Some((200, String::new()));
                    self.accept(&page);
                }
            }
            let stays = |request: &Asking| request.dropped.is_none_or(|at| self.now < now + at);
            let open = (0..requests.len()).filter(|index| answers[*index].is_none());
            let open: Vec<usize> = open.filter(|index| stays(&requests[*index])).collect();
            if open.is_empty() {
                let answers = answers.into_iter().zip(requests);
                let answers = answers.filter(|(_, request)| request.dropped.is_none());
                return answers
                    .map(|(answer, _)| answer.expect("an answer"))
                    .collect();
            }
            let (status, demand) = if expired { (401, ANY) } else { (403, level) };
            if let Some(reason) = self.satisfy(demand, &mut page) {
                for index in open {
                    answers[index] = Some((status, reason.clone()));
                }
            }
        }
    }

    fn has_expired(&self) -> bool {
        let end = self.current.and_then(|token| token.expires);
        end.is_some_and(|end| self.now >= end)
    }

    fn accept(&mut self, page: &Page) {
        self.accepted = self.generation;
        if !page.challenged.is_empty() {
            self.backs_off = None;
            let met = |unmet: &Unmet| page.challenged.contains(&unmet.demand);
            self.unmet.retain(|unmet| !met(unmet));
        }
    }

    /// Looks for a new credential; returns whether there is one.
    fn look_up(&mut self) -> bool {
        self.look_ups += 1;
        self.now += RENEWAL;
        let current = self.current.map(|token| token.id);
        match self.stored {
            Some(stored) if current != Some(stored.id) && !self.rejected.contains(&stored.id) => {
                self.generation += 1;
                self.current = Some(stored);
                true
            }
            _ => false,
        }
    }

    /// Obtains a new credential for the open requests, or returns why they give up.
    fn satisfy(&mut self, demand: u8, page: &mut Page) -> Option<String> {
        self.rejected.extend(self.current.map(|token| token.id));
        page.challenged.push(demand);
        if page.satisfied.contains(&demand) {
            return Some(self.note_unmet(demand));
        }
        if !page.looked_up.contains(&demand) {
            page.looked_up.push(demand);
            if self.look_up() {
                return None;
            }
        }
        let did_not_help = self.last_login.is_some_and(|(tried, generation)| {
            let known = |unmet: &Unmet| unmet.demand == demand && unmet.generation == generation;
            tried == demand && self.accepted < generation && !self.unmet.iter().any(known)
        });
        if did_not_help {
            return Some(self.note_unmet(demand));
        }
        let is_unmet = |unmet: &Unmet| unmet.demand == demand && self.now < unmet.until;
        if self.unmet.iter().any(is_unmet) {
            return Some(NOT_HELPED.to_owned());
        }
        let backs_off = self.backs_off.as_ref();
        if let Some((_, error)) = backs_off.filter(|(until, _)| self.now < *until) {
            return Some(error.clone());
        }
        if page.logins >= MAX_LOGINS {
            return Some("exhausted".to_owned());
        }
        page.logins += 1;
        page.satisfied.push(demand);
        self.log_in(demand, page.logins)
    }

    /// Remembers a demand that a login did not meet. Several requests notice the same login.
    fn note_unmet(&mut self, demand: u8) -> String {
        let login = self.last_login.map_or(0, |(_, generation)| generation);
        let known = |unmet: &Unmet| unmet.demand == demand && unmet.generation == login;
        if !self.unmet.iter().any(known) {
            self.unmet.retain(|unmet| unmet.demand != demand);
            self.unmet.push(Unmet {
                demand,
                generation: login,
                until: self.now + BACKOFF,
            });
        }
        NOT_HELPED.to_owned()
    }

    /// Runs one login; returns its error.
    fn log_in(&mut self, demand: u8, attempt: u32) -> Option<String> {
        self.asked.push(Asked {
            demand,
            generation: self.generation,
            attempt,
        });
        let way = self.ways.pop_front().unwrap_or(Way::Succeeds);
        let error = match way {
            Way::Declines => Some("the login was declined"),
            Way::Panics => Some("the reauthenticator panicked"),
            Way::Hangs => Some("the login was not finished in time"),
            _ => None,
        };
        self.now += if way == Way::Hangs {
            LOGIN_TIMEOUT
        } else {
            LOGIN
        };
        if let Some(error) = error {
            self.failed += 1;
            self.backs_off = Some((self.now + BACKOFF, error.to_owned()));
            return Some(error.to_owned());
        }
        let expires = (way == Way::SucceedsForAWhile).then_some(self.now + LIFETIME);
        self.current = Some(self.token(level_after(demand, way), expires));
        self.generation += 1;
        self.last_login = Some((demand, self.generation));
        self.rejected.clear();
        None
    }
}

/// The level of the token of a login.
pub(crate) fn level_after(demand: u8, way: Way) -> u8 {
    let level = if demand == ANY { 0 } else { demand };
    level + u8::from(way != Way::IsUseless)
}
