//! Functions on points in time, which are text in the form of RFC 3339.

use std::time::{SystemTime, UNIX_EPOCH};

use plumb_model::{Number, Type, Value};

use crate::duration;
use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

pub(crate) fn functions() -> Vec<Function> {
    let text = |name, description| parameter(name, Type::String, description);
    vec![
        Function::new("formatdate", Type::String, format_date)
            .describe("Writes a point in time in a given form.")
            .takes(text("format", "The form, such as `DD MMM YYYY hh:mm`."))
            .takes(text("time", "The point in time.")),
        Function::new("timeadd", Type::String, time_add)
            .describe("Adds a span of time to a point in time.")
            .takes(text("timestamp", "The point in time."))
            .takes(text("duration", "The span of time, such as `1h30m`.")),
        Function::new("timecmp", Type::Number, time_compare)
            .describe("Returns -1, 0 or 1 if a point in time is before, the same as, or after another.")
            .takes(text("timestamp_a", "A point in time."))
            .takes(text("timestamp_b", "Another point in time.")),
        Function::new("timestamp", Type::String, |call| {
            if call.context.defers_impure() {
                return Ok(Value::unknown_not_null(Type::String));
            }
            Ok(Value::string(show(call.context.now())))
        })
        .describe("Returns the present time in UTC."),
        Function::new("plantimestamp", Type::String, |call| match call.context.plan_time() {
            Some(time) => Ok(Value::string(show(time))),
            None => Ok(Value::unknown_not_null(Type::String)),
        })
        .describe("Returns the time in UTC that the plan was made."),
    ]
}

fn show(time: SystemTime) -> String {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX / 2),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX / 2),
    };
    Time { local: seconds, nanoseconds: 0, offset: 0 }.to_string()
}

/// A point in time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    /// Seconds since 1970 on a clock at that place.
    local: i64,
    nanoseconds: i64,
    /// How many seconds that clock is ahead of UTC.
    offset: i64,
}

/// A day: year, month and day from one.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last; 146097 days make 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day_of_month)
}

/// Days since 1970.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}

impl Time {
    /// Reads the form of RFC 3339: `2006-01-02T15:04:05Z`, with an offset in the place of `Z`, perhaps with a
    /// fraction of seconds.
    pub fn parse(text: &str) -> Result<Time, String> {
        let mut reader = Reader { text, rest: text };
        let year = reader.number(4, "year", 0..=9999)?;
        reader.expect('-')?;
        let month = reader.number(2, "month", 1..=12)?;
        reader.expect('-')?;
        let day = reader.number(2, "day", 1..=31)?;
        if day > days_in_month(year, month) {
            return Err("day out of range".to_owned());
        }
        reader.expect('T')?;
        let hour = reader.number(2, "hour", 0..=23)?;
        reader.expect(':')?;
        let minute = reader.number(2, "minute", 0..=59)?;
        reader.expect(':')?;
        let second = reader.number(2, "second", 0..=59)?;
        let nanoseconds = reader.fraction()?;
        let offset = reader.offset()?;
        let local = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
        Ok(Time { local, nanoseconds, offset })
    }

    fn date(&self) -> (i64, i64, i64) {
        civil(self.local.div_euclid(86_400))
    }

    fn second_of_day(&self) -> i64 {
        self.local.rem_euclid(86_400)
    }

