//! The session: many requests, many users, time, and everything that can go
//! wrong with a login. Over real sockets against `FakeGlobus`, and over mock
//! services where the clock or each poll has to be in the test's hands.

mod drops;
mod events;
mod herd;
mod issued;
mod logins;
mod options;
mod remembered;
mod renewals;
mod time;
mod users;
mod waiting;
