//! Compares `globus-ls` with the official `globus ls`.

use checks::site::{Site, command, run};
use peers::{programs, python};

#[checks::test(seconds = 600)]
async fn listing_equals_that_of_the_globus_command() {
    let script = python::script("cli.py");
    let site = Site::with_many_files(programs::globus_ls()).await;
    // A confidential client always has a fresh session.
    let globus = std::path::Path::new(script.get_program()).with_file_name("globus");
    for (theirs, ours) in [
        (&[][..], &[][..]),
        (&["-a"], &["-a"]),
        (&["--filter", "~*.csv"], &["--filter", "~*.csv"]),
        (&["--filter", "!~*.csv"], &["--filter", "!~*.csv"]),
        (&["--orderby", "size:DESC"], &["-S"]),
        (&["--orderby", "last_modified:ASC"], &["-tr"]),
        (&["-r"], &["-R"]),
        (
            &["-r", "--recursive-depth-limit", "1", "--filter", "~*.svg"],
            &["-R", "--depth", "1", "--filter", "~*.svg"],
        ),
    ] {
        let theirs_shows_all_directories = theirs.contains(&"-r") && theirs.contains(&"--filter");
        let arguments = [&["ls"], theirs, &[site.collection.as_str()]].concat();
        let mut command = command(&globus, &arguments);
        command
            .env("HOME", site.home.path())
            .env(
                "GLOBUS_SDK_SERVICE_URL_TRANSFER",
                site.globus.transfer_url(),
            )
            .env("GLOBUS_SDK_SERVICE_URL_AUTH", site.globus.auth_url())
            .env(
                "GLOBUS_CLI_CLIENT_ID",
                site.globus.confidential_client_id().to_string(),
            )
            .env("GLOBUS_CLI_CLIENT_SECRET", site.globus.client_secret())
            .env("NO_PROXY", "127.0.0.1");
        let said = run(command).await;
        assert_eq!(said.code, 0, "{}", said.stderr);
        let (mut theirs, mut ours): (Vec<String>, _) = (
            said.stdout.lines().map(str::to_owned).collect(),
            site.lines(ours).await,
        );
        if theirs_shows_all_directories {
            // Ours shows only directories that match.
            theirs.retain(|name| !name.ends_with('/'));
        }
        if theirs
            .iter()
            .any(|name| name.contains('/') && !name.ends_with('/'))
        {
            // Both list level by level. Theirs leaves the order of directories to the service.
            theirs.sort();
            ours.sort();
        }
        assert_eq!(ours, theirs);
    }
}
