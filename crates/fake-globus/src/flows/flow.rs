//! [`Flow`], and its documents.

use std::sync::LazyLock;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::collection::Policy;
use crate::gare::Gare;
use crate::identity::User;
use crate::session::Session;
use crate::stable_id::stable_id;
use crate::template;

/// A flow that transfers files.
///
/// A run uses the collections whose ids are in its input. It is inactive while one of them requires
/// another login or a consent.
///
/// ```
/// use fake_globus::{Flow, Policy};
///
/// let flow = Flow::new("Publish").policy(Policy::new("Campus").domain("uchicago.edu"));
/// println!("globus flows start {}", flow.id());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "FlowForm", into = "FlowForm")]
pub struct Flow {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) policies: Vec<Policy>,
}

impl Flow {
    /// A flow that every user may run. Its id is derived from its title.
    pub fn new(title: impl Into<String>) -> Self {
        let title = title.into();
        Self {
            id: stable_id("flow", &title),
            title,
            policies: Vec::new(),
        }
    }

    /// Sets the id. Default: derived from the title.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The id of the flow in requests, which is also the name of the flow's own resource server.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Demands that the session of a caller satisfies `policy`. With several policies, all of them.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// The scope that a token needs to run the flow.
    pub fn scope(&self) -> String {
        let name = self.id.to_string().replace('-', "_");
        format!(
            "https://auth.globus.org/scopes/{}/flow_{name}_user",
            self.id
        )
    }

    /// The requirement for a session that does not satisfy the policies.
    pub(crate) fn requirement(
        &self,
        session: &Session,
        user: &User,
        now: SystemTime,
    ) -> Option<Gare> {
        let mut policies = self.policies.iter();
        let all_met = policies.all(|policy| policy.demand.is_met(session, user, now));
        let ids = self.policies.iter().map(|policy| policy.id.to_string());
        (!all_met).then(|| Gare::policies(POLICY_MESSAGE, ids))
    }

    /// The part of the document that `include_flow_description` adds to a run.
    pub(super) fn description(&self) -> Value {
        let mut document = self.document("");
        let told = [
            "created_at",
            "created_by",
            "description",
            "flow_owner",
            "globus_auth_scope",
            "id",
            "keywords",
            "subtitle",
            "title",
            "updated_at",
        ];
        let told = told.map(|name| (name.to_owned(), document[name].take()));
        Value::Object(told.into_iter().collect())
    }

    pub(super) fn document(&self, base: &str) -> Value {
        let id = self.id;
        let owner = format!("urn:globus:auth:identity:{}", stable_id("identity", OWNER));
        let url = format!("{base}flows/{id}");
        template::over(
            &FLOW,
            &json!({
                "id": id,
                "title": self.title,
                "globus_auth_scope": self.scope(),
                "globus_auth_username": format!("{id}@clients.auth.globus.org"),
                "principal_urn": format!("urn:globus:auth:identity:{id}"),
                "authentication_policy_id": self.policies.first().map(|policy| policy.id),
                "created_by": owner,
                "flow_owner": owner,
                "flow_url": url,
                "action_url": url,
            }),
        )
    }
}

/// The message of Flows when a session does not satisfy a policy.
const POLICY_MESSAGE: &str =
    "Globus Flows detected an unsatisfied session policy for this resource.";

const OWNER: &str = "owner@globusid.org";

static FLOW: LazyLock<Map<String, Value>> =
    LazyLock::new(|| template::read(include_str!("../../data/flows/flow.json")));

/// A member of the template, such as the definition or the input schema, which all flows share.
pub(super) fn part(name: &str) -> Value {
    FLOW.get(name).cloned().unwrap_or_default()
}

/// The format of a flow in a configuration and in a dump.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowForm {
    title: String,
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Policy>,
}

impl From<FlowForm> for Flow {
    fn from(form: FlowForm) -> Self {
        let flow = Self::new(form.title);
        Self {
            id: form.id.unwrap_or(flow.id),
            policies: form.policies,
            ..flow
        }
    }
}

impl From<Flow> for FlowForm {
    fn from(flow: Flow) -> Self {
        Self {
            title: flow.title,
            id: Some(flow.id),
            policies: flow.policies,
        }
    }
}
