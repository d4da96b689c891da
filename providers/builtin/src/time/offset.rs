//! A moment some time after, or before, another.

use plumb_model::{Diagnostics, Value};
use plumb_provider_sdk::{Attr, Checks, Context, Failed, Model, Planning, Resource, async_trait};

use super::moment::Shift;
use super::{Moment, Triggers, bad_import, missing, moment_in, out_of_range};

/// A moment some time after another, by default after its own creation.
///
/// At least one of the offsets must be set; they add up, and may be negative. Import by the base and the offsets
/// in years, months, days, hours, minutes and seconds, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Offset {
    /// Arbitrary values. When one changes, the base is taken anew.
    #[attribute(optional, requires_replace)]
    pub triggers: Attr<Triggers>,
    /// The base, as `YYYY-MM-DDTHH:MM:SSZ`. Now, where it is not set.
    #[attribute(optional, computed, use_state_for_unknown, not_null)]
    pub base_rfc3339: Attr<String>,
    /// How many years later.
    #[attribute(optional)]
    pub offset_years: Attr<i64>,
    /// How many months later.
    #[attribute(optional)]
    pub offset_months: Attr<i64>,
    /// How many days later.
    #[attribute(optional)]
    pub offset_days: Attr<i64>,
    /// How many hours later.
    #[attribute(optional)]
    pub offset_hours: Attr<i64>,
    /// How many minutes later.
    #[attribute(optional)]
    pub offset_minutes: Attr<i64>,
    /// How many seconds later.
    #[attribute(optional)]
    pub offset_seconds: Attr<i64>,
    /// The moment.
    #[attribute(computed, not_null)]
    pub rfc3339: Attr<String>,
    /// The base.
    #[attribute(computed, not_null)]
    pub id: Attr<String>,
    /// The year of the moment.
    #[attribute(computed, not_null)]
    pub year: Attr<i64>,
    /// Its month, from 1.
    #[attribute(computed, not_null)]
    pub month: Attr<i64>,
    /// Its day of the month.
    #[attribute(computed, not_null)]
    pub day: Attr<i64>,
    /// Its hour.
    #[attribute(computed, not_null)]
    pub hour: Attr<i64>,
    /// Its minute.
    #[attribute(computed, not_null)]
    pub minute: Attr<i64>,
    /// Its second.
    #[attribute(computed, not_null)]
    pub second: Attr<i64>,
    /// Seconds from 1970 to the moment.
    #[attribute(computed, not_null)]
    pub unix: Attr<i64>,
}

impl Offset {
    fn offsets(&self) -> [(&'static str, &Attr<i64>); 6] {
        [
            ("offset_years", &self.offset_years),
            ("offset_months", &self.offset_months),
            ("offset_days", &self.offset_days),
            ("offset_hours", &self.offset_hours),
            ("offset_minutes", &self.offset_minutes),
            ("offset_seconds", &self.offset_seconds),
        ]
    }

    fn shift(&self) -> Option<Shift> {
        let number = |n: &Attr<i64>| n.known().copied().unwrap_or(0);
        let seconds = number(&self.offset_hours)
            .checked_mul(3600)?
            .checked_add(number(&self.offset_minutes).checked_mul(60)?)?
            .checked_add(number(&self.offset_seconds))?;
        Some(Shift {
            years: number(&self.offset_years),
            months: number(&self.offset_months),
            days: number(&self.offset_days),
            seconds,
        })
    }

    fn moment(&self, base: &Moment) -> Result<Moment, Diagnostics> {
        self.shift().and_then(|shift| base.shifted(shift)).ok_or_else(out_of_range)
    }

    /// All that follows from base and offsets.
    fn completed(self, base: &Moment) -> Result<Offset, Diagnostics> {
        let moment = self.moment(base)?;
        let [year, month, day, hour, minute, second, unix] = moment.components().map(|(_, n)| n);
        let base = self.base_rfc3339.known().cloned().unwrap_or(base.text());
        Ok(Offset {
            id: base.clone().into(),
            base_rfc3339: base.into(),
            rfc3339: moment.text().into(),
            year: year.into(),
            month: month.into(),
            day: day.into(),
            hour: hour.into(),
            minute: minute.into(),
            second: second.into(),
            unix: unix.into(),
            ..self
        })
    }

    fn base(&self) -> Result<Moment, Diagnostics> {
        self.base_rfc3339.known().map_or_else(|| Ok(Moment::now()), |text| moment_in("base_rfc3339", text))
    }
}

pub(super) struct TimeOffset;

#[async_trait]
impl Resource for TimeOffset {
    type Model = Offset;
    type Client = ();

    fn validate(&self, config: &Offset, checks: &mut Checks) {
        checks.attribute("base_rfc3339", &config.base_rfc3339, |text| Moment::parse(text).map(|_| ()));
        if config.offsets().iter().all(|(_, offset)| offset.is_null()) {
            checks.push(missing("`offset_years`, `offset_months`, `offset_days`, `offset_hours`, `offset_minutes` and `offset_seconds`"));
        }
    }

    async fn plan(&self, plan: &mut Planning<'_>, _: &mut Context<()>) -> Result<(), Diagnostics> {
        if plan.is_create() || !plan.changes() || plan.changes_attribute("base_rfc3339") {
            return Ok(());
        }
        let planned: Offset = plan.planned().map_err(|e| Failed::<Offset>::from(e).diagnostics)?;
        if planned.offsets().iter().any(|(_, offset)| offset.is_unknown()) {
            return Ok(());
        }
        let moment = planned.moment(&planned.base()?)?;
        plan.set("id", planned.base_rfc3339.write());
        plan.set("rfc3339", moment.text());
        for (name, value) in moment.components() {
            plan.set(name, Value::int(value));
        }
        Ok(())
    }

    async fn create(&self, planned: Offset, _: &mut Context<()>) -> Result<Offset, Failed<Offset>> {
        let base = planned.base()?;
        Ok(planned.completed(&base)?)
    }

    async fn update(
        &self,
        _: Offset,
        planned: Offset,
        _: &mut Context<()>,
    ) -> Result<Offset, Failed<Offset>> {
        let base = planned.base()?;
        Ok(planned.completed(&base)?)
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Offset, Diagnostics> {
        let wrong = || bad_import(id, "`base,years,months,days,hours,minutes,seconds`");
        let parts: Vec<&str> = id.split(',').collect();
        let [base, numbers @ ..] = parts.as_slice() else { return Err(wrong()) };
        let numbers: Vec<Attr<i64>> = super::numbers(numbers).ok_or_else(wrong)?;
        let [years, months, days, hours, minutes, seconds] =
            <[Attr<i64>; 6]>::try_from(numbers).map_err(|_| wrong())?;
        let moment = Moment::parse(base).map_err(|_| wrong())?;
        Offset {
            base_rfc3339: (*base).into(),
            offset_years: years,
            offset_months: months,
            offset_days: days,
            offset_hours: hours,
            offset_minutes: minutes,
            offset_seconds: seconds,
            ..Offset::default()
        }
        .completed(&moment)
    }
}
