//! Model check: replicas refresh the same token without a lease, in every order of their steps.
//!
//! The steps are those of `AppUser::redeem` and `AppUser::update`: load, redeem at Globus Auth, change
//! the copy of what was loaded, or load again where there is none, commit against the version that
//! was loaded. Globus Auth gives a new refresh token for each, and refuses one that was used.

use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

use super::{Given, Holder, Login, StoredToken};

const SERVER: &str = "transfer";

/// How often a replica whose token was rejected loads the login again, in case another replica has
/// stored a new token.
const LOOKS: usize = 2;

/// The whole state at one moment.
#[derive(Clone)]
struct World {
    login: Login,
    version: u32,
    /// The numbers of the refresh tokens that Globus Auth accepts.
    living: BTreeSet<u32>,
    last_token: u32,
    /// The fingerprints of the access tokens that were handed back for revocation.
    discarded: BTreeSet<String>,
    /// Whether replicas still have the copy of what they loaded.
    has_copies: bool,
    actors: Vec<Actor>,
}

/// A login as somebody loaded it, with its version.
type Loaded = Box<(u32, Login)>;

/// What somebody does next.
#[derive(Clone)]
enum Actor {
    Load {
        looks: usize,
        refused: Option<StoredToken>,
    },
    Redeem {
        old: StoredToken,
        looks: usize,
        copy: Loaded,
    },
    Keep {
        change: Change,
        loaded: Option<Loaded>,
        is_copy: bool,
    },
    Done,
}

#[derive(Clone)]
enum Change {
    Refreshed {
        old: Box<StoredToken>,
        new: Box<StoredToken>,
    },
    Refused(Box<StoredToken>),
    LogOut,
    LogIn(Box<StoredToken>),
}

impl Change {
    /// Makes the change, and gives the tokens that are to be revoked.
    fn make(&self, login: &mut Login) -> Vec<StoredToken> {
        let before: Vec<StoredToken> = login.tokens.values().cloned().collect();
        match self {
            Self::Refreshed { old, new } => {
                let unused = login.refreshed(SERVER, old, (**new).clone());
                unused.into_iter().collect()
            }
            Self::Refused(old) => {
                login.refused(SERVER, old);
                Vec::new()
            }
            Self::LogOut => {
                login.logged_out();
                before
            }
            // The one that it replaces is given up, as the Python SDK does.
            Self::LogIn(token) => {
                login.logged_in(given(token)).expect("nobody else");
                before
            }
        }
    }
}

fn token(number: u32) -> StoredToken {
    let token = serde_json::json!({
        "resource_server": SERVER, "identity_id": "ada", "scope": "all", "expires_at_seconds": 1,
        "access_token": format!("access-{number}"), "refresh_token": format!("refresh-{number}"),
    });
    serde_json::from_value(token).expect("a token")
}

fn refresh_number(token: &StoredToken) -> u32 {
    let refresh = token.refresh().expect("a refresh token").expose();
    let number = refresh.strip_prefix("refresh-").expect("one of ours");
    number.parse().expect("a number")
}

fn given(token: &StoredToken) -> Given {
    Given {
        tokens: [(SERVER.to_owned(), token.clone())].into(),
        sub: Some("ada".to_owned()),
        at: UNIX_EPOCH,
        by: Holder::new("test", UNIX_EPOCH),
        satisfied: None,
        scopes: "all".parse().expect("a scope"),
    }
}

impl World {
    /// A user with one token that has expired.
    fn new(has_copies: bool, actors: Vec<Actor>) -> Self {
        let mut login = Login::default();
        login.logged_in(given(&token(1))).expect("nobody else");
        Self {
            login,
            version: 1,
            living: [1].into(),
            last_token: 1,
            discarded: BTreeSet::new(),
            has_copies,
            actors,
        }
    }

    fn new_token(&mut self) -> StoredToken {
        self.last_token += 1;
        self.living.insert(self.last_token);
        token(self.last_token)
    }

    /// One step of one actor.
    fn step(&mut self, actor: usize) {
        let next = match std::mem::replace(&mut self.actors[actor], Actor::Done) {
            Actor::Load { looks, refused } => self.load(looks, refused),
            Actor::Redeem { old, looks, copy } => self.redeem(old, looks, copy),
            Actor::Keep {
                change,
                loaded: None,
                ..
            } => Actor::Keep {
                change,
                loaded: Some(self.loaded()),
                is_copy: false,
            },
            Actor::Keep {
                change,
                loaded: Some(loaded),
                is_copy,
            } => match self.commit(loaded, &change, is_copy) {
                true => Actor::Done,
                false => Actor::Keep {
                    change,
                    loaded: None,
                    is_copy: false,
                },
            },
            Actor::Done => unreachable!("it is done"),
        };
        self.actors[actor] = next;
    }

