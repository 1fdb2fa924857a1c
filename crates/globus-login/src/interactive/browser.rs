//! Opens the browser.

use std::time::Duration;

use tracing::subscriber::NoSubscriber;
use webbrowser::{Browser, BrowserOptions};

/// How long to wait for the launcher of the browser. A launcher that runs longer counts as a
/// success: some run as long as their browser.
const STARTING: Duration = Duration::from_secs(5);

/// Opens `url`, or returns the reason why it cannot. No log event has the URL.
pub(super) async fn open(url: String) -> Result<(), String> {
    let (sender, opened) = tokio::sync::oneshot::channel();
    // On a thread of its own: some launchers run as long as their browser.
    std::thread::spawn(move || {
        // `webbrowser` logs the command with the URL.
        let _quiet = tracing::subscriber::set_default(NoSubscriber::new());
        let options = BrowserOptions::new();
        let done = webbrowser::open_browser_with_options(Browser::Default, &url, &options);
        let _ = sender.send(done.map_err(|error| error.to_string()));
    });
    match tokio::time::timeout(STARTING, opened).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err("the launcher crashed".to_owned()),
        Err(_) => Ok(()),
    }
}
