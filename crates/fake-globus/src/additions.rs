//! Commands that add flows, groups and Compute endpoints.

use serde_json::{Value, json};

use super::collection::Policy;
use super::command::CommandError;
use super::compute::ComputeEndpoint;
use super::flows::Flow;
use super::groups::Group;
use super::session::{Demand, never_met};
use super::state::State;

pub(super) fn flow(state: &mut State, flow: Flow) -> Result<Value, CommandError> {
    let (id, scope) = (flow.id, flow.scope());
    if state.flows.flow(id).is_some() {
        return Err(format!("two flows have the id {id}").into());
    }
    satisfiable(&flow.policies, || format!("flow \"{}\"", flow.title))?;
    state.flows.flows.push(flow);
    Ok(json!({"id": id, "scope": scope}))
}

pub(super) fn group(state: &mut State, group: Group) -> Result<Value, CommandError> {
    let id = group.id();
    if state.groups.iter().any(|known| known.id() == id) {
        return Err(format!("two groups have the id {id}").into());
    }
    if let Some(contradiction) = group.contradiction() {
        return Err(contradiction.into());
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
    satisfiable(&endpoint.policies, || {
        format!("Compute endpoint \"{}\"", endpoint.name)
    })?;
    known.push(endpoint);
    Ok(json!({"id": id}))
}

/// Checks that a login can satisfy the policies of `guarded`.
fn satisfiable(policies: &[Policy], guarded: impl FnOnce() -> String) -> Result<(), CommandError> {
    let mut demands = policies.iter().map(|policy| &policy.demand);
    if demands.any(Demand::is_never_met) {
        return Err(never_met(&guarded()).into());
    }
    Ok(())
}
