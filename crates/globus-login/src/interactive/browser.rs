//! Starting the browser.

use std::time::Duration;

use tracing::subscriber::NoSubscriber;
use webbrowser::{Browser, BrowserOptions};

/// How long it is waited for a browser that does not start. One that starts, and
/// does not say so, is as good as one that does.
const STARTING: Duration = Duration::from_secs(5);

/// Opens `url`, or tells why not. No log event has the URL.
pub(super) async fn open(url: String) -> Result<(), String> {
    let (sender, opened) = tokio::sync::oneshot::channel();
    // On a thread that nobody waits for: some launchers stay as long as their browser.
    std::thread::spawn(move || {
        // The launcher logs what it runs.
        let _quiet = tracing::subscriber::set_default(NoSubscriber::new());
        let options = BrowserOptions::new();
        let done = webbrowser::open_browser_with_options(Browser::Default, &url, &options);
        let _ = sender.send(done.map_err(|error| error.to_string()));
    });
    match tokio::time::timeout(STARTING, opened).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err("it crashed".to_owned()),
        Err(_) => Ok(()),
    }
}
