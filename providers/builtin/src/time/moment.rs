//! A moment and its place in the calendar.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

/// A second, seen from an offset to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    local: DateTime,
    offset: Offset,
}

/// How far a moment is moved: years and months first, then days, then seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shift {
    pub years: i64,
    pub months: i64,
    pub days: i64,
    pub seconds: i64,
}

impl Moment {
    /// This second, in UTC.
    pub(super) fn now() -> Moment {
        Moment::at(Timestamp::now(), Offset::UTC)
    }

    fn at(timestamp: Timestamp, offset: Offset) -> Moment {
        let local = offset.to_datetime(timestamp);
        let whole = local.with().subsec_nanosecond(0).build().unwrap_or(local);
        Moment { local: whole, offset }
    }

    /// Reads `YYYY-MM-DDTHH:MM:SSZ`, or with an offset such as `+02:00` in place of `Z`.
    pub(super) fn parse(text: &str) -> Result<Moment, String> {
        let wrong = || format!("Found `{text}`, wanted a timestamp such as `2020-02-12T06:36:13Z`.");
        let form = b"dddd-dd-ddTdd:dd:dd";
        let fits = text.len() > form.len()
            && form.iter().zip(text.bytes()).all(|(form, byte)| match form {
                b'd' => byte.is_ascii_digit(),
                form => *form == byte,
            });
        if !fits
            || !(text.ends_with('Z')
                || text.as_bytes().get(text.len().wrapping_sub(6)).is_some_and(|b| matches!(b, b'+' | b'-')))
        {
            return Err(wrong());
        }
        let pieces = Pieces::parse(text).map_err(|_| wrong())?;
        let (Some(time), Some(offset)) = (pieces.time(), pieces.to_numeric_offset()) else {
            return Err(wrong());
        };
        let local = pieces.date().to_datetime(time);
        offset.to_timestamp(local).map_err(|_| wrong())?;
        Ok(Moment { local, offset })
    }

    /// As [`Moment::parse`] reads it.
    pub(super) fn text(&self) -> String {
        let zone = match self.offset.seconds() {
            0 => "Z".to_owned(),
            seconds => {
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        };
        format!("{}{zone}", self.local.strftime("%Y-%m-%dT%H:%M:%S"))
    }

    /// Seconds since 1970.
    pub(super) fn unix(&self) -> i64 {
        // Parsing and moving have seen to it that there is such a timestamp.
        self.offset.to_timestamp(self.local).map_or(0, |t| t.as_second())
    }

    /// Year, month and so on, by the names of the attributes that have them.
    pub(super) fn components(&self) -> [(&'static str, i64); 7] {
        let local = &self.local;
        [
            ("year", local.year().into()),
            ("month", local.month().into()),
            ("day", local.day().into()),
            ("hour", local.hour().into()),
            ("minute", local.minute().into()),
            ("second", local.second().into()),
            ("unix", self.unix()),
        ]
    }

    /// The moment after a shift. A day that the month does not have counts on into the next month. `None` outside of
    /// the calendar.
    pub(super) fn shifted(&self, shift: Shift) -> Option<Moment> {
        let months = i64::from(self.local.year())
            .checked_add(shift.years)?
            .checked_mul(12)?
            .checked_add(i64::from(self.local.month()) - 1)?
            .checked_add(shift.months)?;
        let year = i16::try_from(months.div_euclid(12)).ok().filter(|year| *year >= 0)?;
        let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
        let first = Date::new(year, month, 1).ok()?;
        let days = shift.days.checked_add(i64::from(self.local.day()) - 1)?;
        let seconds = days.checked_mul(86_400)?.checked_add(shift.seconds)?;
        let start = self.offset.to_timestamp(first.to_datetime(self.local.time())).ok()?;
        let end = Timestamp::from_second(start.as_second().checked_add(seconds)?).ok()?;
        let moment = Moment::at(end, self.offset);
        (moment.local.year() >= 0).then_some(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(from: &str, shift: Shift) -> Option<String> {
        Moment::parse(from).unwrap().shifted(shift).map(|m| m.text())
    }

    #[test]
    fn days_that_a_month_lacks_count_on() {
        let month = Shift { months: 1, ..Shift::default() };
        assert_eq!(shifted("2020-01-31T06:36:13Z", month).unwrap(), "2020-03-02T06:36:13Z");
        assert_eq!(shifted("2021-01-31T06:36:13Z", month).unwrap(), "2021-03-03T06:36:13Z");
        assert_eq!(shifted("2020-12-05T00:00:00Z", month).unwrap(), "2021-01-05T00:00:00Z");
        let back = Shift { months: -13, days: -1, seconds: -1, ..Shift::default() };
        assert_eq!(shifted("2020-02-01T00:00:00Z", back).unwrap(), "2018-12-30T23:59:59Z");
        assert_eq!(shifted("2020-01-01T00:00:00Z", Shift { years: 9000, ..Shift::default() }), None);
        assert_eq!(shifted("2020-01-01T00:00:00Z", Shift { days: i64::MAX, ..Shift::default() }), None);
    }

    #[test]
    fn timestamps_are_read_strictly_and_keep_their_offset() {
        let moment = Moment::parse("2020-02-12T06:36:13+02:00").unwrap();
        assert_eq!((moment.local.hour(), moment.unix()), (6, 1_581_482_173));
        assert_eq!(moment.text(), "2020-02-12T06:36:13+02:00");
        for wrong in [
            "",
            "x",
            "2020-02-12",
            "2020-02-12T06:36Z",
            "2020-13-12T06:36:13Z",
            "2020-02-12 06:36:13Z",
            "2020-02-12T06:36:13",
            "2020-02-12T06:36:13[UTC]",
            "2020-02-30T06:36:13Z",
            "2020-02-12T06:36:13é+02:00",
        ] {
            assert!(Moment::parse(wrong).is_err(), "{wrong}");
        }
    }
}
