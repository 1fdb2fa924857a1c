fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::new();
    let answer = runtime.block_on(async {
        let answer = client.get("http://127.0.0.1:1/").send().await?;
        Ok::<_, reqwest::Error>((answer.status(), answer.bytes().await?))
    });
    println!("{answer:?}");
}