    fn loaded(&self) -> Loaded {
        Box::new((self.version, self.login.clone()))
    }

    /// Begins with what was loaded, as far as the copy is still there.
    fn keep(&self, change: Change, copy: Loaded) -> Actor {
        Actor::Keep {
            change,
            loaded: self.has_copies.then_some(copy),
            is_copy: true,
        }
    }

    fn load(&self, looks: usize, refused: Option<StoredToken>) -> Actor {
        let kept = self.login.tokens.get(SERVER);
        let Some(kept) = kept.filter(|_| self.login.can_refresh(SERVER)) else {
            return Actor::Done;
        };
        // Only the first token has expired.
        if !kept.is(&token(1)) {
            return Actor::Done;
        }
        match refused {
            Some(refused) if looks == 0 => {
                self.keep(Change::Refused(Box::new(refused)), self.loaded())
            }
            Some(refused) => Actor::Load {
                looks: looks - 1,
                refused: Some(refused),
            },
            None => Actor::Redeem {
                old: kept.clone(),
                looks,
                copy: self.loaded(),
            },
        }
    }

    fn redeem(&mut self, old: StoredToken, looks: usize, copy: Loaded) -> Actor {
        if !self.living.remove(&refresh_number(&old)) {
            return Actor::Load {
                looks,
                refused: Some(old),
            };
        }
        let new = self.new_token().refreshing(&old);
        let change = Change::Refreshed {
            old: Box::new(old),
            new: Box::new(new),
        };
        self.keep(change, copy)
    }

    /// Makes the change, and commits it. `false`: it is to be loaded again.
    fn commit(&mut self, loaded: Loaded, change: &Change, is_copy: bool) -> bool {
        let (version, before) = *loaded;
        let mut login = before.clone();
        let given_up = change.make(&mut login);
        match login == before {
            true if is_copy => return false,
            true => {}
            false if version != self.version => return false,
            false => {
                self.login = login;
                self.version += 1;
            }
        }
        for token in given_up {
            self.living.remove(&refresh_number(&token));
            self.discarded.insert(token.fingerprint());
        }
        true
    }

    /// Asserts the invariants of the final state.
    fn check(&self, path: &[usize]) {
        let kept = self.login.tokens.get(SERVER);
        let living: Vec<u32> = self.living.iter().copied().collect();
        let kept_numbers: Vec<u32> = kept.iter().map(|token| refresh_number(token)).collect();
        assert_eq!(living, kept_numbers, "a living token is lost: {path:?}");
        if let Some(kept) = kept {
            assert!(
                self.login.can_refresh(SERVER),
                "the token counts as refused: {path:?}"
            );
            assert!(!self.discarded.contains(&kept.fingerprint()), "{path:?}");
        }
    }
}

/// Runs every order of the actors' steps, and returns the number of orders.
fn explore(world: &World, path: &mut Vec<usize>) -> usize {
    let open: Vec<usize> = (0..world.actors.len())
        .filter(|at| !matches!(world.actors[*at], Actor::Done))
        .collect();
    if open.is_empty() {
        world.check(path);
        return 1;
    }
    let orders = open.into_iter().map(|actor| {
        let mut next = world.clone();
        next.step(actor);
        path.push(actor);
        let orders = explore(&next, path);
        path.pop();
        orders
    });
    orders.sum()
}

const REPLICA: Actor = Actor::Load {
    looks: LOOKS,
    refused: None,
};

/// Somebody who changes the login, whatever it is.
fn keeper(change: Change) -> Actor {
    Actor::Keep {
        change,
        loaded: None,
        is_copy: false,
    }
}

/// Goes through every order, with copies and without; gives how many there are.
fn explore_all(world: impl Fn(bool) -> World) -> usize {
    let orders = [false, true].map(|has_copies| explore(&world(has_copies), &mut Vec::new()));
    orders.iter().sum()
}

#[checks::test(seconds = 600)]
fn two_replicas_lose_no_refresh_token() {
    let orders = explore_all(|has_copies| World::new(has_copies, vec![REPLICA, REPLICA]));
    assert!(orders > 100, "{orders}");
}

#[checks::test(seconds = 600)]
fn logout_meanwhile_leaves_no_living_token() {
    let actors = || vec![REPLICA, REPLICA, keeper(Change::LogOut)];
    let orders = explore_all(|has_copies| World::new(has_copies, actors()));
    assert!(orders > 1000, "{orders}");
}

#[checks::test(seconds = 600)]
fn login_meanwhile_is_the_one_that_is_kept() {
    let orders = explore_all(|has_copies| {
        let mut world = World::new(has_copies, vec![REPLICA, REPLICA]);
        let new = world.new_token();
        world.actors.push(keeper(Change::LogIn(Box::new(new))));
        world
    });
    assert!(orders > 1000, "{orders}");
}
