//! Objects of an API.

use plumb_model::{Diagnostic, Diagnostics, Path, Value};
use plumb_provider_sdk::check::{not_empty, one_of};
use plumb_provider_sdk::{Attr, Checks, Context, Failed, Left, Model, Planning, Resource, async_trait};
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::client::{Client, Request, Response};
use super::{Texts, body, invalid};

/// An object of an HTTP API that speaks JSON.
///
/// It is created by a `POST` of `data` to `path`, and read, updated (`PUT`) and deleted at `path/ID`, unless other
/// methods and paths are given. In paths, `{id}` stands for the id. Only what `data` says is compared with the
/// server: what else the object has there is left alone.
///
/// A creation that is interrupted before the server's answer is recorded is found again by `object_id`, where that
/// chooses the id, or else by `find_by`.
///
/// Import by `PATH/ID`, or `PATH|ID` where the id has a slash.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Object {
    /// The collection, relative to the `url` of the provider, for example `/users`.
    #[attribute(required, requires_replace)]
    pub path: Attr<String>,
    /// What is written: an object, or JSON text.
    #[attribute(required)]
    pub data: Attr<Value>,
    /// What is written besides, and never kept: its fields are put over those of `data`, and are not shown in
    /// `output`. A change is noticed by `secret_data_version` alone.
    #[attribute(optional, write_only, sensitive)]
    pub secret_data: Attr<Value>,
    /// Any number. When it changes, the object is written again.
    #[attribute(optional)]
    pub secret_data_version: Attr<i64>,
    /// The id, where it is not the server that chooses it.
    #[attribute(optional, requires_replace)]
    pub object_id: Attr<String>,
    /// Where in the server's answer the id is: `a.b`, or a JSON pointer.
    #[attribute(default = "id")]
    pub id_attribute: Attr<String>,
    /// Where the object is created. `path`, or `path/{id}` for `PUT`.
    #[attribute(optional)]
    pub create_path: Attr<String>,
    /// How it is created: `POST`, `PUT` or `PATCH`.
    #[attribute(default = "POST")]
    pub create_method: Attr<String>,
    /// Where the object is read. `path/{id}` where it is not set.
    #[attribute(optional)]
    pub read_path: Attr<String>,
    /// Where in the answer the object is, if it is not the whole.
    #[attribute(optional)]
    pub read_select: Attr<String>,
    /// Where the object is updated. `path/{id}` where it is not set.
    #[attribute(optional)]
    pub update_path: Attr<String>,
    /// How it is updated: `PUT`, `PATCH` or `POST`.
    #[attribute(default = "PUT")]
    pub update_method: Attr<String>,
    /// Where the object is deleted. `path/{id}` where it is not set.
    #[attribute(optional)]
    pub delete_path: Attr<String>,
    /// How it is deleted: `DELETE`, `POST` or `PUT`.
    #[attribute(default = "DELETE")]
    pub delete_method: Attr<String>,
    /// What follows the `?` in every URL.
    #[attribute(optional)]
    pub query: Attr<Texts>,
    /// Headers of every request. For credentials there are arguments of the provider.
    #[attribute(optional)]
    pub headers: Attr<Texts>,
    /// The name of a header in which the server expects a key that is the same for every try of one creation. With
    /// it, a creation is tried again also when there was no answer.
    #[attribute(optional)]
    pub idempotency_header: Attr<String>,
    /// A field of `data` that no two objects have the same, for example `name`. By it, the collection is searched
    /// for an object whose creation was interrupted.
    #[attribute(optional)]
    pub find_by: Attr<String>,
    /// Fields of `data` that cannot change in place: `a.b`, or JSON pointers.
    #[attribute(optional)]
    pub immutable: Attr<Vec<String>>,
    /// Places in the server's answer that `output` leaves out, for example times of the last change.
    #[attribute(optional)]
    pub ignore_output: Attr<Vec<String>>,
    /// Any value. When it changes, the object is replaced.
    #[attribute(optional, requires_replace)]
    pub triggers_replace: Attr<Value>,
    /// The id.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
    /// The object, as the server says it.
    #[attribute(computed)]
    pub output: Attr<Value>,
}

/// What is remembered with an object.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// Sent with every try of the creation.
    #[serde(default)]
    idempotency_key: String,
    /// Where in the object secrets were written.
    #[serde(default)]
    secret_places: Vec<String>,
}

pub(super) struct RestObject;

#[async_trait]
impl Resource for RestObject {
    type Model = Object;
    type Client = Client;

