//! Instances of native clients: each installed copy of a program registers itself and gets a
//! secret.

use axum::Json;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::error::{self, AuthError};
use crate::world::World;

use super::{ClientType, Details, Fields, document, register};

/// Registers an instance of the native client with the id `template`.
pub(super) fn create(
    world: &World,
    template: &str,
    fields: Fields,
) -> Result<Json<Value>, AuthError> {
    let mut state = world.state();
    let known = template.parse::<Uuid>().ok();
    let known = known.and_then(|id| state.clients.get(&id));
    let Some(template) = known.filter(|client| client.secret.is_none()) else {
        let detail = "template_id is not the id of a native client";
        return Err(error::forbidden(detail));
    };
    let details = Details {
        parent: Some(template.id),
        is_private: true,
        ..Details::default()
    };
    let fields = Fields {
        name: fields.name.or_else(|| Some(template.name.clone())),
        redirect_uris: Some(template.redirect_uris.clone()),
        project: None,
        ..fields
    };
    let client = register(&mut state, fields, ClientType::ConfidentialClient, details);
    let credential = json!({
        "id": Uuid::new_v4(),
        "name": "Auto-created at client creation",
        "client": client.id,
        "secret": client.secret,
    });
    let document = document(&state, &client);
    Ok(Json(json!({
        "client": document,
        "included": {"client_credential": credential},
    })))
}
