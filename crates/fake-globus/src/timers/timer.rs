//! Timers, and their documents.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::written;
use crate::flows::ACTION;
use crate::gare::Gare;
use crate::state::State;
use crate::transfer;
use crate::unattended::{OnBehalf, held_up};

use super::TIMER;
use super::schedule::Schedule;

/// The most runs that one request performs. Later requests perform the others.
const AT_ONCE: usize = 10_000;

/// A timer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Timer {
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
    pub(crate) by: OnBehalf,
    pub(super) work: Work,
    /// The input of each run, which contains the ids of collections.
    pub(super) body: Value,
    pub(super) schedule: Schedule,
    pub(super) submitted: SystemTime,
    pub(super) runs: u64,
    pub(super) last_run: Option<SystemTime>,
    pub(super) inactive: Option<Inactive>,
}

/// The work of each run of a timer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Work {
    Transfer,
    Flow {
        id: Uuid,
        scope: String,
    },
    /// Calls an action. Older programs create such timers.
    Callback {
        url: String,
        scope: Option<String>,
    },
}

/// The reason why a timer is inactive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Inactive {
    Paused,
    Required(Gare),
}

impl Timer {
    /// Performs the due runs, until one is held up.
    pub(super) fn catch_up(&mut self, state: &State, now: SystemTime) {
        for _ in 0..AT_ONCE {
            let due = self.schedule.next(self.runs).filter(|due| *due <= now);
            let Some(due) = due.filter(|_| self.inactive.is_none()) else {
                return;
            };
            match self.held_up(state, due) {
                Some(gare) => self.inactive = Some(Inactive::Required(gare)),
                None => {
                    self.runs += 1;
                    self.last_run = Some(due);
                }
            }
        }
    }

    fn held_up(&self, state: &State, at: SystemTime) -> Option<Gare> {
        let (of_flow, above) = match &self.work {
            Work::Transfer => (None, vec![TIMER, transfer::ALL]),
            Work::Flow { id, scope } => (
                state.flows.flow(*id),
                vec![TIMER, scope, ACTION, transfer::ALL],
            ),
            Work::Callback { scope, .. } => {
                let scope = scope.as_deref().unwrap_or(ACTION);
                (None, vec![scope, transfer::ALL])
            }
        };
        let user = state.user(self.by.user)?;
        let of_flow = of_flow.and_then(|flow| flow.requirement(&self.by.session, user, at));
        of_flow.or_else(|| Some(held_up(state, at, &self.by, &above, &self.body)?.gare(0)))
    }

    fn status(&self) -> &'static str {
        match (&self.inactive, self.schedule.next(self.runs)) {
            (Some(_), _) => "inactive",
            (None, None) => "ended",
            (None, Some(_)) if self.runs == 0 => "new",
            (None, Some(_)) => "loaded",
        }
    }

    fn inactive_reason(&self) -> Value {
        match &self.inactive {
            None => Value::Null,
            Some(Inactive::Paused) => json!({"cause": "user", "detail": null}),
            Some(Inactive::Required(gare)) => {
                json!({"cause": "globus_auth_requirements", "detail": gare.document()})
            }
        }
    }

    /// The member `activity` of a document.
    fn activity(&self) -> Value {
        match self.status() {
            "ended" => Value::Null,
            "inactive" => json!({"code": "paused", "start_timestamp": null}),
            _ => json!({"code": "awaiting_next_run", "start_timestamp": null}),
        }
    }

    /// The document of `/v2/timer`.
    pub(super) fn document(&self) -> Value {
        let next = self.schedule.next(self.runs);
        let mut document = json!({
            "job_id": self.id,
            "name": self.name,
            "status": self.status(),
            "inactive_reason": self.inactive_reason(),
            "activity": self.activity(),
            "schedule": self.schedule.document(),
            "submitted_at": written(self.submitted),
            "last_ran_at": self.last_run.map(written),
            "next_run": next.map(written),
        });
        let more = match &self.work {
            Work::Flow { scope, .. } => json!({
                "timer_type": "flow",
                "scope": scope,
                "callback_url": self.callback_url(),
                "callback_body": self.callback_body(),
                "interval": self.schedule.interval,
                "n_runs": self.runs,
                "n_errors": 0,
                "results": [],
                "stop_after": self.stop_after(),
            }),
            _ => json!({
                "timer_type": "transfer",
                "body": self.body,
                "number_of_runs": self.runs,
                "number_of_errors": 0,
            }),
        };
        if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
            document.extend(more);
        }
        document
    }

    /// The document of `/jobs/{id}`.
    pub(super) fn job(&self) -> Value {
        let results: Vec<Value> = self.last_run.iter().map(|at| self.result(*at)).collect();
        let scope = match &self.work {
            Work::Transfer => Some(transfer::ALL),
            Work::Flow { scope, .. } => Some(scope.as_str()),
            Work::Callback { scope, .. } => scope.as_deref(),
        };
        json!({
            "job_id": self.id,
            "name": self.name,
            "start": written(self.schedule.start),
            "stop_after": self.stop_after(),
            "interval": self.schedule.interval.map(|seconds| seconds as f64),
            "schedule": self.schedule.document(),
            "callback_url": self.callback_url(),
            "callback_body": self.callback_body(),
            "scope": scope,
            "status": self.status(),
            "inactive_reason": self.inactive_reason(),
            "activity": self.activity(),
            "submitted_at": written(self.submitted),
            "last_ran_at": self.last_run.map(written),
            "next_run": self.schedule.next(self.runs).map(written),
            "n_runs": self.runs,
            "n_errors": 0,
            "results": {"data": results, "page_next": null},
        })
    }

    fn callback_url(&self) -> String {
        match &self.work {
            Work::Transfer => {
                "https://actions.automate.globus.org/transfer/transfer/run".to_owned()
            }
            Work::Flow { id, .. } => format!("https://flows.automate.globus.org/flows/{id}/run"),
            Work::Callback { url, .. } => url.clone(),
        }
    }

    fn callback_body(&self) -> Value {
        match &self.work {
            Work::Transfer => json!({"body": self.body}),
            _ => self.body.clone(),
        }
    }

    fn stop_after(&self) -> Value {
        match (self.schedule.runs, self.schedule.until) {
            (None, None) => Value::Null,
            (runs, until) => json!({"date": until.map(written), "n_runs": runs}),
        }
    }

    /// The result of the last run.
    fn result(&self, at: SystemTime) -> Value {
        let data = json!({
            "action_id": self.id.simple().to_string(),
            "completion_time": written(at),
            "creator_id": format!("urn:globus:auth:identity:{}", self.by.user),
            "details": {},
            "display_status": "SUCCEEDED",
            "label": self.name,
            "manage_by": [],
            "monitor_by": [],
            "release_after": "P30D",
            "start_time": written(at),
            "status": "SUCCEEDED",
        });
        json!({"data": data, "errors": null, "status": 202, "ran_at": written(at)})
    }
}