    fn validate(&self, config: &Object, checks: &mut Checks) {
        checks.attribute("path", &config.path, not_empty());
        checks.attribute("create_method", &config.create_method, one_of(&["POST", "PUT", "PATCH"]));
        checks.attribute("update_method", &config.update_method, one_of(&["PUT", "PATCH", "POST"]));
        checks.attribute("delete_method", &config.delete_method, one_of(&["DELETE", "POST", "PUT"]));
        checks.attribute("object_id", &config.object_id, not_empty());
        checks.attribute("data", &config.data, |data| {
            if !data.is_wholly_known() {
                return Ok(());
            }
            match body::from_value(data)? {
                Json::Object(_) | Json::Array(_) => Ok(()),
                _ => Err("Found a single value, wanted an object.".into()),
            }
        });
        if config.create_method.known().is_some_and(|method| method == "PUT")
            && config.object_id.is_null()
            && config.create_path.is_null()
        {
            checks.error("object_id", "Found no id, wanted one for a creation by `PUT`.");
        }
    }

    async fn plan(&self, plan: &mut Planning<'_>, context: &mut Context<Client>) -> Result<(), Diagnostics> {
        if plan.is_create() {
            let key = Uuid::new_v4().to_string();
            context.private.set(&Remembered { idempotency_key: key, ..Remembered::default() });
            if let Some(id) = plan.planned_value("object_id").as_str().cloned() {
                plan.set("id", Value::String(id));
            }
            return Ok(());
        }
        let places = plan.planned_value("immutable").as_items().unwrap_or_default().to_vec();
        let (Some(prior), planned) = (plan.prior_value("data"), plan.planned_value("data")) else {
            return Ok(());
        };
        if places.is_empty() || !planned.is_wholly_known() {
            return Ok(());
        }
        let (Ok(prior), Ok(planned)) = (body::from_value(prior), body::from_value(planned)) else {
            return Ok(());
        };
        let differs = |place: &Value| {
            let place = place.as_str().map_or("", |p| p.as_str());
            let part = |json| body::at(json, place).map(body::to_value);
            part(&prior) != part(&planned)
        };
        if places.iter().any(differs) {
            plan.require_replace("data");
        }
        Ok(())
    }

    async fn create(&self, planned: Object, context: &mut Context<Client>) -> Result<Object, Failed<Object>> {
        let mut remembered: Remembered = context.private.get();
        let secrets = Secrets::of(context)?;
        remembered.secret_places.clone_from(&secrets.places);
        let data = planned.body(&secrets)?;
        let mut request = planned.request(Step::Create, planned.object_id.text());
        if let Some(header) = planned.idempotency_header.known() {
            request.headers.insert(header.clone(), remembered.idempotency_key.clone());
            request.repeatable = true;
        }
        request.body = Some(data.to_string());
        let response = send(&request, context, &secrets.texts).await?;
        let answer = response.json().unwrap_or(Json::Null);
        context.private.set(&remembered);
        let Some(id) = planned.id_from(&response, &answer, &data) else {
            return Err(no_id(&planned, &context.client.redacted(&response.excerpt(), &secrets.texts)));
        };
        let object = Object { id: id.into(), ..planned };
        let said = object.with_output(&answer, &remembered);
        match object.look(context).await {
            Ok(Some(json)) => Ok(object.with_output(&json, &remembered)),
            // Some servers take a moment until what was made can be read.
            Ok(None) => Ok(said),
            Err(diagnostics) => Err(Failed::leaving(said, diagnostics)),
        }
    }

    async fn read(
        &self,
        current: Object,
        context: &mut Context<Client>,
    ) -> Result<Option<Object>, Diagnostics> {
        let mut current = current;
        if current.id.is_null() {
            if current.object_id.is_null() && current.find_by.is_null() {
                context.warn(unfindable());
                return Ok(None);
            }
            match current.search(context).await? {
                Some(id) => current.id = id.into(),
                None => return Ok(None),
            }
        }
        let remembered: Remembered = context.private.get();
        let Some(json) = current.look(context).await? else { return Ok(None) };
        let found = current.with_output(&json, &remembered);
        let data = match &current.data {
            Attr::Known(written) => body::seen(written, &cut(&json, &remembered.secret_places)),
            _ => found.output.known().cloned().unwrap_or(Value::NULL),
        };
        Ok(Some(Object { data: data.into(), ..found }))
    }

    async fn update(
        &self,
        prior: Object,
        planned: Object,
        context: &mut Context<Client>,
    ) -> Result<Object, Failed<Object>> {
        let mut remembered: Remembered = context.private.get();
        let written =
            (&prior.data, &prior.secret_data_version) != (&planned.data, &planned.secret_data_version);
        let planned = Object { id: prior.id.clone(), ..planned };
        if written {
            let secrets = Secrets::of(context)?;
            remembered.secret_places.clone_from(&secrets.places);
            let mut request = planned.request(Step::Update, planned.id.text());
            request.body = Some(planned.body(&secrets)?.to_string());
            send(&request, context, &secrets.texts).await?;
            context.private.set(&remembered);
        }
        match planned.look(context).await {
            Ok(Some(json)) => Ok(planned.with_output(&json, &remembered)),
            Ok(None) => Err(Failed { diagnostics: gone(&planned), left: Left::Nothing }),
            Err(diagnostics) => Err(Failed::leaving(planned, diagnostics)),
        }
    }

