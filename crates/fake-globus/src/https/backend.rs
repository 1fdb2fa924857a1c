//! Simulated faults of a back end of a collection's HTTPS server. A fault lasts as long as its
//! connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::connect_info::Connected;
use axum::response::Response;
use axum::serve::IncomingStream;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::listen::Prompt;

use super::text;

/// The number of a connection to a collection's HTTPS server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection(u64);

impl Connected<IncomingStream<'_, Prompt>> for Connection {
    fn connect_info(_: IncomingStream<'_, Prompt>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A fault of the next connections that carry a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BrokenBackEnd {
    /// The collection of the server. Default: all collections.
    #[serde(default)]
    pub(crate) collection: Option<Uuid>,
    /// The number of connections.
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

/// The queued faults, and the connections that have one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BackEnds {
    to_come: Vec<BrokenBackEnd>,
    /// Not dumped: connections end with the server.
    #[serde(skip)]
    met: HashMap<u64, BackEndError>,
}

impl BackEnds {
    pub(crate) fn break_one(&mut self, broken: BrokenBackEnd) {
        self.to_come.push(broken);
    }

    /// Removes all faults, also from open connections.
    pub(crate) fn mend(&mut self) {
        *self = Self::default();
    }

    /// The error response, if the connection has a fault or takes a queued one now.
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
