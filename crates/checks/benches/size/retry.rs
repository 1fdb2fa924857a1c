use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let policy = ExponentialBackoff::builder().build_with_max_retries(3);
    let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(RetryTransientMiddleware::new_with_policy(policy))
        .build();
    let answer = runtime.block_on(async {
        let answer = client.get("http://127.0.0.1:1/").send().await?;
        Ok::<_, reqwest_middleware::Error>((answer.status(), answer.bytes().await?))
    });
    println!("{answer:?}");
}
