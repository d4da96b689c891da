//! The provider `terraform`: data that lives in state alone, and reading the outputs of another state.

use std::sync::Arc;

use plumb_model::{Diagnostics, Value};
use plumb_provider_api::Provider;
use plumb_provider_sdk::{Attr, Context, Failed, Model, Planning, ProviderBuilder, Resource, async_trait};
use uuid::Uuid;

mod remote_state;

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    ProviderBuilder::new("terraform")
        .resource("terraform_data", TerraformData)
        .data_source("terraform_remote_state", remote_state::ReadState)
        .build()
}

/// Keeps a value in state, and takes part in the order of changes like any object.
///
/// It turns values that have no life of their own into something that other resources can be replaced by, and
/// runs nothing.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Data {
    /// Any value. It comes back as `output` once the change is applied.
    #[attribute(optional)]
    pub input: Attr<Value>,
    /// `input` as it was applied last.
    #[attribute(computed)]
    pub output: Attr<Value>,
    /// Any value. When it changes, the object is replaced, and with it what names it in `replace_triggered_by`.
    #[attribute(optional, requires_replace)]
    pub triggers_replace: Attr<Value>,
    /// A random UUID.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
}

struct TerraformData;

#[async_trait]
impl Resource for TerraformData {
    type Model = Data;
    type Client = ();

    async fn plan(&self, plan: &mut Planning<'_>, _: &mut Context<()>) -> Result<(), Diagnostics> {
        let input = plan.planned_value("input");
        if plan.is_create() && input.is_null() {
            plan.set("output", Value::NULL);
        } else if plan.changes_attribute("input") {
            let ty = input.ty();
            plan.set("output", Value::unknown(ty));
        } else if let Some(output) = plan.prior_value("output") {
            plan.set("output", output.clone());
        }
        Ok(())
    }

    async fn create(&self, planned: Data, _: &mut Context<()>) -> Result<Data, Failed<Data>> {
        let id = Attr::from(Uuid::new_v4().to_string());
        Ok(Data { output: planned.input.clone(), id, ..planned })
    }

    async fn update(&self, _: Data, planned: Data, _: &mut Context<()>) -> Result<Data, Failed<Data>> {
        Ok(Data { output: planned.input.clone(), ..planned })
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Data, Diagnostics> {
        Ok(Data { id: id.into(), ..Data::default() })
    }
}
