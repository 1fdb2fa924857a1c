//! Faults of one of the back ends behind a collection's server: they stay with the connection that met them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::IncomingStream;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::text;

/// A connection to a collection's server, told apart from all others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection(u64);

impl Connected<IncomingStream<'_, TcpListener>> for Connection {
    fn connect_info(_: IncomingStream<'_, TcpListener>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What goes wrong on the next connections that a request comes on, for as long as they last.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BrokenBackEnd {
    /// The collection whose server it is; any where none is named.
    #[serde(default)]
    pub(crate) collection: Option<Uuid>,
    /// How many connections.
    #[serde(default = "one")]
    pub(crate) connections: usize,
    #[serde(default)]
    pub(crate) error: BackEndError,
}

fn one() -> usize {
    1
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BackEndError {
    #[default]
    EndpointError,
    InternalError,
}

/// The faults to come, and the connections that have met one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BackEnds {
    to_come: Vec<BrokenBackEnd>,
    /// In no dump: connections end with the server.
    #[serde(skip)]
    met: HashMap<u64, BackEndError>,
}

impl BackEnds {
    pub(crate) fn break_one(&mut self, broken: BrokenBackEnd) {
        self.to_come.push(broken);
    }

    /// Mends all of them, for connections that are open, too.
    pub(crate) fn mend(&mut self) {
        *self = Self::default();
    }

    /// The answer to every request on a connection that has met a fault, or meets one now.
    pub(super) fn answer(&mut self, collection: Uuid, connection: Connection) -> Option<Response> {
        let met = self.met.get(&connection.0).copied();
        let error = met.or_else(|| {
            let error = self.next(collection)?;
            self.met.insert(connection.0, error);
            Some(error)
        })?;
        Some(match error {
            BackEndError::EndpointError => text::endpoint_error(),
            BackEndError::InternalError => text::internal("The server could not be reached"),
        })
    }

    fn next(&mut self, collection: Uuid) -> Option<BackEndError> {
        self.to_come.retain(|broken| broken.connections > 0);
        let mut to_come = self.to_come.iter_mut();
        let broken = to_come.find(|broken| broken.collection.is_none_or(|id| id == collection))?;
        broken.connections -= 1;
        Some(broken.error)
    }
}
