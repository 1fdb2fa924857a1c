//! Random schedules of requests, compared with a sequential reference model.

mod reference;
mod schedules;