    /// The offset with or without a colon.
    fn show_offset(&self, separator: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ((year, month, day), second) = (self.date(), self.second_of_day());
        let sign = if year < 0 { "-" } else { "" };
        let year = year.unsigned_abs();
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.offset == 0 { f.write_str("Z") } else { f.write_str(&self.show_offset(":")) }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn number(
        &mut self,
        digits: usize,
        what: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<i64, String> {
        let found = self.rest.get(..digits).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let Some(number) = found.and_then(|text| text.parse().ok()) else {
            let found = if self.rest.is_empty() { "the end".to_owned() } else { format!("{:?}", self.rest) };
            return Err(format!("found {found} where the {what} must be, which has {digits} digits"));
        };
        if !range.contains(&number) {
            let (low, high) = (range.start(), range.end());
            return Err(format!("{what} must be between {low} and {high} inclusive, not {number}"));
        }
        self.rest = &self.rest[digits..];
        Ok(number)
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None if wanted == 'T' => Err("missing required time introducer 'T'".to_owned()),
            None => Err(format!("found {:?} where {wanted:?} must be", self.rest)),
        }
    }

    fn fraction(&mut self) -> Result<i64, String> {
        let Some(rest) = self.rest.strip_prefix('.') else { return Ok(0) };
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if end == 0 {
            return Err(format!("found {:?} where the fraction of a second must be", self.rest));
        }
        let digits = &rest[..end.min(9)];
        self.rest = &rest[end..];
        let value: i64 = digits.parse().map_err(|_| format!("invalid fraction {digits:?}"))?;
        Ok(value * 10i64.pow(9 - digits.len() as u32))
    }

    fn offset(&mut self) -> Result<i64, String> {
        let invalid = |rest: &str| Err(format!("cannot use {rest:?} as UTC offset"));
        let offset = match self.rest.as_bytes() {
            [] => return Err("end of text before UTC offset".to_owned()),
            b"Z" => return Ok(0),
            [b'+' | b'-', h1, h2, b':', m1, m2] => {
                let digit = |b: &u8| b.is_ascii_digit().then(|| i64::from(b - b'0'));
                match (digit(h1), digit(h2), digit(m1), digit(m2)) {
                    (Some(h1), Some(h2), Some(m1), Some(m2)) => (h1 * 10 + h2, m1 * 10 + m2),
                    _ => return invalid(self.rest),
                }
            }
            _ => return invalid(self.rest),
        };
        if offset.0 > 23 || offset.1 > 59 {
            return invalid(self.rest);
        }
        let seconds = offset.0 * 3_600 + offset.1 * 60;
        debug_assert!(self.text.ends_with(self.rest));
        Ok(if self.rest.starts_with('-') { -seconds } else { seconds })
    }
}

fn time(call: &Call<'_>, i: usize) -> Result<Time, FunctionError> {
    Time::parse(call.text(i))
        .map_err(|problem| FunctionError::argument(i, format!("not a valid RFC3339 timestamp: {problem}")))
}

fn time_add(call: &Call<'_>) -> Outcome {
    let time = time(call, 0)?;
    let span = duration::parse(call.text(1)).map_err(|problem| FunctionError::argument(1, problem))?;
    let nanoseconds = time.nanoseconds + span % 1_000_000_000;
    let local = time.local + span / 1_000_000_000 + nanoseconds.div_euclid(1_000_000_000);
    Ok(Value::string(Time { local, nanoseconds: 0, ..time }.to_string()))
}

fn time_compare(call: &Call<'_>) -> Outcome {
    let (a, b) = (time(call, 0)?, time(call, 1)?);
    let instant = |time: Time| (time.local - time.offset, time.nanoseconds);
    Ok(Value::Number(Number::from_count(instant(a).cmp(&instant(b)) as i64)))
}

fn format_date(call: &Call<'_>) -> Outcome {
    let time = time(call, 1)?;
    let mut out = String::new();
    let mut rest = call.text(0).as_str();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (literal, after) = literal(rest).map_err(|problem| FunctionError::argument(0, problem))?;
            out.push_str(&literal);
            rest = after;
        } else if first.is_ascii_alphabetic() {
            let length = rest.bytes().take_while(|b| *b == first as u8).count();
            let (verb, after) = rest.split_at(length);
            out.push_str(&show_part(&time, verb).map_err(|problem| FunctionError::argument(0, problem))?);
            rest = after;
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(Value::string(out))
}

/// Text between quotes, in which two quotes stand for one, and what follows it.
fn literal(text: &str) -> Result<(String, &str), String> {
    if let Some(after) = text.strip_prefix("''") {
        return Ok(("'".to_owned(), after));
    }
    let mut literal = String::new();
    let mut rest = &text[1..];
    loop {
        let Some(end) = rest.find('\'') else { return Err("unterminated literal '".to_owned()) };
        literal.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                literal.push('\'');
                rest = after;
            }
            None => return Ok((literal, rest)),
        }
    }
}

