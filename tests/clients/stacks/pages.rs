//! A thousand listings, 32 at a time, while the session expires every 250.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use checks::sample::{GivenOut, Sample};
use fake_globus::FakeGlobus;
use futures_util::{StreamExt, TryStreamExt, stream};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Session, Trust};
use globus_gare::reqwest::GareMiddleware;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceExt};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const DIRECTORIES: u64 = 1000;

struct World {
    globus: Arc<FakeGlobus>,
    session: Session,
    base: String,
    listed: AtomicU64,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let sample = Sample::guarded(|collection| collection.session_minutes(10)).await;
        for number in 0..DIRECTORIES {
            sample.write(format!("run-{number:04}/result-{number:04}.csv"), "");
        }
        let base = format!("{}?path=", sample.listing());
        let globus = Arc::new(sample.of.globus);
        let login = GivenOut {
            globus: Arc::clone(&globus),
            ada: sample.of.ada,
        };
        Self {
            globus,
            session: Session::builder(login)
                .trust(Trust::none().loopback())
                .build(),
            base,
            listed: AtomicU64::new(0),
            _directory: sample.directory,
        }
    }

    fn url(&self, number: u64) -> String {
        format!("{}/run-{number:04}", self.base)
    }

    /// Checks a listing, and advances the clock, so that each session lasts for 250 listings.
    fn check(&self, number: u64, listing: &[u8]) -> Result<u64, BoxError> {
        let listing: serde_json::Value = serde_json::from_slice(listing)?;
        let entries = listing["DATA"].as_array().ok_or("not a listing")?;
        let names: Vec<_> = entries
            .iter()
            .filter_map(|entry| entry["name"].as_str())
            .collect();
        if names != [format!("result-{number:04}.csv")] {
            return Err(format!("{number}: {names:?}").into());
        }
        if (self.listed.fetch_add(1, SeqCst) + 1).is_multiple_of(25) {
            self.globus.clock().advance(Duration::from_secs(60));
        }
        Ok(number)
    }

    fn is_well(&self, numbers: BTreeSet<u64>) {
        assert!(numbers.into_iter().eq(0..DIRECTORIES));
        let stats = self.session.stats();
        assert!((3..=5).contains(&stats.logins), "{stats:?}");
        assert_eq!(
            (stats.failed_logins, stats.gave_up.values().sum::<u64>()),
            (0, 0)
        );
        // One login each time the session expires, however many requests are challenged together.
        assert_eq!(stats.challenges, stats.replays, "{stats:?}");
        // Requests that are challenged together share one look-up.
        assert!(stats.look_ups < stats.challenges, "{stats:?}");
        let violations = self.globus.violations();
        assert!(violations.is_empty(), "{violations:?}");
        let listings = self.globus.counts().listings as u64;
        assert_eq!(
            listings,
            DIRECTORIES + stats.replays,
            "each was sent as often as needed"
        );
    }
}

#[checks::test(flavor = "multi_thread")]
async fn hyper_client_lists_all_pages_with_one_login() -> Result<(), BoxError> {
    let world = World::new().await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let client = GareLayer::from_session(world.session.clone()).layer(client);
    let numbers = stream::iter(0..DIRECTORIES)
        .map(|number| {
            let (client, world) = (client.clone(), &world);
            async move {
                let request = Request::get(world.url(number)).body(Full::default())?;
                let response = client.oneshot(request).await?;
                let listing = response.into_body().collect().await?.to_bytes();
                world.check(number, &listing)
            }
        })
        .buffer_unordered(32)
        .try_collect()
        .await?;
    world.is_well(numbers);
    Ok(())
}

#[checks::test]
async fn reqwest_client_lists_all_pages_with_one_login() -> Result<(), BoxError> {
    let world = World::new().await;
    let client = reqwest_middleware::ClientBuilder::new(checks::browser::client())
        .with(GareMiddleware::from_session(world.session.clone()))
        .build();
    let numbers = stream::iter(0..DIRECTORIES)
        .map(|number| {
            let (client, world) = (&client, &world);
            async move {
                let response = client.get(world.url(number)).send().await?;
                world.check(number, &response.bytes().await?)
            }
        })
        .buffer_unordered(32)
        .try_collect()
        .await?;
    world.is_well(numbers);
    Ok(())
}
