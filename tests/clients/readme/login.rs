//! As it stands in the README.

pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = globus_login::GlobusApp::user(std::env::var("GLOBUS_CLIENT_ID")?);
    let login = globus_gare::reqwest::GareMiddleware::new(app.app_name("My program").build()?);
    let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new());
    let url = globus_gare::Environment::from_env().service_url("transfer")? + "v0.10/task_list";
    let tasks = http.with(login).build().get(url).send().await?;
    println!("{}", tasks.text().await?);
    Ok(())
}
