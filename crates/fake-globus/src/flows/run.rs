//! Runs of flows, and their documents.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::written;
use crate::stable_id::stable_id;
use crate::unattended::{HeldUp, OnBehalf};

use super::flow;

/// The state of the flow in which a run waits.
const STATE: &str = "RunTransfer";
const INACTIVE: &str = "Flow run requires user intervention to proceed.";

/// A run. It has ended, or is inactive, when the request that started it is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(super) id: Uuid,
    pub(super) flow: Uuid,
    pub(super) flow_title: String,
    pub(super) by: OnBehalf,
    pub(super) asked: RunRequest,
    pub(super) started: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) status: Status,
}

/// The body of a request that starts a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct RunRequest {
    #[serde(default)]
    pub(super) body: Value,
    #[serde(default)]
    pub(super) label: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) run_managers: Vec<String>,
    #[serde(default)]
    pub(super) run_monitors: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Status {
    Succeeded,
    Inactive(HeldUp),
    Cancelled,
}

impl Status {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Inactive(_) => "INACTIVE",
            Self::Cancelled => "FAILED",
        }
    }
}

impl Run {
    /// The document of the run.
    pub(super) fn document(&self) -> Value {
        let details = match &self.status {
            Status::Succeeded => json!({
                "code": "FlowSucceeded",
                "description": "The Flow run reached a successful completion state",
                "output": {"input": self.asked.body, "RunTransferResult": self.action("SUCCEEDED", &json!({}))},
            }),
            Status::Inactive(held_up) => self.inactive(held_up),
            Status::Cancelled => json!({
                "time": written(self.ended),
                "code": "FlowCanceled",
                "description": "The Flow Instance was canceled by the user",
                "details": {},
            }),
        };
        self.with(self.status.name(), details)
    }

    /// The document in the response to a start or resume, in which the run is still active.
    pub(super) fn starting(&self) -> Value {
        let details = json!({
            "code": "FlowStarting",
            "description": "The Flow is starting execution",
            "details": {"input": self.asked.body},
        });
        self.with("ACTIVE", details)
    }

    /// The `details` of an inactive run: the requirement for the run, and the one for its action.
    fn inactive(&self, held_up: &HeldUp) -> Value {
        let (run, action) = (held_up.gare(0), held_up.gare(1));
        let mut of_action = action.document();
        of_action["description"] = action.message.as_str().into();
        let mut details = run.document();
        details["description"] = format!("{INACTIVE} For state '{STATE}': {}", run.message).into();
        details["state_name"] = STATE.into();
        if let ([of_run], [scope]) = (
            &run.parameters.required_scopes[..],
            &action.parameters.required_scopes[..],
        ) {
            // Older programs read this field.
            details["required_scope"] = of_run.as_str().into();
            of_action["required_scope"] = scope.as_str().into();
        }
        details["action_statuses"] = json!([self.action("INACTIVE", &of_action)]);
        details
    }

    fn action(&self, status: &str, details: &Value) -> Value {
        json!({
            "action_id": stable_id("action", &self.id.to_string()).simple().to_string(),
            "completion_time": written(self.ended),
            "creator_id": self.owner(),
            "details": details,
            "display_status": status,
            "label": self.asked.label,
            "manage_by": [],
            "monitor_by": [],
            "release_after": "P30D",
            "start_time": written(self.started),
            "state_name": STATE,
            "status": status,
        })
    }

    fn owner(&self) -> String {
        format!("urn:globus:auth:identity:{}", self.by.user)
    }

    fn with(&self, status: &str, details: Value) -> Value {
        let (asked, ended) = (&self.asked, status != "ACTIVE");
        json!({
            "run_id": self.id,
            "action_id": self.id,
            "flow_id": self.flow,
            "flow_title": self.flow_title,
            "flow_last_updated": flow::part("updated_at"),
            "start_time": written(self.started),
            "completion_time": ended.then(|| written(self.ended)),
            "status": status,
            "display_status": status,
            "details": details,
            "label": asked.label,
            "tags": asked.tags,
            "created_by": self.owner(),
            "run_owner": self.owner(),
            "run_managers": asked.run_managers,
            "run_monitors": asked.run_monitors,
            "manage_by": asked.run_managers,
            "monitor_by": asked.run_monitors,
            "user_role": "run_owner",
            "search": {"task_id": self.id},
        })
    }

    /// The log entries, the first one first.
    pub(super) fn log(&self) -> Vec<Value> {
        let entry = |at: SystemTime, code: &str, description: &str, details: Value| {
            json!({
                "time": written(at),
                "code": code,
                "description": description,
                "details": details,
            })
        };
        let details = self.document()["details"].take();
        let code = details["code"].as_str().unwrap_or_default().to_owned();
        let description = details["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let started = "The Flow Instance started execution";
        let input = json!({"input": self.asked.body});
        vec![
            entry(self.started, "FlowStarted", started, input),
            entry(self.ended, &code, &description, details),
        ]
    }
}
