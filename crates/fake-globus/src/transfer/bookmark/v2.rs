//! The same bookmarks in the second version of Transfer's API.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::Bearer;
use crate::state::State as ServerState;
use crate::transfer::Transfer;
use crate::transfer::answer::{Answer, Document};
use crate::transfer::error::{self, TransferError};
use crate::transfer::jsonapi::{collection, document};
use crate::world::Shared;

use super::{Bookmark, Fields};

/// The body of a request: a document of JSON:API.
#[derive(Debug, Deserialize)]
pub(in crate::transfer) struct BookmarkBody {
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    #[serde(default)]
    attributes: Fields,
    relationships: Option<Relationships>,
}

#[derive(Debug, Deserialize)]
struct Relationships {
    collection: Relationship,
}

#[derive(Debug, Deserialize)]
struct Relationship {
    data: Related,
}

#[derive(Debug, Deserialize)]
struct Related {
    id: Uuid,
}

type Body = Result<Json<BookmarkBody>, JsonRejection>;

impl Bookmark {
    fn resource(&self) -> Value {
        json!({
            "type": "Bookmark",
            "id": self.id,
            "attributes": {"name": self.name, "path": self.path},
            "relationships": {"collection": {"data": {"type": "Collection", "id": self.collection}}},
        })
    }
}

/// The collections of the bookmarks.
fn included<'b>(state: &ServerState, bookmarks: impl Iterator<Item = &'b Bookmark>) -> Vec<Value> {
    let collections = bookmarks.filter_map(|bookmark| state.collection(bookmark.collection));
    let included = collections.map(|served| collection(&served.collection));
    included.collect()
}

fn read(body: Body) -> Result<Fields, TransferError> {
    let BookmarkBody { data } = error::body(body)?;
    let related = data.relationships.map(|given| given.collection.data.id);
    Ok(Fields {
        endpoint_id: related,
        ..data.attributes
    })
}

pub(in crate::transfer) async fn list(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
) -> Document {
    let state = world.state();
    let own = || state.transfer.of(caller.user.id());
    let resources = own().map(Bookmark::resource).collect();
    let included = included(&state, own());
    Document::ok(document(resources, Some(included)))
}

pub(in crate::transfer) async fn create(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    body: Body,
) -> Answer {
    let fields = read(body)?;
    let mut state = world.state();
    let bookmark = state.transfer.add(caller.user.id(), fields)?;
    let document = document(bookmark.resource(), None);
    Ok(Document(StatusCode::CREATED, document))
}

pub(in crate::transfer) async fn one(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let state = world.state();
    let bookmark = state.transfer.bookmark(caller.user.id(), &id)?;
    let included = included(&state, std::iter::once(bookmark));
    Ok(Document::ok(document(bookmark.resource(), Some(included))))
}

pub(in crate::transfer) async fn update(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let fields = read(body)?;
    let mut state = world.state();
    let bookmark = state.transfer.rewrite(caller.user.id(), &id, fields)?;
    Ok(Document::ok(document(bookmark.resource(), None)))
}

pub(in crate::transfer) async fn delete(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    world.state().transfer.forget(caller.user.id(), &id)?;
    Ok(Document::ok(document(Value::Null, None)))
}
