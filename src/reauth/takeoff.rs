//! Starting flights: a login, or a silent renewal.

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::exchange::Exchange;
use super::landing::{Beacon, Landed, Landing, awaited};
use super::slot::Slot;
use super::stats::count;
use super::{Challenge, Credential, Target, events, flight};

impl Exchange {
    /// Starts the login that [`step`](Self::step) has put down as under way.
    pub(super) fn log_in(&self, slot: &Arc<Slot>, challenge: Challenge, beacon: Beacon) {
        let (session, slot) = (self.session.clone(), Arc::clone(slot));
        let target = challenge.target().clone();
        let challenge = challenge.at(self.outcome().logins.saturating_add(1), self.sent);
        count(&session.counters().logins);
        events::logging_in(&target, challenge.attempt());
        let (reauthenticator, attempt) = (session.reauthenticator(), challenge.attempt());
        let work = async move { reauthenticator.reauthenticate(&challenge).await };
        let work = events::during_login(&target, attempt, work);
        flight::launch(
            self.session.settings().flight_timeout,
            beacon,
            work,
            move |result| {
                let settings = session.settings();
                let until = settings.cool_down_from(Instant::now());
                let landed = slot.lock().land_login(
                    target.origin().clone(),
                    result,
                    until,
                    settings.max_origins,
                );
                match &landed {
                    Ok(Some(issued)) => session.identities().note_issued(&slot, &issued.credential),
                    Ok(None) => {}
                    Err(_) => count(&session.counters().failed_logins),
                }
                events::landed(&target, &landed);
                landed
            },
        );
    }

    /// Runs `Reauthenticator::credential` for the target, or joins who does,
    /// unless there is a credential by now that the request was not sent with.
    /// With the one that was `refused` it is `Reauthenticator::renew`.
    pub(super) fn renew(
        &self,
        slot: &Arc<Slot>,
        target: &Target,
        refused: Option<Credential>,
    ) -> impl Future<Output = Landed> + Send + use<> {
        let renewal = self.start_renewal(slot, target, refused);
        async {
            match renewal {
                Ok(landing) => landing.ended().await,
                Err(known) => known,
            }
        }
    }

    /// The renewal that is waited for, or what it would come to.
    pub(super) fn start_renewal(
        &self,
        slot: &Arc<Slot>,
        target: &Target,
        refused: Option<Credential>,
    ) -> Result<Landing, Landed> {
        let origin = target.origin();
        let (landing, launch) = {
            let mut state = slot.lock();
            // What was found missing before may have come since: only here,
            // under the lock, is it sure.
            let leeway = self.session.settings().expiry_leeway;
            if let Some(issued) = state.fresh(self.sent, origin, leeway) {
                return Err(Ok(Some(issued)));
            }
            if state.is_barren(origin.view(), Instant::now()) {
                return Err(Ok(None));
            }
            match state.renewal(origin) {
                Some(landing) => (landing, None),
                None => {
                    let (beacon, landing) = awaited();
                    let began = state.current(origin).map_or(0, |issued| issued.generation);
                    state.take_off_renewal(origin.clone(), landing.clone());
                    (landing, Some((beacon, began)))
                }
            }
        };
        if let Some((beacon, began)) = launch {
            let (session, slot, target) = (self.session.clone(), Arc::clone(slot), target.clone());
            count(&session.counters().renewals);
            events::renewing(&target);
            let (reauthenticator, wanted) = (session.reauthenticator(), target.clone());
            let was_refused = refused.is_some();
            let work = async move {
                match refused {
                    None => reauthenticator.credential(&wanted).await,
                    Some(refused) => reauthenticator.renew(&wanted, &refused).await,
                }
            };
            flight::launch(
                self.session.settings().flight_timeout,
                beacon,
                work,
                move |result| {
                    let settings = session.settings();
                    // Whoever hears the service's own answer may log in elsewhere: what that
                    // brings is looked for at the next refusal.
                    let is_open = was_refused && result.is_ok();
                    let until = (!is_open).then(|| settings.cool_down_from(Instant::now()));
                    let landed = slot.lock().land_renewal(
                        target.origin().clone(),
                        began,
                        result,
                        until,
                        settings.max_origins,
                    );
                    if let Ok(Some(issued)) = &landed {
                        session.identities().note_issued(&slot, &issued.credential);
                    }
                    events::renewed(&target, &landed);
                    landed
                },
            );
        }
        Ok(landing)
    }
}
