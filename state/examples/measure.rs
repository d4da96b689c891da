//! How fast state is: `cargo run --release -p plumb-state --example measure [RESOURCES] [CONCURRENCY]`.
//!
//! Creates that many instances in one operation, as an apply would: each of the concurrent workers saves an intent,
//! waits until it is durable, saves the outcome, and waits again. Then the state is closed, opened, and read.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use plumb_state::{
    InstanceKey, InstanceRecord, JsonText, OpenOptions, State, StateError,
    record::{OperationKind, OperationStatus, StepAction},
    state::{OperationHeader, OperationWriter, StepIntent, StepOutcome},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let resources: usize = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let workers: usize = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let dir = std::env::temp_dir().join(format!("plumb-measure-{}", std::process::id()));

    let (state, empty) = timed(|| State::open(&dir, OpenOptions::default()))?;
    println!("open empty         {}", show(empty));
    let (operation, _) = timed(|| state.begin(header()))?;
    let (_, apply) = timed(|| apply(&operation, resources, workers))?;
    println!("{resources} steps by {workers}  {}", show(apply));
    operation.finish(OperationStatus::Succeeded)?;
    println!("memory             {}", memory());
    let (_, close) = timed(|| state.close())?;
    println!("close              {}   {} on disk", show(close), disk(&dir)?);

    for (name, read_only) in [("open", false), ("open read-only", true)] {
        let (state, open) = timed(|| State::open(&dir, OpenOptions { read_only }))?;
        let (count, scan) =
            timed(|| Ok(state.snapshot()?.instances.map(|i| i.map(drop)).filter(Result::is_ok).count()))?;
        let (steps, history) = timed(|| Ok(state.steps(1).count()))?;
        for warning in state.warnings() {
            println!("warning: {warning}");
        }
        println!("{name:18} {}   memory {}", show(open), memory());
        println!("  {count} instances {}   {steps} steps {}", show(scan), show(history));
        let (_, close) = timed(|| state.close())?;
        println!("  close            {}", show(close));
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn header() -> OperationHeader {
    OperationHeader { kind: OperationKind::Apply, who: "me@here".to_owned(), reason: None, plan_digest: None }
}

fn apply(operation: &OperationWriter, resources: usize, workers: usize) -> Result<(), StateError> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= resources {
                    return Ok(());
                }
                create(operation, number)?;
            }
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("workers do not panic"))
    })
}

fn create(operation: &OperationWriter, number: usize) -> Result<(), StateError> {
    let address = format!("terraform_data.layer_{}[{number}]", number % 50);
    let attributes = format!(
        r#"{{"id":"00000000-0000-4000-8000-{number:012}","input":{{"value":"{0}","type":"string"}},"output":{{"value":"{0}","type":"string"}},"triggers_replace":null}}"#,
        "x".repeat(100)
    );
    let attributes = JsonText::new(attributes).expect("this is JSON");
    let intent = StepIntent {
        key: InstanceKey::current(&address),
        action: StepAction::Create,
        before: None,
        planned: Some(attributes.clone()),
        also: Vec::new(),
    };
    let (step, ticket) = operation.intend(intent);
    ticket.wait()?;
    let record = InstanceRecord::new(address, r#"provider["terraform.io/builtin/terraform"]"#, attributes);
    operation.outcome(&step, StepOutcome::done(record)).wait()
}

fn timed<T>(work: impl FnOnce() -> Result<T, StateError>) -> Result<(T, Duration), StateError> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed()))
}

fn show(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The memory that the process has now, and had at most, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    format!("{} MB, at most {} MB", line("VmRSS"), line("VmHWM"))
}

fn disk(dir: &std::path::Path) -> std::io::Result<String> {
    let mut bytes = 0;
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => left.push(entry.path()),
                false => bytes += entry.metadata()?.len(),
            }
        }
    }
    Ok(format!("{} MB", bytes >> 20))
}
