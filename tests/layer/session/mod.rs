//! The session: many requests, many users, time, and everything that can go
//! wrong with a login. Over real sockets against `FakeGlobus`, and over mock
//! services where the clock or each poll has to be in the test's hands.

mod backoff;
mod coverage;
mod drops;
mod events;
mod herd;
mod issued;
mod late_refreshes;
mod login_requests;
mod logins;
mod look_ups;
mod many_accounts;
mod options;
mod origins;
mod principals;
mod quoted;
mod remembered;
mod resource_servers;
mod runtimes;
mod time;
mod users;
mod values;
mod waiting;
