//! The session: many requests, many users, time, and failures of logins. Over real sockets with
//! `FakeGlobus`, and over mock services if a test controls the clock or each poll.

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
