//! Reading what an API says.

use plumb_model::{Diagnostic, Diagnostics, Value};
use plumb_provider_sdk::check::not_empty;
use plumb_provider_sdk::{Attr, Checks, Context, DataSource, Model, async_trait};
use reqwest::Method;

use super::client::{Client, Request};
use super::{Texts, body};

/// The answer to a `GET` request.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct ObjectData {
    /// What to ask for, relative to the `url` of the provider.
    #[attribute(required)]
    pub path: Attr<String>,
    /// What follows the `?` in the URL.
    #[attribute(optional)]
    pub query: Attr<Texts>,
    /// Headers of the request. For credentials there are arguments of the provider.
    #[attribute(optional)]
    pub headers: Attr<Texts>,
    /// The place in the answer that `output` has: `a.b`, or a JSON pointer. By default the whole.
    #[attribute(optional)]
    pub select: Attr<String>,
    /// Whether the answer is a secret: then only `sensitive_output` has it.
    #[attribute(default = false)]
    pub sensitive: Attr<bool>,
    /// The answer.
    #[attribute(computed)]
    pub output: Attr<Value>,
    /// The answer, never shown, if it is a secret.
    #[attribute(computed, sensitive)]
    pub sensitive_output: Attr<Value>,
}

pub(super) struct ReadObject;

#[async_trait]
impl DataSource for ReadObject {
    type Model = ObjectData;
    type Client = Client;

    fn validate(&self, config: &ObjectData, checks: &mut Checks) {
        checks.attribute("path", &config.path, not_empty());
    }

    async fn read(
        &self,
        config: ObjectData,
        context: &mut Context<Client>,
    ) -> Result<ObjectData, Diagnostics> {
        let request = Request {
            method: Method::GET,
            path: config.path.text().to_owned(),
            query: config.query.known().cloned().unwrap_or_default(),
            headers: config.headers.known().cloned().unwrap_or_default(),
            body: None,
            repeatable: true,
        };
        let hidden = config.sensitive.known() == Some(&true);
        let response = context.client.send(&request, &context.stop).await?;
        let problem = |problem: String| {
            let said = if hidden { String::new() } else { format!(" It said:\n{}", response.excerpt()) };
            let text = format!("GET {}: {problem}.{said}", config.path.text());
            Diagnostics::from(
                Diagnostic::error("request-failed", "Request failed")
                    .detail(context.client.redacted(text.trim_end(), &[])),
            )
        };
        if !response.status.is_success() {
            return Err(problem(format!("the server answered {}", response.status)));
        }
        let json = response.json().map_err(problem)?;
        let part = match config.select.known() {
            None => &json,
            Some(place) => body::at(&json, place)
                .ok_or_else(|| problem(format!("the answer has nothing at `{place}`")))?,
        };
        let value = Some(body::to_value(part)).filter(|value| !value.is_null());
        let (output, sensitive_output): (Attr<Value>, Attr<Value>) =
            if hidden { (Attr::Null, value.into()) } else { (value.into(), Attr::Null) };
        Ok(ObjectData { output, sensitive_output, ..config })
    }
}
