//! Runtimes on which nobody can log in, or that stop while somebody does.

use globus_gare::layer::GareLayer;
use globus_gare::reauth::GaveUp;
use tower::ServiceExt;

use checks::mock::{Login, behind, get, let_in_first, outcome};

#[checks::test]
async fn login_without_a_runtime_is_an_error_and_no_panic() {
    let client = behind(&GareLayer::new(Login::at_once()), let_in_first);
    let response = std::thread::spawn(move || {
        let request = get("/");
        futures_util::future::FutureExt::now_or_never(async {
            let mut response = Box::pin(client.oneshot(request));
            loop {
                if let std::task::Poll::Ready(response) = futures_util::poll!(&mut response) {
                    return response;
                }
            }
        })
    });
    let response = response
        .join()
        .expect("no panic")
        .expect("done")
        .expect("a response");
    let refusal = outcome(&response).gave_up();
    let Some(GaveUp::Failed(error)) = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(error.to_string(), "a login needs a running tokio runtime");
    assert!(!(error.is_declined() || error.is_timeout()), "{error:?}");
}
