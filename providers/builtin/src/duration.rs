//! Durations as authors write them.

use std::time::Duration;

/// A duration such as `1.5s`. An error says what was found and what was wanted.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("Found `{text}`, wanted a number with `ms`, `s`, `m` or `h` behind it, for example `30s`.")
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(end);
    let milliseconds = match unit {
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return Err(wrong()),
    };
    let well_formed = number.starts_with(|c: char| c.is_ascii_digit()) && !number.ends_with('.');
    let number: f64 = number.parse().ok().filter(|_| well_formed).ok_or_else(wrong)?;
    Duration::try_from_secs_f64(number * milliseconds / 1000.0).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(parse_duration("3ms"), Ok(Duration::from_millis(3)));
        for wrong in ["", "5", "s", "1 s", "-1s", "1.s", ".5s", "1.2.3s", "1d", "9".repeat(400).as_str()] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert!(parse_duration(&format!("{}s", "9".repeat(400))).is_err());
    }
}
