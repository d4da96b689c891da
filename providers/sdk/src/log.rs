//! What providers log, in the form that hosts expect.
//!
//! Authors log with [`tracing`](crate::tracing), as the libraries that they use do:
//!
//! ```
//! use plumb_provider_sdk::tracing::debug;
//!
//! let (status, path) = (404, "/items/7");
//! debug!(status, path, "nothing is there");
//! ```
//!
//! A served provider writes each event as one line of JSON to standard error, with the call of the host that it belongs
//! to. The host chooses the least level in `TF_LOG_PROVIDER_<NAME>`, `TF_LOG_PROVIDER` or `TF_LOG`; without any of them
//! nothing is written. What the transport itself logs is left out below `trace`.
//!
//! Never log a secret: hosts write what they are given into files.

use std::fmt;
use std::io::Write as _;

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Crates that carry the messages between host and provider: what they log is about that.
const TRANSPORT: [&str; 7] = ["h2", "hyper", "hyper_util", "mio", "rustls", "tonic", "tower"];

/// Writes the log to the host from now on, if it wants one. `name` is the provider's. Called by
/// [`serve`](crate::serve).
pub fn to_host(name: &str) {
    let Some(least) = wanted(name, |variable| std::env::var(variable).ok()) else { return };
    let lines = Lines { least, write: to_stderr };
    // A program that logs somewhere else already goes on with that.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
}

fn to_stderr(line: &str) {
    // Nothing can be done about a log that cannot be written.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The least level that the host wants; `None` for silence.
fn wanted(name: &str, variable: impl Fn(&str) -> Option<String>) -> Option<Level> {
    let own = format!("TF_LOG_PROVIDER_{}", name.to_uppercase().replace('-', "_"));
    let text = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|text| !text.is_empty()))?;
    match text.to_ascii_lowercase().as_str() {
        "off" => None,
        "error" => Some(Level::ERROR),
        "warn" => Some(Level::WARN),
        "info" => Some(Level::INFO),
        "debug" => Some(Level::DEBUG),
        // `json` and whatever is not a level mean everything.
        _ => Some(Level::TRACE),
    }
}

/// Writes each event as a line.
struct Lines<W> {
    least: Level,
    write: W,
}

/// Fields by name, as spans keep them for the events in them.
#[derive(Default)]
struct Fields(Map<String, Json>);

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // A call that is about no resource type says so by leaving it empty.
        if !value.is_empty() {
            self.0.insert(field.name().to_owned(), value.into());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>, W: Fn(&str) + 'static> Layer<S> for Lines<W> {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let origin = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= self.least && (self.least == Level::TRACE || !TRANSPORT.contains(&origin))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.0.extend(fields.0.clone());
            }
        }
        event.record(&mut line);
        let mut line = line.0;
        let message = line.remove("message").unwrap_or_else(|| "".into());
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        let module = event.metadata().target().replace("::", ".");
        let own = [("@level", level), ("@module", module), ("@timestamp", time)];
        line.extend(own.map(|(key, text)| (key.to_owned(), Json::from(text))));
        line.insert("@message".to_owned(), message);
        (self.write)(&Json::Object(line).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn logged(least: Level, act: impl FnOnce()) -> Vec<Json> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = written.clone();
        let write = move |line: &str| sink.lock().unwrap().push(serde_json::from_str(line).unwrap());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Lines { least, write }), act);

        std::mem::take(&mut *written.lock().unwrap())
    }

    #[test]
    fn lines_have_the_keys_that_hosts_read_and_the_fields_of_their_call() {
        let lines = logged(Level::DEBUG, || {
            let call = tracing::debug_span!("call", tf_rpc = "ReadResource", tf_resource_type = "");
            call.in_scope(|| tracing::warn!(status = 404, "nothing is {}", "there"));
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(line["@level"], "warn");
        assert_eq!(line["@message"], "nothing is there");
        assert_eq!(line["@module"], "plumb_provider_sdk.log.tests");
        assert_eq!((&line["tf_rpc"], &line["status"]), (&"ReadResource".into(), &404.into()));
        assert!(line.get("tf_resource_type").is_none());
        assert_eq!(line["@timestamp"].as_str().unwrap().len(), "2006-01-02T15:04:05.000000Z".len());
    }

    #[test]
    fn what_is_less_important_is_left_out() {
        let lines = logged(Level::INFO, || {
            tracing::debug!("detail");
            tracing::info!(target: "hyper::proto", "transport");
            tracing::info!("what happens");
        });
        assert_eq!(lines.iter().map(|line| &line["@message"]).collect::<Vec<_>>(), ["what happens"]);
    }

    #[test]
    fn the_most_special_variable_counts() {
        let wanted = |pairs: &[(&str, &str)]| {
            wanted("my-inventory", |name| {
                pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
            })
        };
        assert_eq!(wanted(&[]), None);
        assert_eq!(wanted(&[("TF_LOG", "INFO")]), Some(Level::INFO));
        assert_eq!(wanted(&[("TF_LOG", "trace"), ("TF_LOG_PROVIDER", "off")]), None);
        assert_eq!(
            wanted(&[("TF_LOG_PROVIDER", "warn"), ("TF_LOG_PROVIDER_MY_INVENTORY", "json")]),
            Some(Level::TRACE)
        );
    }
}
