//! Model check: replicas refresh the same token without a lease, in every order of their steps.
//!
//! The steps are those of `AppUser::redeem` and `AppUser::update`: load, redeem at Globus Auth,
//! load again, change, commit against the loaded version. Globus Auth answers each refresh with a
//! new refresh token, and rejects a token that was used before.

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
    actors: Vec<Actor>,
}

/// The next step of an actor.
#[derive(Clone)]
enum Actor {
    Load {
        looks: usize,
        refused: Option<StoredToken>,
    },
    Redeem {
        old: StoredToken,
        looks: usize,
    },
    Keep {
        change: Change,
        loaded: Option<Box<(u32, Login)>>,
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
    fn new(actors: Vec<Actor>) -> Self {
        let mut login = Login::default();
        login.logged_in(given(&token(1))).expect("nobody else");
        Self {
            login,
            version: 1,
            living: [1].into(),
            last_token: 1,
            discarded: BTreeSet::new(),
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
            Actor::Redeem { old, looks } => self.redeem(old, looks),
            Actor::Keep {
                change,
                loaded: None,
            } => Actor::Keep {
                change,
                loaded: Some(Box::new((self.version, self.login.clone()))),
            },
            Actor::Keep {
                change,
                loaded: Some(loaded),
            } => {
                let (version, login) = *loaded;
                if version == self.version {
                    self.commit(login, &change);
                    Actor::Done
                } else {
                    Actor::Keep {
                        change,
                        loaded: None,
                    }
                }
            }
            Actor::Done => unreachable!("the actor is done"),
        };
        self.actors[actor] = next;
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
            Some(refused) if looks == 0 => Actor::Keep {
                change: Change::Refused(Box::new(refused)),
                loaded: None,
            },
            Some(refused) => Actor::Load {
                looks: looks - 1,
                refused: Some(refused),
            },
            None => Actor::Redeem {
                old: kept.clone(),
                looks,
            },
        }
    }

    fn redeem(&mut self, old: StoredToken, looks: usize) -> Actor {
        if !self.living.remove(&refresh_number(&old)) {
            return Actor::Load {
                looks,
                refused: Some(old),
            };
        }
        let new = self.new_token().refreshing(&old);
        Actor::Keep {
            change: Change::Refreshed {
                old: Box::new(old),
                new: Box::new(new),
            },
            loaded: None,
        }
    }

    fn commit(&mut self, mut login: Login, change: &Change) {
        match change {
            Change::Refreshed { old, new } => {
                if let Some(unused) = login.refreshed(SERVER, old, (**new).clone()) {
                    self.living.remove(&refresh_number(&unused));
                    self.discarded.insert(unused.fingerprint());
                }
            }
            Change::Refused(old) => {
                login.refused(SERVER, old);
            }
            Change::LogOut => {
                let tokens = login.tokens.clone();
                login.logged_out();
                for token in tokens.values() {
                    self.living.remove(&refresh_number(token));
                }
            }
            Change::LogIn(token) => {
                // The login revokes the token that it replaces, as the Python SDK does.
                for before in login.tokens.values() {
                    self.living.remove(&refresh_number(before));
                }
                login.logged_in(given(token)).expect("nobody else");
            }
        }
        self.login = login;
        self.version += 1;
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

#[checks::test(seconds = 600)]
fn two_replicas_lose_no_refresh_token() {
    let orders = explore(&World::new(vec![REPLICA, REPLICA]), &mut Vec::new());
    assert!(orders > 100, "{orders}");
}

#[checks::test(seconds = 600)]
fn logout_during_refreshes_leaves_no_living_token() {
    let logout = Actor::Keep {
        change: Change::LogOut,
        loaded: None,
    };
    let orders = explore(&World::new(vec![REPLICA, REPLICA, logout]), &mut Vec::new());
    assert!(orders > 1000, "{orders}");
}

#[checks::test(seconds = 600)]
fn login_during_refreshes_keeps_its_own_token() {
    let mut world = World::new(vec![REPLICA, REPLICA]);
    let new = world.new_token();
    world.actors.push(Actor::Keep {
        change: Change::LogIn(Box::new(new)),
        loaded: None,
    });
    let orders = explore(&world, &mut Vec::new());
    assert!(orders > 1000, "{orders}");
}
