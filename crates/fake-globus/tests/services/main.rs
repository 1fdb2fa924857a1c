//! Tests of the services over HTTP.

mod access;
mod access_rules;
mod bookmarks;
mod collections;
mod compute;
mod control;
mod copying;
mod dependent;
mod faults;
mod files;
mod flows;
mod gcs;
mod groups;
mod hosts;
mod https;
mod login;
mod managing;
mod page;
mod pages;
mod submission;
mod support;
mod tasks;
mod timers;
mod tokens;
mod tunnels;
mod unserved;
