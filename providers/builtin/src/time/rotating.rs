//! A moment that is replaced by a later one when its time has come.

use plumb_model::{Diagnostics, Value};
use plumb_provider_sdk::check::at_least;
use plumb_provider_sdk::{Attr, Checks, Context, Failed, Model, Planning, Resource, async_trait};

use super::moment::Shift;
use super::{Moment, Triggers, bad_import, missing, moment_in, out_of_range};

/// A moment that passes: once it has, the object counts as gone, and the next plan creates it anew with what
/// depends on it.
///
/// At least one of the rotations must be set; they add up. Import by the base and the rotation in years, months,
/// days, hours and minutes, or by the base and `rotation_rfc3339`, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Rotating {
    /// Arbitrary values. When one changes, the base is taken anew.
    #[attribute(optional, requires_replace)]
    pub triggers: Attr<Triggers>,
    /// The base, as `YYYY-MM-DDTHH:MM:SSZ`. Now, where it is not set.
    #[attribute(optional, computed, use_state_for_unknown, not_null, requires_replace)]
    pub rfc3339: Attr<String>,
    /// How many years after the base it rotates.
    #[attribute(optional)]
    pub rotation_years: Attr<i64>,
    /// How many months after the base it rotates.
    #[attribute(optional)]
    pub rotation_months: Attr<i64>,
    /// How many days after the base it rotates.
    #[attribute(optional)]
    pub rotation_days: Attr<i64>,
    /// How many hours after the base it rotates.
    #[attribute(optional)]
    pub rotation_hours: Attr<i64>,
    /// How many minutes after the base it rotates.
    #[attribute(optional)]
    pub rotation_minutes: Attr<i64>,
    /// When it rotates, in place of the numbers.
    #[attribute(optional, computed, not_null)]
    pub rotation_rfc3339: Attr<String>,
    /// The base.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
    /// The year in which it rotates.
    #[attribute(computed, not_null)]
    pub year: Attr<i64>,
    /// The month, from 1.
    #[attribute(computed, not_null)]
    pub month: Attr<i64>,
    /// The day of the month.
    #[attribute(computed, not_null)]
    pub day: Attr<i64>,
    /// The hour.
    #[attribute(computed, not_null)]
    pub hour: Attr<i64>,
    /// The minute.
    #[attribute(computed, not_null)]
    pub minute: Attr<i64>,
    /// The second.
    #[attribute(computed, not_null)]
    pub second: Attr<i64>,
    /// Seconds from 1970 to the rotation.
    #[attribute(computed, not_null)]
    pub unix: Attr<i64>,
}

