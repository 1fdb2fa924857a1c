//! The embedded services, asked over HTTP as a program would ask them.

mod access;
mod compute;
mod control;
mod faults;
mod files;
mod flows;
mod gcs;
mod groups;
mod https;
mod login;
mod page;
mod pages;
mod support;
mod tasks;
mod timers;
mod tokens;
mod unserved;
