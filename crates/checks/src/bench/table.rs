//! Prints tables in Markdown, for the documentation.

/// Prints a table. The first column is left-aligned, the others are right-aligned.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        longest.max(head[column].chars().count())
    };
    let line = |cells: &[String]| {
        let cells = cells.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            if column == 0 {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let head_cells: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    println!("\n## {title}\n\n{}", line(&head_cells));
    let rule = (0..head.len()).map(|column| {
        let dashes = "-".repeat(width(column).saturating_sub(1));
        if column == 0 {
            format!("{dashes}-")
        } else {
            format!("{dashes}:")
        }
    });
    println!("| {} |", rule.collect::<Vec<_>>().join(" | "));
    for row in rows {
        println!("{}", line(row));
    }
}

/// A figure with commas between the thousands.
pub fn whole(figure: f64) -> String {
    // Adding 0.0 removes the sign of a negative zero.
    let digits = format!("{:.0}", figure.round() + 0.0);
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits.to_owned()),
        None => ("", digits),
    };
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    format!("{sign}{shown}")
}

/// A difference, with its sign.
pub fn added(figure: f64) -> String {
    let sign = if figure < 0.0 { "" } else { "+" };
    format!("{sign}{}", whole(figure))
}

/// Nanoseconds in a readable unit.
pub fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}