fn show_part(time: &Time, verb: &str) -> Result<String, String> {
    let ((year, month, day), second) = (time.date(), time.second_of_day());
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let half_day = if hour % 12 == 0 { 12 } else { hour % 12 };
    let month_name = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    let weekday = DAYS[usize::try_from(time.local.div_euclid(86_400).rem_euclid(7)).unwrap_or(0)];
    Ok(match verb {
        "YY" => format!("{:02}", year % 100),
        "YYYY" => format!("{year:04}"),
        "M" => month.to_string(),
        "MM" => format!("{month:02}"),
        "MMM" => month_name[..3].to_owned(),
        "MMMM" => month_name.to_owned(),
        "D" => day.to_string(),
        "DD" => format!("{day:02}"),
        "EEE" => weekday[..3].to_owned(),
        "EEEE" => weekday.to_owned(),
        "h" => hour.to_string(),
        "hh" => format!("{hour:02}"),
        "H" => half_day.to_string(),
        "HH" => format!("{half_day:02}"),
        "AA" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        "aa" => if hour < 12 { "am" } else { "pm" }.to_owned(),
        "m" => minute.to_string(),
        "mm" => format!("{minute:02}"),
        "s" => second.to_string(),
        "ss" => format!("{second:02}"),
        "Z" if time.offset == 0 => "Z".to_owned(),
        "Z" | "ZZZZZ" => time.show_offset(":"),
        "ZZZ" if time.offset == 0 => "UTC".to_owned(),
        "ZZZ" | "ZZZZ" => time.show_offset(""),
        _ => return Err(invalid_verb(verb)),
    })
}

fn invalid_verb(verb: &str) -> String {
    let wanted = match verb.as_bytes()[0] {
        b'Y' => "year must either be \"YY\" or \"YYYY\"",
        b'M' => "month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"",
        b'D' => "day of month must either be \"D\" or \"DD\"",
        b'E' => "day of week must either be \"EEE\" or \"EEEE\"",
        b'h' => "24-hour must either be \"h\" or \"hh\"",
        b'H' => "12-hour must either be \"H\" or \"HH\"",
        b'm' => "minute must either be \"m\" or \"mm\"",
        b's' => "second must either be \"s\" or \"ss\"",
        b'A' => "must be \"AA\"",
        b'a' => "must be \"aa\"",
        b'Z' => "timezone must be \"Z\", \"ZZZ\", \"ZZZZ\", or \"ZZZZZ\"",
        _ => "put text that stands for itself between single quotes",
    };
    format!("invalid date format verb {verb:?}: {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for (date, day) in
            [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((0, 1, 1), -719_528), ((9999, 12, 31), 2_932_896)]
        {
            let (year, month, day_of_month) = date;
            assert_eq!(days(year, month, day_of_month), day);
            assert_eq!(civil(day), date);
        }
    }

    #[test]
    fn times_read_back_as_they_are_written() {
        for text in ["2024-02-29T23:59:59Z", "0000-01-01T00:00:00+05:30", "9999-12-31T00:00:00-08:00"] {
            assert_eq!(Time::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2024",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-02-29t13:30:00z",
            "2024-02-29 13:30:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T23:59:60Z",
            "2024-02-29T23:59:59",
            "2024-02-29T23:59:59.Z",
            "2024-02-29T23:59:59+24:00",
            "2024-02-29T23:59:59+0100",
            "2024-02-29T23:59:59Zx",
        ] {
            assert!(Time::parse(text).is_err(), "{text}");
        }
    }
}
