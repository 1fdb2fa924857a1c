//! Tunnels between stream access points. They are stored and returned, and carry no bytes.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::timestamp;
use crate::given::set;
use crate::service::{Bearer, Caller};
use crate::world::{Shared, World};

use super::answer::{Answer, Document};
use super::error::{self, TransferError};
use super::jsonapi::document;
use super::{Transfer, TransferState, access, stream};

/// A tunnel of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tunnel {
    id: Uuid,
    owner: Uuid,
    initiator: String,
    listener: String,
    created: String,
    state: Stage,
    attributes: Attributes,
    /// The events, with their times.
    events: Vec<(Event, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Stage {
    AwaitingListener,
    TunnelActive,
    Stopping,
    Stopped,
}

impl Stage {
    fn status(self) -> &'static str {
        match self {
            Self::AwaitingListener => "The tunnel is waiting for listening contact detail setup.",
            Self::TunnelActive => "The tunnel is active.",
            Self::Stopping => "A request to stop tunnel has been received.",
            Self::Stopped => "The tunnel has been stopped.",
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Event {
    Started,
    TunnelActive,
    TunnelStopped,
}

impl Event {
    fn description(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::TunnelActive => "tunnel is active",
            Self::TunnelStopped => "tunnel has been stopped",
        }
    }
}

/// The attributes of a tunnel in a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Attributes {
    label: Option<String>,
    submission_id: Option<Uuid>,
    lifetime_mins: Option<u64>,
    restartable: Option<bool>,
    listener_ip_address: Option<String>,
    listener_port: Option<u16>,
    #[serde(default, skip_serializing)]
    state: Option<Stage>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TunnelBody {
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(default)]
    attributes: Attributes,
    relationships: Option<Ends>,
}

#[derive(Debug, Deserialize)]
struct Ends {
    initiator: End,
    listener: End,
}

#[derive(Debug, Deserialize)]
struct End {
    data: Related,
}

#[derive(Debug, Deserialize)]
struct Related {
    id: String,
}

type Body = Result<Json<TunnelBody>, JsonRejection>;

impl Tunnel {
    fn resource(&self) -> Value {
        let related = |kind: &str, id: Value| json!({"data": {"type": kind, "id": id}});
        let of = &self.attributes;
        json!({
            "type": "Tunnel",
            "id": self.id,
            "attributes": {
                "created_time": self.created,
                "label": of.label,
                "submission_id": of.submission_id,
                "lifetime_mins": of.lifetime_mins.unwrap_or(360),
                "restartable": of.restartable.unwrap_or_default(),
                "initiator_ip_address": null,
                "initiator_port": null,
                "listener_ip_address": of.listener_ip_address,
                "listener_port": of.listener_port,
                "state": self.state,
                "status": self.state.status(),
            },
            "relationships": {
                "initiator": related("StreamAccessPoint", json!(self.initiator)),
                "listener": related("StreamAccessPoint", json!(self.listener)),
                "owner": related("Identity", json!(self.owner)),
            },
        })
    }

    fn becomes(&mut self, state: Stage, event: Event, at: String) {
        self.state = state;
        self.events.push((event, at));
    }
}

impl TransferState {
    fn tunnel(&mut self, owner: Uuid, id: &str) -> Result<&mut Tunnel, TransferError> {
        let mut tunnels = self.tunnels.iter_mut();
        let found = tunnels.find(|tunnel| tunnel.owner == owner && tunnel.id.to_string() == id);
        found.ok_or_else(|| {
            let message = format!("No tunnel with id '{id}' was found");
            TransferError::new(StatusCode::NOT_FOUND, "NotFound", message)
        })
    }
}

fn now(world: &World) -> String {
    let now = timestamp(world.clock.now());
    now.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

pub(super) async fn list(State(world): State<Shared>, caller: Bearer<Transfer>) -> Document {
    let state = world.state();
    let tunnels = state.transfer.tunnels.iter();
    let own = tunnels.filter(|tunnel| tunnel.owner == caller.user.id());
    Document::ok(document(own.map(Tunnel::resource).collect(), None))
}

/// `POST v2/tunnels`. The caller must satisfy the collections at both ends.
pub(super) async fn create(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    body: Body,
) -> Answer {
    let data = error::body(body)?.data;
    let ends = data.relationships;
    let ends = ends.ok_or_else(|| TransferError::bad_request("A tunnel requires two ends"))?;
    for end in [&ends.initiator, &ends.listener] {
        usable(&world, &caller, &end.data.id)?;
    }
    let owner = caller.user.id();
    let mut state = world.state();
    let submission = data.attributes.submission_id;
    let mut tunnels = state.transfer.tunnels.iter();
    let known = tunnels.find(|tunnel| {
        let is_same = submission.is_some() && tunnel.attributes.submission_id == submission;
        tunnel.owner == owner && is_same
    });
    if let Some(known) = known {
        return Ok(Document::ok(document(known.resource(), None)));
    }
    let at = now(&world);
    let tunnel = Tunnel {
        id: Uuid::new_v4(),
        owner,
        initiator: ends.initiator.data.id,
        listener: ends.listener.data.id,
        created: at.clone(),
        state: Stage::AwaitingListener,
        attributes: data.attributes,
        events: vec![(Event::Started, at)],
    };
    let document = document(tunnel.resource(), None);
    state.transfer.tunnels.push(tunnel);
    Ok(Document::ok(document))
}

fn usable(world: &World, caller: &Caller, point: &str) -> Result<(), TransferError> {
    let collection = stream::collection(&world.state(), point)?.id.to_string();
    access::collection(world, caller, &collection).map(|_| ())
}

pub(super) async fn one(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let mut state = world.state();
    let tunnel = state.transfer.tunnel(caller.user.id(), &id)?;
    Ok(Document::ok(document(tunnel.resource(), None)))
}

/// `PATCH v2/tunnels/{id}`: changes the label or the listener's address, or stops the tunnel. The
/// tunnel becomes active when the listener's address and port are known.
pub(super) async fn update(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let given = error::body(body)?.data.attributes;
    let at = now(&world);
    let mut state = world.state();
    let tunnel = state.transfer.tunnel(caller.user.id(), &id)?;
    if given.state.is_some_and(|state| state != Stage::Stopping) {
        return Err(TransferError::bad_request("A tunnel can only be stopped"));
    }
    if tunnel.state == Stage::Stopped {
        let message = "The tunnel has been stopped";
        return Err(TransferError::new(
            StatusCode::CONFLICT,
            "Conflict",
            message,
        ));
    }
    let of = &mut tunnel.attributes;
    set(&mut of.label, given.label.map(Some));
    set(
        &mut of.listener_ip_address,
        given.listener_ip_address.map(Some),
    );
    set(&mut of.listener_port, given.listener_port.map(Some));
    let is_known = of.listener_ip_address.is_some() && of.listener_port.is_some();
    if given.state.is_some() {
        tunnel.state = Stage::Stopping;
        let document = document(tunnel.resource(), None);
        tunnel.becomes(Stage::Stopped, Event::TunnelStopped, at);
        return Ok(Document::ok(document));
    }
    if is_known && tunnel.state == Stage::AwaitingListener {
        tunnel.becomes(Stage::TunnelActive, Event::TunnelActive, at);
    }
    Ok(Document::ok(document(tunnel.resource(), None)))
}

pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let mut state = world.state();
    let id = state.transfer.tunnel(caller.user.id(), &id)?.id;
    state.transfer.tunnels.retain(|tunnel| tunnel.id != id);
    Ok(Document::ok(document(Value::Null, None)))
}

pub(super) async fn events(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let mut state = world.state();
    let tunnel = state.transfer.tunnel(caller.user.id(), &id)?;
    let numbered = (1..).zip(&tunnel.events);
    let events = numbered.map(|(number, (event, at))| {
        json!({
            "type": "TunnelEvent",
            "id": number,
            "attributes": {
                "code": event,
                "is_error": false,
                "description": event.description(),
                "details": event.description(),
                "time": at,
            },
        })
    });
    Ok(Document::ok(document(events.collect(), None)))
}