impl Rotating {
    fn rotations(&self) -> [(&'static str, &Attr<i64>); 5] {
        [
            ("rotation_years", &self.rotation_years),
            ("rotation_months", &self.rotation_months),
            ("rotation_days", &self.rotation_days),
            ("rotation_hours", &self.rotation_hours),
            ("rotation_minutes", &self.rotation_minutes),
        ]
    }

    fn shift(&self) -> Option<Shift> {
        let number = |n: &Attr<i64>| n.known().copied().unwrap_or(0);
        let minutes =
            number(&self.rotation_hours).checked_mul(60)?.checked_add(number(&self.rotation_minutes))?;
        Some(Shift {
            years: number(&self.rotation_years),
            months: number(&self.rotation_months),
            days: number(&self.rotation_days),
            seconds: minutes.checked_mul(60)?,
        })
    }

    fn base(&self) -> Result<Moment, Diagnostics> {
        self.rfc3339.known().map_or_else(|| Ok(Moment::now()), |text| moment_in("rfc3339", text))
    }

    /// When it rotates, if the numbers do not say it.
    fn fixed(&self) -> Option<&String> {
        let numbers = self.rotations().iter().any(|(_, n)| n.is_set());
        self.rotation_rfc3339.known().filter(|_| !numbers)
    }

    fn moment(&self, base: &Moment) -> Result<Moment, Diagnostics> {
        match self.fixed() {
            Some(text) => moment_in("rotation_rfc3339", text),
            None => self.shift().and_then(|shift| base.shifted(shift)).ok_or_else(out_of_range),
        }
    }

    /// All that follows from base and rotation.
    fn completed(self, base: &Moment) -> Result<Rotating, Diagnostics> {
        let moment = self.moment(base)?;
        let [year, month, day, hour, minute, second, unix] = moment.components().map(|(_, n)| n);
        let rotation = self.fixed().cloned().unwrap_or(moment.text());
        let base = self.rfc3339.known().cloned().unwrap_or(base.text());
        Ok(Rotating {
            id: base.clone().into(),
            rfc3339: base.into(),
            rotation_rfc3339: rotation.into(),
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
}

pub(super) struct TimeRotating;

#[async_trait]
impl Resource for TimeRotating {
    type Model = Rotating;
    type Client = ();

    fn validate(&self, config: &Rotating, checks: &mut Checks) {
        checks.attribute("rfc3339", &config.rfc3339, |text| Moment::parse(text).map(|_| ()));
        checks
            .attribute("rotation_rfc3339", &config.rotation_rfc3339, |text| Moment::parse(text).map(|_| ()));
        for (name, number) in config.rotations() {
            checks.attribute(name, number, at_least(1));
        }
        let numbers = config.rotations().iter().any(|(_, n)| n.is_set());
        if !numbers && config.rotation_rfc3339.is_null() {
            checks.push(missing("`rotation_years`, `rotation_months`, `rotation_days`, `rotation_hours`, `rotation_minutes` and `rotation_rfc3339`"));
        }
        if config.rotations().iter().any(|(_, n)| n.known().is_some())
            && config.rotation_rfc3339.known().is_some()
        {
            checks.error(
                "rotation_rfc3339",
                "Found a number beside it, wanted only one way to say when to rotate.",
            );
        }
    }

    async fn plan(&self, plan: &mut Planning<'_>, _: &mut Context<()>) -> Result<(), Diagnostics> {
        if plan.is_create() || !plan.changes() || plan.changes_attribute("rfc3339") {
            return Ok(());
        }
        let planned: Rotating = plan.planned().map_err(|e| Failed::<Rotating>::from(e).diagnostics)?;
        let fixed_later = plan.config_value("rotation_rfc3339");
        if planned.rotations().iter().any(|(_, n)| n.is_unknown()) || !fixed_later.is_known() {
            return Ok(());
        }
        let moment = planned.moment(&planned.base()?)?;
        if fixed_later.is_null() {
            plan.set("rotation_rfc3339", moment.text());
        }
        for (name, value) in moment.components() {
            plan.set(name, Value::int(value));
        }
        Ok(())
    }

    async fn create(&self, planned: Rotating, _: &mut Context<()>) -> Result<Rotating, Failed<Rotating>> {
        let base = planned.base()?;
        Ok(planned.completed(&base)?)
    }

    async fn read(&self, current: Rotating, _: &mut Context<()>) -> Result<Option<Rotating>, Diagnostics> {
        let Some(text) = current.rotation_rfc3339.known() else { return Ok(Some(current)) };
        let due = moment_in("rotation_rfc3339", text)?.unix() <= Moment::now().unix();
        Ok((!due).then_some(current))
    }

    async fn update(
        &self,
        _: Rotating,
        planned: Rotating,
        _: &mut Context<()>,
    ) -> Result<Rotating, Failed<Rotating>> {
        let base = planned.base()?;
        Ok(planned.completed(&base)?)
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Rotating, Diagnostics> {
        let wrong = || bad_import(id, "`base,years,months,days,hours,minutes` or `base,rotation`");
        let parts: Vec<&str> = id.split(',').collect();
        let [base, rest @ ..] = parts.as_slice() else { return Err(wrong()) };
        let moment = Moment::parse(base).map_err(|_| wrong())?;
        let object = Rotating { rfc3339: (*base).into(), ..Rotating::default() };
        let object = match rest {
            [rotation] => Rotating { rotation_rfc3339: (*rotation).into(), ..object },
            numbers => {
                let numbers = super::numbers(numbers).ok_or_else(wrong)?;
                let [years, months, days, hours, minutes] =
                    <[Attr<i64>; 5]>::try_from(numbers).map_err(|_| wrong())?;
                Rotating {
                    rotation_years: years,
                    rotation_months: months,
                    rotation_days: days,
                    rotation_hours: hours,
                    rotation_minutes: minutes,
                    ..object
                }
            }
        };
        object.completed(&moment)
    }
}
