//! A moment that stays.

use plumb_model::{Diagnostics, Value};
use plumb_provider_sdk::{Attr, Checks, Context, Failed, Model, Planning, Resource, async_trait};

use super::{Moment, Triggers, bad_import, moment_in};

/// A moment: by default the one of its creation.
///
/// Import by the timestamp.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Static {
    /// Arbitrary values. When one changes, the moment is taken anew.
    #[attribute(optional, requires_replace)]
    pub triggers: Attr<Triggers>,
    /// The moment, as `YYYY-MM-DDTHH:MM:SSZ`. Now, where it is not set.
    #[attribute(optional, computed, not_null, requires_replace)]
    pub rfc3339: Attr<String>,
    /// The same.
    #[attribute(computed, not_null)]
    pub id: Attr<String>,
    /// Its year.
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
    /// Seconds since 1970.
    #[attribute(computed, not_null)]
    pub unix: Attr<i64>,
}

impl Static {
    fn at(moment: &Moment, triggers: Attr<Triggers>) -> Static {
        let [year, month, day, hour, minute, second, unix] = moment.components().map(|(_, n)| n);
        Static {
            triggers,
            rfc3339: moment.text().into(),
            id: moment.text().into(),
            year: year.into(),
            month: month.into(),
            day: day.into(),
            hour: hour.into(),
            minute: minute.into(),
            second: second.into(),
            unix: unix.into(),
        }
    }
}

pub(super) struct TimeStatic;

#[async_trait]
impl Resource for TimeStatic {
    type Model = Static;
    type Client = ();

    fn validate(&self, config: &Static, checks: &mut Checks) {
        checks.attribute("rfc3339", &config.rfc3339, |text| Moment::parse(text).map(|_| ()));
    }

    async fn plan(&self, plan: &mut Planning<'_>, _: &mut Context<()>) -> Result<(), Diagnostics> {
        let Some(text) = plan.config_value("rfc3339").as_str().filter(|_| plan.changes()) else {
            return Ok(());
        };
        let moment = moment_in("rfc3339", text)?;
        plan.set("id", moment.text());
        for (name, value) in moment.components() {
            plan.set(name, Value::int(value));
        }
        Ok(())
    }

    async fn create(&self, planned: Static, _: &mut Context<()>) -> Result<Static, Failed<Static>> {
        let moment = match planned.rfc3339.known() {
            Some(text) => moment_in("rfc3339", text)?,
            None => Moment::now(),
        };
        let made = Static::at(&moment, planned.triggers);
        Ok(Static { rfc3339: planned.rfc3339.known().cloned().unwrap_or(moment.text()).into(), ..made })
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Static, Diagnostics> {
        let moment =
            Moment::parse(id).map_err(|_| bad_import(id, "a timestamp such as `2020-02-12T06:36:13Z`"))?;
        Ok(Static::at(&moment, Attr::Null))
    }
}
