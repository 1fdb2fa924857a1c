//! Selection, order and form of listings.

use std::process::Stdio;

use checks::site::*;

use crate::support::*;

/// The recursive listing of a [`Site::with_many_files`] below the top, level by level.
const BELOW: [&str; 7] = [
    "figures/old/",
    "figures/sketch.svg",
    "figures/old/first.svg",
    "figures/old/older/",
    "figures/old/older/oldest/",
    "figures/old/older/second.svg",
    "figures/old/older/oldest/third.svg",
];

#[checks::test(seconds = 600)]
async fn filters_patterns_and_hidden_names_select_entries() {
    let site = Site::with_many_files(PROGRAM).await;
    for (arguments, expected) in [
        (
            &["--filter", "~*.csv"][..],
            &["big.csv", "measurements.csv", "notes.csv"][..],
        ),
        (&["--filter", "notes.csv"], &["notes.csv"]),
        (&["--filter", "=notes.csv"], &["notes.csv"]),
        (&["--filter", "!~*.csv"], &["README.txt", "figures/"]),
        (&["-a", "--filter", "~.*"], &[".hidden"]),
        (&["--filter", "~.*"], &[]),
    ] {
        assert_eq!(site.lines(arguments).await, expected, "{arguments:?}");
    }
    // Directories that do not match are listed, but not shown.
    let pictures = site.lines(&["--filter", "~*.svg", "-R"]).await;
    assert_eq!(pictures, [BELOW[1], BELOW[2], BELOW[5]]);
    for (path, expected) in [
        ("/*.csv", "big.csv\nmeasurements.csv\nnotes.csv\n"),
        ("*otes*", "notes.csv\n"),
        ("/figures/*.svg", "sketch.svg\n"),
        ("/~/fig*", "figures/\n"),
        ("/*.nothing", ""),
    ] {
        let ran = run(site.with_token(&[&format!("{}:{path}", site.collection)])).await;
        ran.assert_ended(0, expected);
    }
    for (arguments, says) in [
        (&["--filter", "a/b"][..], "contains no /"),
        (&["--filter", "a", "/*.csv"], "not both"),
        (&["/*/a"], "last part"),
        (&["/a,b*"], "cannot contain a comma"),
    ] {
        let ran = run(site.with_token(&[&[site.collection.as_str()], arguments].concat())).await;
        assert!(ran.error_line(2).contains(says), "{}", ran.stderr);
    }
}

#[checks::test(seconds = 600)]
async fn depth_bounds_a_recursive_listing() {
    let site = Site::with_many_files(PROGRAM).await;
    let top = [
        "README.txt",
        "big.csv",
        "figures/",
        "measurements.csv",
        "notes.csv",
    ];
    for (arguments, below) in [
        (&["-R", "--depth", "0"][..], 0),
        (&["-R", "--depth", "1"], 2),
        (&["-R", "--depth", "2"], 4),
        (&["-R"], 6),
        (&["-R", "--depth", "9"], 7),
    ] {
        let expected = [&top[..], &BELOW[..below]].concat();
        assert_eq!(site.lines(arguments).await, expected, "{arguments:?}");
    }
}

#[checks::test(seconds = 600)]
async fn entries_are_sorted_across_pages() {
    let site = Site::with_many_files(PROGRAM).await;
    for page_size in ["1", "2", "3", "100000"] {
        for (arguments, expected) in [
            (
                &[][..],
                "README.txt big.csv figures/ measurements.csv notes.csv",
            ),
            (
                &["-r"],
                "notes.csv measurements.csv figures/ big.csv README.txt",
            ),
            (
                &["--sort", "type", "-r"],
                "README.txt big.csv measurements.csv notes.csv figures/",
            ),
        ] {
            let arguments = [arguments, &["--page-size", page_size]].concat();
            assert_eq!(
                site.lines(&arguments).await.join(" "),
                expected,
                "{arguments:?}"
            );
        }
        let by_size = site.lines(&["-S", "--page-size", page_size]).await;
        let files: Vec<&str> = by_size
            .iter()
            .map(String::as_str)
            .filter(|name| *name != "figures/")
            .collect();
        assert_eq!(
            files,
            ["big.csv", "measurements.csv", "README.txt", "notes.csv"]
        );
    }
    let by_time = site.lines(&["-tr"]).await;
    assert_eq!(by_time[..2], ["big.csv", "notes.csv"]);
    assert_eq!(
        site.lines(&["-t"]).await.last().map(String::as_str),
        Some("big.csv")
    );
    let before = site.globus.counts().listings;
    site.lines(&["--page-size", "2"]).await;
    assert_eq!(
        site.globus.counts().listings - before,
        3,
        "five entries, two at a time"
    );

    let ran = run(site.with_token(&[
        "--format",
        "json",
        "--page-size",
        "2",
        "-R",
        &site.collection,
    ]))
    .await;
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let entries = document["DATA"].as_array().expect("entries");
    assert_eq!(
        (document["DATA_TYPE"].as_str(), &document["length"]),
        (Some("file_list"), &entries.len().into())
    );
    assert!(
        entries
            .iter()
            .any(|entry| entry["name"] == "figures/old/first.svg")
    );
}

