//! Columns and colours on a real terminal.

use std::fs;

use checks::site::*;
use unicode_width::UnicodeWidthStr;

use crate::support::screen::Screen;
use crate::support::*;

/// A site with many files, some with names that are not ASCII; and the sorted names.
async fn site_with_many_names() -> (Site, Vec<String>) {
    let site = Site::new(PROGRAM).await;
    let mut names = vec![
        "README.txt".to_owned(),
        "figures/".to_owned(),
        "measurements.csv".to_owned(),
    ];
    for number in 0..30 {
        names.push(format!(
            "run-{}",
            "0".repeat(number % 7 + 1) + &number.to_string()
        ));
    }
    names.extend(["日本語.txt", "👩\u{200d}🔬.txt", "e\u{301}te.txt"].map(str::to_owned));
    for name in names.iter().filter(|name| !name.ends_with('/')) {
        fs::write(site.directory.path().join(name), "").expect("a file");
    }
    names.sort();
    (site, names)
}

/// Lists at a terminal of this width, without a spinner, and returns the output.
async fn shown(
    site: &Site,
    columns: u16,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> String {
    let mut command = site.with_token(&[arguments, &[&site.collection]].concat());
    command.env("TERM", "dumb").envs(variables.iter().copied());
    let mut screen = Screen::with_columns(&mut command, columns);
    screen.ended(0).await
}

#[checks::test(seconds = 600)]
async fn columns_fit_every_width() {
    let (site, names) = site_with_many_names().await;
    let mut heights = Vec::new();
    for columns in [20, 21, 40, 79, 80, 81, 120, 200] {
        let shown = shown(&site, columns, &[], &[]).await;
        assert!(!shown.contains('\u{1b}'), "{columns}: {shown:?}");
        let lines: Vec<&str> = shown.lines().collect();
        for line in &lines {
            let width = line.trim_end().width();
            assert!(width <= columns.into(), "{columns}: {width} {line:?}");
        }
        let mut seen: Vec<&str> = shown.split_whitespace().collect();
        seen.sort();
        assert_eq!(seen, names, "{columns}");
        heights.push(lines.len());
    }
    assert!(
        heights.is_sorted_by(|left, right| left >= right),
        "{heights:?}"
    );
    assert!(heights[0] > heights[7] * 3, "{heights:?}");
}

#[checks::test(seconds = 600)]
async fn option_prints_one_name_a_line() {
    let (site, names) = site_with_many_names().await;
    for arguments in [&["-1"][..], &["-R", "--depth", "0"]] {
        let shown = shown(&site, 200, arguments, &[]).await;
        assert_eq!(shown.lines().count(), names.len(), "{shown:?}");
    }
}

#[checks::test(seconds = 600)]
async fn colours_are_those_of_ls_colors() {
    let site = Site::new(PROGRAM).await;
    let colours = "di=01;33:*.csv=00;35:no=0:fi=0";
    let xterm = ("TERM", "xterm");
    let shown_with = async |variables: &[(&str, &str)]| shown(&site, 80, &["-1"], variables).await;
    let coloured = shown_with(&[xterm, ("LS_COLORS", colours)]).await;
    assert!(
        coloured.contains("\u{1b}[1;33mfigures\u{1b}[0m/\r\n"),
        "{coloured:?}"
    );
    assert!(
        coloured.contains("\u{1b}[35mmeasurements.csv\u{1b}[0m\r\n"),
        "{coloured:?}"
    );
    for variables in [
        &[("TERM", "dumb"), ("LS_COLORS", colours)][..],
        &[xterm, ("LS_COLORS", colours), ("NO_COLOR", "1")],
    ] {
        let plain = shown_with(variables).await;
        assert!(
            !plain.contains("[1;33m") && !plain.contains("[35m"),
            "{plain:?}"
        );
    }
}

#[checks::test(seconds = 600)]
async fn spinner_is_shown_unless_the_terminal_is_dumb() {
    let site = Site::new(PROGRAM).await;
    for (terminal, is_shown) in [("xterm", true), ("dumb", false)] {
        let shown = shown(&site, 80, &["-R"], &[("TERM", terminal)]).await;
        assert_eq!(
            shown.contains("waiting for 127.0.0.1"),
            is_shown,
            "{shown:?}"
        );
        assert!(shown.contains("figures/sketch.svg\r\n"), "{shown:?}");
    }
    // Without a terminal there is no spinner.
    let ran = run(site.with_token(&["-R", &site.collection])).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}
