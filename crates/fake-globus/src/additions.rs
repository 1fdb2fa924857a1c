//! What can be added to the services that have no files: flows, groups, endpoints of Compute.

use serde_json::{Value, json};

use super::command::CommandError;
use super::compute::ComputeEndpoint;
use super::flows::Flow;
use super::groups::Group;
use super::state::State;

pub(super) fn flow(state: &mut State, flow: Flow) -> Result<Value, CommandError> {
    let (id, scope) = (flow.id, flow.scope());
    if state.flows.flow(id).is_some() {
        return Err(format!("two flows have the id {id}").into());
    }
    state.flows.flows.push(flow);
    Ok(json!({"id": id, "scope": scope}))
}

pub(super) fn group(state: &mut State, group: Group) -> Result<Value, CommandError> {
    let id = group.id();
    if state.groups.iter().any(|known| known.id() == id) {
        return Err(format!("two groups have the id {id}").into());
    }
    state.groups.push(group);
    Ok(json!({"id": id}))
}

pub(super) fn compute_endpoint(
    state: &mut State,
    endpoint: ComputeEndpoint,
) -> Result<Value, CommandError> {
    let (id, known) = (endpoint.id, &mut state.compute.endpoints);
    if known.iter().any(|known| known.id == id) {
        return Err(format!("two Compute endpoints have the id {id}").into());
    }
    known.push(endpoint);
    Ok(json!({"id": id}))
}
