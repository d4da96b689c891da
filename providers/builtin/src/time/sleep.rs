//! Waiting.

use plumb_model::{Diagnostic, Diagnostics, Path};
use plumb_provider_sdk::{Attr, Checks, Context, Failed, Model, Resource, Stop, async_trait};

use super::{Moment, Triggers, bad_import, missing};
use crate::duration::parse_duration;

/// Waits when it is created, when it is destroyed, or both, so that what depends on it comes later.
///
/// Changing a duration waits for nothing. Import by both durations, separated by a comma; either may be empty.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Sleep {
    /// Arbitrary values. When one changes, it is destroyed and created, with both waits.
    #[attribute(optional, requires_replace)]
    pub triggers: Attr<Triggers>,
    /// How long to wait on creation: a number with `ms`, `s`, `m` or `h`, for example `30s`.
    #[attribute(optional)]
    pub create_duration: Attr<String>,
    /// How long to wait on destruction.
    #[attribute(optional)]
    pub destroy_duration: Attr<String>,
    /// When it was created.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
}

/// Waits, unless the provider is asked to stop.
async fn wait(name: &'static str, duration: &Attr<String>, stop: &Stop) -> Result<(), Diagnostics> {
    let Some(text) = duration.known() else { return Ok(()) };
    let duration = parse_duration(text).map_err(|problem| {
        Diagnostics::from(
            Diagnostic::error("invalid-attribute-value", "Invalid attribute value")
                .detail(problem)
                .attribute(Path::of(name)),
        )
    })?;
    tokio::select! {
        () = tokio::time::sleep(duration) => Ok(()),
        () = stop.wait() => Err(Diagnostic::error("stopped", "Stopped while waiting")
            .detail(format!("The wait of {text} was cut short."))
            .into()),
    }
}

pub(super) struct TimeSleep;

#[async_trait]
impl Resource for TimeSleep {
    type Model = Sleep;
    type Client = ();

    fn validate(&self, config: &Sleep, checks: &mut Checks) {
        for (name, duration) in
            [("create_duration", &config.create_duration), ("destroy_duration", &config.destroy_duration)]
        {
            checks.attribute(name, duration, |text| parse_duration(text).map(|_| ()));
        }
        if config.create_duration.is_null() && config.destroy_duration.is_null() {
            checks.push(missing("`create_duration` and `destroy_duration`"));
        }
    }

    async fn create(&self, planned: Sleep, context: &mut Context<()>) -> Result<Sleep, Failed<Sleep>> {
        wait("create_duration", &planned.create_duration, &context.stop).await?;
        Ok(Sleep { id: Moment::now().text().into(), ..planned })
    }

    async fn delete(&self, prior: Sleep, context: &mut Context<()>) -> Result<(), Failed<Sleep>> {
        Ok(wait("destroy_duration", &prior.destroy_duration, &context.stop).await?)
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Sleep, Diagnostics> {
        let wrong = || bad_import(id, "two durations with a comma between them, such as `30s,`");
        let (create, destroy) = id.split_once(',').ok_or_else(wrong)?;
        let duration = |text: &str| match text {
            "" => Ok(Attr::Null),
            text => parse_duration(text).map(|_| Attr::from(text)).map_err(|_| wrong()),
        };
        Ok(Sleep {
            triggers: Attr::Null,
            create_duration: duration(create)?,
            destroy_duration: duration(destroy)?,
            id: Moment::now().text().into(),
        })
    }
}
