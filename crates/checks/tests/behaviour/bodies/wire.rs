//! Random chunks over a real connection, to a service that may answer early.

use http::Request;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::clients::{Client, Hyper, Login, ReqwestMiddleware, Transport, Upload, read};
use super::service::{Service, received};
use super::source::Step;

/// How much `ReplayBody::new` keeps.
const LIMIT: usize = 64 * 1024;

#[derive(Clone, Debug)]
struct Case {
    steps: Vec<Step>,
    sized: bool,
    manner: &'static str,
    transport: Transport,
}

fn cases() -> impl Strategy<Value = Case> {
    // Small chunks, and some that exceed the limit.
    let size = prop_oneof![4 => 0usize..200, 2 => 8_000usize..40_000];
    let step = prop_oneof![
        3 => (size, any::<u8>()).prop_map(|(size, byte)| Step::Data(vec![byte; size])),
        1 => Just(Step::Yield),
    ];
    let manner = prop_oneof![Just("whole"), Just("partly"), Just("early")];
    let transport = prop_oneof![Just(Transport::Http1), Just(Transport::Http2)];
    let steps = vec(step, 0..8);
    (steps, any::<bool>(), manner, transport).prop_map(|(steps, sized, manner, transport)| Case {
        steps,
        sized,
        manner,
        transport,
    })
}

/// Asserts that the body is replayed, or that the outcome says why not.
async fn assert_replayed_or_reported<C: Client>(case: Case) {
    let whole: Vec<u8> = case
        .steps
        .iter()
        .flat_map(|step| match step {
            Step::Data(data) => data.as_slice(),
            _ => &[],
        })
        .copied()
        .collect();
    let service = Service::default();
    let server = service.start().await;
    let login = Login::new();
    let request = Request::post(server.url(&format!("/upload/{}", case.manner)))
        .body(Upload::Stream(case.steps, case.sized))
        .expect("a request");
    let client = C::new(case.transport);
    let (got, outcome) = read(client.send(request, Some(&login)).await).await;
    match outcome.expect("an outcome") {
        None => {
            assert_eq!(got.data, received(&whole, false));
            assert_eq!(got.status, 200);
        }
        Some(reason) => {
            assert_eq!((got.status.as_u16(), reason), (403, "not_replayable"));
            assert!(whole.len() > LIMIT, "not replayed within the limit");
        }
    }
    if case.manner == "whole" {
        assert_eq!(got.status == 200, whole.len() <= LIMIT);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[checks::test(seconds = 600)]
    fn layer_replays_the_body_or_reports_why_not(case in cases()) {
        Runtime::new().expect("a runtime").block_on(assert_replayed_or_reported::<Hyper>(case));
    }

    #[checks::test(seconds = 600)]
    fn middleware_replays_the_body_or_reports_why_not(case in cases()) {
        Runtime::new().expect("a runtime").block_on(assert_replayed_or_reported::<ReqwestMiddleware>(case));
    }
}