    async fn delete(&self, prior: Object, context: &mut Context<Client>) -> Result<(), Failed<Object>> {
        let request = prior.request(Step::Delete, prior.id.text());
        let response = context.client.send(&request, &context.stop).await?;
        match response.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(refused(&request, &response, context, &[]).into()),
        }
    }

    async fn import(&self, id: &str, _: &mut Context<Client>) -> Result<Object, Diagnostics> {
        let (path, id) =
            id.split_once('|')
                .or_else(|| id.rsplit_once('/'))
                .filter(|(path, id)| !path.is_empty() && !id.is_empty())
                .ok_or_else(|| {
                    Diagnostics::from(Diagnostic::error("bad-import-id", "Unsuitable import id").detail(
                        format!("Found `{id}`, wanted `PATH/ID` or `PATH|ID`, for example `/users/42`."),
                    ))
                })?;
        Ok(Object {
            path: path.into(),
            id: id.into(),
            id_attribute: "id".into(),
            create_method: "POST".into(),
            update_method: "PUT".into(),
            delete_method: "DELETE".into(),
            ..Object::default()
        })
    }
}

/// What is asked of the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Create,
    Read,
    Update,
    Delete,
}

/// What is written and never kept.
struct Secrets {
    data: Option<Json>,
    places: Vec<String>,
    texts: Vec<String>,
}

impl Secrets {
    fn of(context: &Context<Client>) -> Result<Secrets, Diagnostics> {
        let config: Option<Object> = context.config()?;
        let value = config.and_then(|config| config.secret_data.into_known());
        let data = value.map(|value| body::from_value(&value)).transpose();
        let data = data.map_err(|problem| invalid("secret_data", problem))?;
        let (mut places, mut texts) = (Vec::new(), Vec::new());
        if let Some(data) = &data {
            body::leaves(data, "", &mut places, &mut texts);
        }
        Ok(Secrets { data, places, texts })
    }
}

/// Characters that may stand in a segment of a path as they are; the others are encoded.
fn encoded(id: &str) -> String {
    id.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' | b':' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn cut(json: &Json, places: &[String]) -> Json {
    let mut json = json.clone();
    places.iter().for_each(|place| body::remove(&mut json, place));
    json
}

impl Object {
    fn request(&self, step: Step, id: &str) -> Request {
        let method = |method: &Attr<String>, default: Method| {
            method.known().and_then(|m| m.parse().ok()).unwrap_or(default)
        };
        let (given, method) = match step {
            Step::Create => (&self.create_path, method(&self.create_method, Method::POST)),
            Step::Read => (&self.read_path, Method::GET),
            Step::Update => (&self.update_path, method(&self.update_method, Method::PUT)),
            Step::Delete => (&self.delete_path, method(&self.delete_method, Method::DELETE)),
        };
        let collection = self.path.text().trim_end_matches('/');
        let path = match given.known() {
            Some(path) => path.clone(),
            None if step == Step::Create && method != Method::PUT => self.path.text().to_owned(),
            None => format!("{collection}/{{id}}"),
        };
        Request {
            repeatable: method != Method::POST,
            method,
            path: path.replace("{id}", &encoded(id)),
            query: self.query.known().cloned().unwrap_or_default(),
            headers: self.headers.known().cloned().unwrap_or_default(),
            body: None,
        }
    }

    /// What is written.
    fn body(&self, secrets: &Secrets) -> Result<Json, Diagnostics> {
        let data = self.data.known().cloned().unwrap_or(Value::NULL);
        let mut json = body::from_value(&data).map_err(|problem| invalid("data", problem))?;
        if let Some(secret) = &secrets.data {
            body::merge(&mut json, secret.clone());
        }
        Ok(json)
    }

    /// The id: as given, from the answer, from where the answer says that the object is, from what was written.
    fn id_from(&self, response: &Response, answer: &Json, data: &Json) -> Option<String> {
        if let Some(id) = self.object_id.known() {
            return Some(id.clone());
        }
        let place = self.id_attribute.text();
        let select = |json: &Json| body::at(json, place).and_then(text_of);
        let selected = self.read_select.known().and_then(|s| body::at(answer, s)).and_then(select);
        selected.or_else(|| select(answer)).or_else(|| last_segment(response)).or_else(|| select(data))
    }

