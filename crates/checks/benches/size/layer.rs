use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let service = service_fn(|request: Request<Full<Bytes>>| async move {
        let known = request.headers().contains_key("authorization");
        let body = if known { "{}" } else { r#"{"authorization_parameters": {}}"# };
        Response::builder().status(if known { 200 } else { 403 }).body(Full::new(Bytes::from(body)))
    });
    let login = reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
    let service = GareLayer::new(login).layer(service);
    let answer = runtime.block_on(async {
        let request = Request::get("https://transfer.api.globus.org/").body(Full::default()).unwrap();
        let answer = service.oneshot(request).await.unwrap();
        (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
    });
    println!("{answer:?}");
}
