//! The attacker can write to the person's browser, or to the loopback port.

mod port;
mod redirects;

use fake_globus::{FakeGlobus, ViolationKind};

fn violations(globus: &FakeGlobus) -> Vec<ViolationKind> {
    globus.violations().iter().map(|it| it.kind).collect()
}