#[checks::test(seconds = 600)]
async fn long_listing_shows_readable_sizes_and_local_times() {
    let site = Site::with_many_files(PROGRAM).await;
    let long = async |zone: &str, arguments: &[&str]| {
        let mut command = site.with_token(
            &[
                &["-l", "--filter", "big.csv", site.collection.as_str()],
                arguments,
            ]
            .concat(),
        );
        command.env("TZ", zone);
        run(command).await.stdout
    };
    // 2023-11-14T16:40:00Z
    for (zone, arguments, expected) in [
        (
            "UTC",
            &[][..],
            "-rw-r--r--     1.91 MiB  2023-11-14 16:40  big.csv\n",
        ),
        (
            "America/Chicago",
            &[],
            "-rw-r--r--     1.91 MiB  2023-11-14 10:40  big.csv\n",
        ),
        (
            "America/Chicago",
            &["--utc"],
            "-rw-r--r--     1.91 MiB  2023-11-14 16:40  big.csv\n",
        ),
        (
            "UTC",
            &["-b"],
            "-rw-r--r--      2000000  2023-11-14 16:40  big.csv\n",
        ),
    ] {
        assert_eq!(
            long(zone, arguments).await,
            expected,
            "{zone} {arguments:?}"
        );
    }
}

#[checks::test(seconds = 600)]
async fn completion_scripts_complete_options() {
    for (shell, says) in [
        ("bash", "_globus__ls()"),
        ("zsh", "#compdef globus-ls"),
        ("fish", "complete -c globus-ls"),
    ] {
        let ran = run(ls(&["completion", shell])).await;
        ran.assert_shows(&[says, "client-id"]);
    }
    assert_eq!(
        completed(ls(&["completion", "bash"]), "--fil").await,
        "--filter"
    );
}

/// What bash completes `globus-ls WORD` to, with the script that `completion` prints.
async fn completed(completion: tokio::process::Command, word: &str) -> String {
    let variables: Vec<_> = completion
        .as_std()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let script = run(completion).await.stdout;
    let ask = format!(
        "globus-ls() {{ {PROGRAM} \"$@\"; }}\n{script}\nCOMP_WORDS=(globus-ls {word}); COMP_CWORD=1; \
         _globus__ls globus-ls {word} globus-ls; echo \"${{COMPREPLY[@]}}\""
    );
    let said = std::process::Command::new("bash")
        .arg("-c")
        .arg(ask)
        .envs(variables)
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

#[checks::test(seconds = 600)]
async fn listed_collections_are_completed() {
    let site = Site::new(PROGRAM).await;
    let word = &site.collection[..6];
    let script = || site.with_token(&["completion", "bash"]);
    assert_eq!(completed(script(), word).await, "");
    run(site.with_token(&["collections"])).await.assert_said("");
    for _ in 0..2 {
        site.lines(&[]).await;
    }
    let listed = run(site.with_token(&["collections"])).await;
    listed.assert_said(&format!("{}\n", site.collection));
    assert_eq!(completed(script(), word).await, site.collection);
    for (shell, says) in [
        (
            "zsh",
            "::collection -- The id of the collection; COLLECTION\\:PATH is possible, too:{compadd $(globus-ls collections",
        ),
        ("fish", "-f -a \"(globus-ls collections"),
    ] {
        let script = run(ls(&["completion", shell])).await;
        script.assert_shows(&[says]);
    }
    let unknown = run(site.with_token(&["6c54cade-bde5-45c1-bdea-f4bd71dba2cc"])).await;
    assert_eq!(unknown.code, 1);
    let listed = run(site.with_token(&["collections"])).await;
    listed.assert_said(&format!("{}\n", site.collection));
}

#[checks::test(seconds = 600)]
async fn escaped_star_is_part_of_a_name() {
    let site = Site::new(PROGRAM).await;
    let directory = site.directory.path().join("5*");
    std::fs::create_dir(&directory).expect("a directory");
    std::fs::write(directory.join("rated.txt"), "").expect("a file");
    for path in ["/5\\*", "/5\\*/", "/5\\*/*.txt"] {
        let ran = run(site.with_token(&[&site.collection, path])).await;
        ran.assert_said("rated.txt\n");
    }
    for path in ["/5*/rated.txt", "/5\\*/*\\*"] {
        let ran = run(site.with_token(&[&site.collection, path])).await;
        assert!(ran.error_line(2).contains('*'), "{}", ran.stderr);
    }
}
