//! Measures what the host costs: time per call, and time to the schema of a large provider, asked for and cached.
//!
//! `cargo run --release --example overhead -- PATH/terraform-provider-conformance`

#![allow(clippy::print_stdout, reason = "the numbers are what it is for")]

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plumb_model::Value;
use plumb_provider_api::{Provider, ReadRequest};
use plumb_provider_host::{Options, Plugin, Source};

const ADDRESS: &str = "example.com/plumb/conformance";
const KIND: &str = "conformance_blocks";
const CALLS: usize = 20_000;
const IN_FLIGHT: usize = 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    plumb_provider_host::guard::enter();
    let program = std::env::args().nth(1).ok_or("the path of the conformance provider is missing")?;
    let source = Source::Program(program.into());
    calls(&source).await?;
    large_schema(&source).await
}

async fn calls(source: &Source) -> Result<(), Box<dyn Error>> {
    let provider = Arc::new(Plugin::new(ADDRESS, source.clone(), Options::default()).provider());
    let start = Instant::now();
    let schema = provider.schema().await.map_err(|d| format!("{d:?}"))?;
    println!("start and schema: {:?}", start.elapsed());
    provider.configure(schema.provider.block.empty()).await;
    let current = schema.resources[KIND].block.empty();
    let one = async |provider: &dyn Provider, current: Value| {
        let request = ReadRequest {
            kind: KIND.into(),
            current,
            private: Default::default(),
            meta: None,
            identity: None,
        };
        provider.read(request).await
    };
    one(&*provider, current.clone()).await.into_result().map_err(|d| format!("{d:?}"))?;
    let (start, busy) = (Instant::now(), processor_time()?);
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (provider, current) = (provider.clone(), current.clone());
            tokio::spawn(async move {
                for _ in 0..CALLS / IN_FLIGHT {
                    one(&*provider, current.clone()).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await?;
    }
    let busy = processor_time()?.saturating_sub(busy);
    println!("{CALLS} reads, {IN_FLIGHT} in flight: {:?} a call", start.elapsed() / CALLS as u32);
    println!("of that the host was busy: {:?} a call", busy / CALLS as u32);
    provider.shutdown().await;
    Ok(())
}

/// The time for which this process, without the provider, has been on a processor.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(") ").ok_or("no process statistics")?.1;
    // In hundredths of a second, user and system.
    let ticks: u64 = behind_name.split(' ').skip(11).take(2).map(|n| n.parse::<u64>().unwrap_or(0)).sum();
    Ok(Duration::from_millis(ticks * 10))
}

async fn large_schema(source: &Source) -> Result<(), Box<dyn Error>> {
    let cache = tempfile::tempdir()?;
    let options = Options {
        environment: vec![("CONFORMANCE_TYPES".into(), "60000".into())],
        cache: Some(cache.path().to_owned()),
        ..Options::default()
    };
    for what in ["asked for", "cached"] {
        let provider = Plugin::new(ADDRESS, source.clone(), options.clone()).provider();
        let start = Instant::now();
        let wanted = BTreeSet::from([KIND.into()]);
        provider.schema_for(&wanted).await.map_err(|d| format!("{d:?}"))?;
        println!("one type of a large schema, {what}: {:?}", start.elapsed());
        provider.shutdown().await;
    }
    for file in std::fs::read_dir(cache.path().join("schemas"))? {
        println!("cache file: {} MiB", file?.metadata()?.len() >> 20);
    }
    Ok(())
}
