//! A login that is not `Send`, while it runs in a task that may change its thread.

use std::rc::Rc;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};

async fn ask() -> String {
    String::from("token")
}

fn main() {
    let login = reauth_fn(|_| async {
        let prompt = Rc::new("Token: ");
        let token = ask().await;
        println!("{prompt}");
        Ok(Credential::bearer(token)?)
    });
    let _ = GareLayer::new(login);
}
