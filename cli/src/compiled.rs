//! The providers that are compiled in: those of Plumb, and those that a program built around Plumb adds.
//!
//! Which they are is settled when the program starts, like the program itself, and holds for the whole process. A provider
//! that is added is found by its address, so that the same configuration uses it as a plugin elsewhere; and in `.cfg`
//! files also by its bare name, as Plumb's own are.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, diagnostic};
use plumb_provider_api::Provider;

use crate::store::DATA_DIRECTORY;

/// Makes a provider. Each call makes another one, since each configuration needs its own.
pub type Make = fn() -> Arc<dyn Provider>;

/// Providers to be compiled in beside Plumb's own.
///
/// ```no_run
/// # fn inventory() -> std::sync::Arc<dyn plumb_provider_api::Provider> { plumb_provider_builtin::terraform::provider() }
/// fn main() -> std::process::ExitCode {
///     plumb_cli::start(plumb_cli::CompiledIn::with([("example.com/acme/inventory", inventory as _)]))
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CompiledIn {
    added: Vec<(ProviderSource, Make)>,
}

static ALL: OnceLock<CompiledIn> = OnceLock::new();

impl CompiledIn {
    /// Plumb's own and these, by the addresses that configurations name in `source`.
    ///
    /// # Panics
    /// If an address is none: `host/namespace/type`.
    pub fn with<'a>(providers: impl IntoIterator<Item = (&'a str, Make)>) -> CompiledIn {
        let source = |address: &str| {
            ProviderSource::parse(address)
                .unwrap_or_else(|error| panic!("`{address}` is no provider: {error}"))
        };
        CompiledIn { added: providers.into_iter().map(|(address, make)| (source(address), make)).collect() }
    }

    /// Makes these the providers of the process. Only the first call counts.
    pub(crate) fn settle(self) {
        let _ = ALL.set(self);
    }

    fn find(&self, source: &ProviderSource) -> Option<Make> {
        let named = |added: &ProviderSource| source.is_builtin() && source.kind == added.kind;
        self.added.iter().find(|(added, _)| added == source || named(added)).map(|(_, make)| *make)
    }
}

fn all() -> &'static CompiledIn {
    ALL.get_or_init(CompiledIn::default)
}

/// Whether a provider is compiled in, or would have to be.
pub fn is_compiled_in(source: &ProviderSource) -> bool {
    source.is_builtin() || all().find(source).is_some()
}

/// Makes a provider that is compiled in.
///
/// # Errors
/// If there is none of this name.
pub fn make(source: &ProviderSource) -> Result<Arc<dyn Provider>, Diagnostics> {
    if let Some(make) = all().find(source) {
        return Ok(make());
    }
    let folder = Some(Path::new(DATA_DIRECTORY));
    plumb_provider_builtin::lookup_in(&source.kind, folder).ok_or_else(|| unknown(&source.kind).into())
}

/// What is said of a name that no compiled-in provider has.
pub fn unknown(name: &str) -> Diagnostic {
    let known = names();
    Diagnostic::error("unknown-provider", "Unknown provider")
        .detail(format!("No provider `{name}` is compiled in."))
        .help(match diagnostic::nearest(name, known.iter().map(String::as_str)) {
            Some(guess) => format!("Did you mean `{guess}`?"),
            None => format!(
                "Compiled in are {}. Say where another comes from: `{name} = {{ source = \"…/{name}\" }}` in `required_providers`.",
                known.join(", ")
            ),
        })
}

/// The names of the providers that are compiled in, sorted.
fn names() -> Vec<String> {
    let added = all().added.iter().map(|(source, _)| source.kind.to_string());
    let mut names: Vec<String> =
        plumb_provider_builtin::names().iter().map(|name| (*name).to_owned()).chain(added).collect();
    names.sort();
    names.dedup();
    names
}

/// The providers that are of use to Terraform and OpenTofu, which have `terraform` themselves; sorted.
pub fn shareable() -> Vec<ProviderSource> {
    let own = |name: &String| ProviderSource::builtin(name);
    let address = |source: ProviderSource| {
        let added = all().added.iter().map(|(added, _)| added);
        added.into_iter().find(|added| added.kind == source.kind).cloned().unwrap_or(source)
    };
    names().iter().filter(|name| *name != "terraform").map(own).map(address).collect()
}

/// Serves a provider that is compiled in as a plugin, until its host ends it.
pub fn serve(source: &ProviderSource) -> Result<ExitCode, Diagnostics> {
    Ok(plumb_provider_sdk::serve(&source.to_string(), make(source)?))
}
