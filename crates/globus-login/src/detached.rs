use globus_gare::reauth::ReauthError;

/// Runs work in a task, so that dropping the caller does not stop the work halfway.
pub(super) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, ReauthError>> + Send + 'static,
) -> Result<T, ReauthError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| {
        let message = "a task of globus-login panicked, or its runtime stopped: try again";
        Err(ReauthError::new(message).with_source(error))
    })
}