    /// The object with what the server says of it, without secrets and what is left out.
    fn with_output(&self, json: &Json, remembered: &Remembered) -> Object {
        let mut json = cut(json, &remembered.secret_places);
        for place in self.ignore_output.known().into_iter().flatten() {
            body::remove(&mut json, place);
        }
        let output = Some(body::to_value(&json)).filter(|value| !value.is_null());
        Object { output: output.into(), ..self.clone() }
    }

    /// Asks the server for the object. `None` if there is none.
    async fn look(&self, context: &Context<Client>) -> Result<Option<Json>, Diagnostics> {
        let request = self.request(Step::Read, self.id.text());
        let response = context.client.send(&request, &context.stop).await?;
        if matches!(response.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok(None);
        }
        if !response.status.is_success() {
            return Err(refused(&request, &response, context, &[]));
        }
        let json = response.json().map_err(|problem| unreadable(&request, &problem))?;
        match self.read_select.known() {
            None => Ok(Some(json)),
            Some(place) => match body::at(&json, place) {
                Some(part) => Ok(Some(part.clone())),
                None => Err(unreadable(&request, &format!("the answer has nothing at `{place}`"))),
            },
        }
    }

    /// The id of the object whose creation was interrupted, if the collection has it.
    async fn search(&self, context: &Context<Client>) -> Result<Option<String>, Diagnostics> {
        if let Some(id) = self.object_id.known() {
            return Ok(Some(id.clone()));
        }
        let (Some(key), Some(data)) = (self.find_by.known(), self.data.known()) else { return Ok(None) };
        let Some(wanted) = body::from_value(data).ok().and_then(|d| body::at(&d, key).map(body::to_value))
        else {
            return Ok(None);
        };
        let mut request = self.request(Step::Read, "");
        request.path = self.path.text().to_owned();
        let response = context.client.send(&request, &context.stop).await?;
        if !response.status.is_success() {
            return Err(refused(&request, &response, context, &[]));
        }
        let json = response.json().map_err(|problem| unreadable(&request, &problem))?;
        // Collections are arrays, or objects with one array in them.
        let items = match &json {
            Json::Array(items) => Some(items),
            Json::Object(fields) => fields.values().find_map(Json::as_array),
            _ => None,
        };
        let found = items
            .into_iter()
            .flatten()
            .find(|item| body::at(item, key).map(body::to_value) == Some(wanted.clone()));
        Ok(found.and_then(|item| body::at(item, self.id_attribute.text())).and_then(text_of))
    }
}

fn text_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The end of the path where the answer says that the object is.
fn last_segment(response: &Response) -> Option<String> {
    let location = response.headers.get(LOCATION)?.to_str().ok()?;
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    path.rsplit('/').next().filter(|segment| !segment.is_empty()).map(str::to_owned)
}

/// Sends a request whose answer must be a success.
async fn send(
    request: &Request,
    context: &Context<Client>,
    secrets: &[String],
) -> Result<Response, Diagnostics> {
    let response = context.client.send(request, &context.stop).await?;
    match response.status.is_success() {
        true => Ok(response),
        false => Err(refused(request, &response, context, secrets)),
    }
}

fn refused(
    request: &Request,
    response: &Response,
    context: &Context<Client>,
    secrets: &[String],
) -> Diagnostics {
    let said = match response.excerpt() {
        text if text.is_empty() => String::new(),
        text => format!(" It said:\n{text}"),
    };
    let text = format!("{} {}: the server answered {}.{said}", request.method, request.path, response.status);
    Diagnostic::error("request-failed", "Request failed")
        .detail(context.client.redacted(&text, secrets))
        .into()
}

fn unreadable(request: &Request, problem: &str) -> Diagnostics {
    Diagnostic::error("unexpected-answer", "Unexpected answer")
        .detail(format!("{} {}: {problem}.", request.method, request.path))
        .into()
}

fn gone(object: &Object) -> Diagnostics {
    Diagnostic::error("object-absent", "Object does not exist")
        .detail(format!("The server has no object `{}` any more.", object.id.text()))
        .help("Plan again to create it anew.")
        .into()
}

/// What to say of an interrupted creation that left no trace.
fn unfindable() -> Diagnostic {
    Diagnostic::warning("creation-in-doubt", "Interrupted creation is in doubt")
        .detail("The creation of this object was interrupted, and nothing tells whether the server has made it. It is planned again.")
        .help("Look whether the object exists before you apply. For the next time, set `find_by`, so that Plumb can look for it.")
}

fn no_id(object: &Object, said: &str) -> Failed<Object> {
    let place = object.id_attribute.text();
    Diagnostic::error("no-id", "Object has no id")
        .detail(format!("The object was created, but the answer has no id at `{place}`. It said:\n{said}"))
        .help("Set `id_attribute` to the place of the id, then import the object.")
        .attribute(Path::of("id_attribute"))
        .into()
}
