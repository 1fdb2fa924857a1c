//! Bookmarks: names of users for paths of collections.

pub(super) mod v2;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::set;
use crate::service::Bearer;
use crate::world::Shared;

use super::answer::{Answer, Document};
use super::error::{self, TransferError};
use super::{Transfer, TransferState};

/// A bookmark of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Bookmark {
    id: Uuid,
    owner: Uuid,
    collection: Uuid,
    name: String,
    path: String,
    pinned: bool,
}

/// The fields of a request that creates or changes a bookmark.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Fields {
    endpoint_id: Option<Uuid>,
    name: Option<String>,
    path: Option<String>,
    pinned: Option<bool>,
}

type Body = Result<Json<Fields>, JsonRejection>;

impl Bookmark {
    fn document(&self) -> Value {
        json!({
            "DATA_TYPE": "bookmark",
            "id": self.id,
            "endpoint_id": self.collection,
            "name": self.name,
            "path": self.path,
            "pinned": self.pinned,
        })
    }
}

impl TransferState {
    fn add(&mut self, owner: Uuid, fields: Fields) -> Result<&Bookmark, TransferError> {
        let missing =
            |name: &str| TransferError::bad_request(format!("A bookmark requires a {name}"));
        let bookmark = Bookmark {
            id: Uuid::new_v4(),
            owner,
            collection: fields.endpoint_id.ok_or_else(|| missing("collection"))?,
            name: fields.name.ok_or_else(|| missing("name"))?,
            path: fields.path.ok_or_else(|| missing("path"))?,
            pinned: fields.pinned.unwrap_or_default(),
        };
        self.is_free(owner, &bookmark.name, None)?;
        let place = self.bookmarks.len();
        self.bookmarks.push(bookmark);
        Ok(&self.bookmarks[place])
    }

    /// Checks that `owner` has no other bookmark with this name. The bookmark with the id `but` is
    /// ignored.
    fn is_free(&self, owner: Uuid, name: &str, but: Option<Uuid>) -> Result<(), TransferError> {
        let mut own = self.of(owner);
        if own.any(|known| known.name == name && Some(known.id) != but) {
            let message = format!("A bookmark with the name '{name}' exists already");
            return Err(TransferError::new(
                StatusCode::CONFLICT,
                "Conflict",
                message,
            ));
        }
        Ok(())
    }

    fn of(&self, owner: Uuid) -> impl Iterator<Item = &Bookmark> {
        let bookmarks = self.bookmarks.iter();
        bookmarks.filter(move |bookmark| bookmark.owner == owner)
    }

    fn place(&self, owner: Uuid, id: &str) -> Result<usize, TransferError> {
        let mut bookmarks = self.bookmarks.iter();
        let found = bookmarks.position(|known| known.owner == owner && known.id.to_string() == id);
        found.ok_or_else(|| {
            let message = format!("No bookmark with id '{id}' was found");
            TransferError::new(StatusCode::NOT_FOUND, "BookmarkNotFound", message)
        })
    }

    fn bookmark(&self, owner: Uuid, id: &str) -> Result<&Bookmark, TransferError> {
        self.place(owner, id).map(|place| &self.bookmarks[place])
    }

    fn rewrite(
        &mut self,
        owner: Uuid,
        id: &str,
        fields: Fields,
    ) -> Result<&Bookmark, TransferError> {
        let place = self.place(owner, id)?;
        if let Some(name) = &fields.name {
            self.is_free(owner, name, Some(self.bookmarks[place].id))?;
        }
        let bookmark = &mut self.bookmarks[place];
        set(&mut bookmark.name, fields.name);
        set(&mut bookmark.path, fields.path);
        set(&mut bookmark.pinned, fields.pinned);
        Ok(bookmark)
    }

    fn forget(&mut self, owner: Uuid, id: &str) -> Result<(), TransferError> {
        let place = self.place(owner, id)?;
        self.bookmarks.remove(place);
        Ok(())
    }
}

/// `GET bookmark_list`.
pub(super) async fn list(State(world): State<Shared>, caller: Bearer<Transfer>) -> Document {
    let state = world.state();
    let documents = state.transfer.of(caller.user.id()).map(Bookmark::document);
    let documents: Vec<Value> = documents.collect();
    Document::ok(json!({"DATA_TYPE": "bookmark_list", "DATA": documents}))
}

/// `POST bookmark`.
pub(super) async fn create(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    body: Body,
) -> Answer {
    let fields = error::body(body)?;
    let mut state = world.state();
    let bookmark = state.transfer.add(caller.user.id(), fields)?;
    Ok(Document(StatusCode::CREATED, bookmark.document()))
}

/// `GET bookmark/{id}`.
pub(super) async fn one(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    let state = world.state();
    let bookmark = state.transfer.bookmark(caller.user.id(), &id)?;
    Ok(Document::ok(bookmark.document()))
}

/// `PUT bookmark/{id}`.
pub(super) async fn update(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let fields = error::body(body)?;
    let mut state = world.state();
    let bookmark = state.transfer.rewrite(caller.user.id(), &id, fields)?;
    Ok(Document::ok(bookmark.document()))
}

/// `DELETE bookmark/{id}`.
pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Bearer<Transfer>,
    Path(id): Path<String>,
) -> Answer {
    world.state().transfer.forget(caller.user.id(), &id)?;
    Ok(Document::ok(json!({
        "DATA_TYPE": "result",
        "code": "BookmarkDeleted",
        "message": format!("Bookmark '{id}' deleted successfully"),
    })))
}
