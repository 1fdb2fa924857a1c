//! What a session is to do, told in sequence: requests that are made together
//! fare alike, so one of each kind stands for all of them.

use std::collections::VecDeque;

/// How long things take, in milliseconds.
pub(crate) const ANSWER: u64 = 10;
pub(crate) const RENEWAL: u64 = 100;
pub(crate) const LOGIN: u64 = 1_000;
pub(crate) const LIFETIME: u64 = 20_000;
pub(crate) const LEEWAY: u64 = 5_000;
pub(crate) const LOGIN_TIMEOUT: u64 = 5_000;
pub(crate) const BACKOFF: u64 = 30_000;
pub(crate) const MAX_LOGINS: u32 = 2;

/// How a login goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Succeeds,
    /// With a credential that runs out.
    SucceedsForAWhile,
    /// With a credential that is no better.
    IsUseless,
    Declines,
    Panics,
    Hangs,
}

/// A login that was asked for: what was demanded, with which generation the
/// request had been sent, and which login of the request it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) demand: u8,
    pub(crate) generation: u64,
    pub(crate) attempt: u32,
}

/// A status, and the refusal that came with it.
pub(crate) type Answer = (u16, String);

#[derive(Clone, Copy, Debug)]
struct Token {
    id: u64,
    level: u8,
    expires: Option<u64>,
}

/// One identity.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    /// Whether its requests come with a value of their own.
    pub(crate) presents: bool,
    pub(crate) ways: VecDeque<Way>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) renewals: u64,
    pub(crate) failed: u64,
    now: u64,
    stored: Option<Token>,
    current: Option<Token>,
    generation: u64,
    next_id: u64,
    backs_off: Option<(u64, String)>,
    unmet: Vec<(u64, u8)>,
    nothing_until: u64,
    /// Demand, generation, and when it landed.
    last_login: Option<(u8, u64, u64)>,
    proven: u64,
}

impl Reference {
    /// What there is to be had without asking from now on.
    pub(crate) fn store(&mut self, level: Option<u8>) {
        self.stored = level.map(|level| self.token(level, None));
    }

    /// The session at the service is too old: no token is good for anything.
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

    /// Requests that start together at `now`, each in need of a level.
    pub(crate) fn requests(&mut self, now: u64, needs: &[u8]) -> Vec<Answer> {
        self.now = now;
        let mut answers = vec![None; needs.len()];
        let (mut logins, mut satisfied, mut renewed) = (0, Vec::new(), false);
        let missing = self.current.is_none() && !self.presents;
        let running_out = self.current.is_some_and(|token| {
            token
                .expires
                .is_some_and(|end| end.saturating_sub(now) <= LEEWAY)
        });
        if (missing || running_out) && now >= self.nothing_until {
            self.renew();
        }
        while answers.iter().any(Option::is_none) {
            let token = self.current;
            let expired = token
                .and_then(|token| token.expires)
                .is_some_and(|end| self.now >= end);
            self.now += ANSWER;
            if expired {
                let replay = !renewed && self.now >= self.nothing_until && self.renew();
                renewed = true;
                if !replay {
                    return settle(answers, (401, String::new()));
                }
                continue;
            }
            let level = token.map_or(0, |token| token.level);
            for (answer, need) in answers.iter_mut().zip(needs) {
                if answer.is_none() && level >= *need {
                    *answer = Some((200, String::new()));
                    self.proven = self.generation;
                }
            }
            if answers.iter().all(Option::is_some) {
                break;
            }
            let refusal = self.log_in(level, logins, &satisfied);
            if let Some(refusal) = refusal {
                return settle(answers, (403, refusal));
            }
            logins += 1;
            satisfied.push(level);
        }
        answers.into_iter().flatten().collect()
    }

    /// Whether there is another credential than before.
    fn renew(&mut self) -> bool {
        self.renewals += 1;
        self.now += RENEWAL;
        match self.stored {
            None => {
                self.nothing_until = self.now + BACKOFF;
                false
            }
            Some(stored) if self.current.is_some_and(|known| known.id == stored.id) => false,
            Some(stored) => {
                self.generation += 1;
                self.current = Some(stored);
                true
            }
        }
    }

    /// The one login that a page of refused requests may cost, or why there is none.
    fn log_in(&mut self, demand: u8, logins: u32, satisfied: &[u8]) -> Option<String> {
        let no_progress = Some("no_progress".to_owned());
        if satisfied.contains(&demand) {
            self.unmet.push((self.now + BACKOFF, demand));
            return no_progress;
        }
        let unmet = |(until, tried): &(u64, u8)| self.now < *until && *tried == demand;
        let just_tried = self.last_login.is_some_and(|(tried, generation, landed)| {
            tried == demand && self.proven < generation && self.now < landed + BACKOFF
        });
        if self.unmet.iter().any(unmet) || just_tried {
            return no_progress;
        }
        let backs_off = self.backs_off.as_ref();
        if let Some((_, error)) = backs_off.filter(|(until, _)| self.now < *until) {
            return Some(error.clone());
        }
        if logins >= MAX_LOGINS {
            return Some("exhausted".to_owned());
        }
        self.asked.push(Asked {
            demand,
            generation: self.generation,
            attempt: logins + 1,
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
        let level = if way == Way::IsUseless {
            demand
        } else {
            demand + 1
        };
        let expires = (way == Way::SucceedsForAWhile).then_some(self.now + LIFETIME);
        self.current = Some(self.token(level, expires));
        self.generation += 1;
        self.last_login = Some((demand, self.generation, self.now));
        self.backs_off = None;
        self.nothing_until = 0;
        None
    }
}

/// Those who have no answer yet get this one.
fn settle(answers: Vec<Option<Answer>>, rest: Answer) -> Vec<Answer> {
    let answers = answers.into_iter();
    answers
        .map(|answer| answer.unwrap_or_else(|| rest.clone()))
        .collect()
}
