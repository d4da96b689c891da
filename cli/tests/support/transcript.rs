//! Commands and what they print, as documents show them.

/// The commands of a block, each with its output. `prompt` begins a command, and `> ` a further line of one.
///
/// # Panics
/// If the block begins with something else.
pub fn commands(lines: &[&str], prompt: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        match (line.strip_prefix(prompt), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (None, Some((command, output))) => match line.strip_prefix("> ") {
                Some(more) if output.is_empty() => *command = format!("{command}\n{more}"),
                _ => output.push((*line).to_owned()),
            },
            (None, None) => panic!("a block begins with `{line}`, which is no command"),
        }
    }
    commands
}

/// Whether lines are as the pattern says: `…` stands for any lines, `[..]` for anything in a line.
pub fn matches(pattern: &[String], lines: &[&str]) -> bool {
    match pattern.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines.split_first().is_some_and(|(line, lines)| {
            line_matches(first.trim_end(), line.trim_end()) && matches(rest, lines)
        }),
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((before, after)) = pattern.split_once("[..]") else { return pattern == line };
    line.strip_prefix(before).is_some_and(|rest| {
        (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| line_matches(after, &rest[at..]))
    })
}

/// Splits off a last line `(exit code N)`; without one the command has to succeed.
pub fn exit_code(output: &[String]) -> (&[String], i32) {
    let last = output.split_last().and_then(|(last, rest)| {
        Some((rest, last.strip_prefix("(exit code ")?.strip_suffix(')')?.parse().ok()?))
    });
    last.unwrap_or((output, 0))
}

/// The lines without empty ones at either end: a block cannot begin or end with these without looking odd.
pub fn without_edges(output: &str) -> Vec<&str> {
    let lines: Vec<&str> = output.lines().collect();
    let full = |line: &&str| !line.is_empty();
    let Some(first) = lines.iter().position(full) else { return Vec::new() };
    let last = lines.iter().rposition(full).unwrap_or(first);
    lines[first..=last].to_vec()
}
