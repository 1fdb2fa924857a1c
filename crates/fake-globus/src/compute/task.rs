//! Functions and tasks, and their documents.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::{timestamp, unix};

/// A registered function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(super) id: Uuid,
    pub(super) owner: Uuid,
    pub(super) asked: FunctionRequest,
}

/// The body of a request that registers a function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FunctionRequest {
    function_name: String,
    function_code: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, alias = "meta")]
    metadata: Value,
}

impl Function {
    pub(super) fn document(&self) -> Value {
        json!({
            "function_uuid": self.id,
            "function_name": self.asked.function_name,
            "function_code": self.asked.function_code,
            "description": self.asked.description,
            "metadata": self.asked.metadata,
        })
    }
}

/// A task. It has succeeded when its submission is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(super) id: Uuid,
    pub(super) owner: Uuid,
    pub(super) group: Uuid,
    pub(super) at: SystemTime,
}

impl Task {
    pub(super) fn document(&self) -> Value {
        let at = unix(self.at);
        let transitions = json!({"execution-start": at, "execution-end": at});
        json!({
            "task_id": self.id,
            "status": "success",
            "result": "",
            "completion_t": at.to_string(),
            "details": {
                "os": "fake-globus",
                "python_version": "3.12.6",
                "dill_version": "0.3.9",
                "globus_compute_sdk_version": "2.31.0",
                "task_transitions": transitions,
            },
        })
    }

    /// The task in the document of its group.
    pub(super) fn listed(&self) -> Value {
        let at = timestamp(self.at).strftime("%Y-%m-%dT%H:%M:%S%.6f");
        json!({"id": self.id, "created_at": at.to_string()})
    }
}
