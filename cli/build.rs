//! Writes the table of the pages that `plumb explain` shows: one file for each code in `docs/errors/AREA/`.
//!
//! Adding a code is adding a file there; nothing else lists them.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let pages = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../docs/errors");
    println!("cargo::rerun-if-changed={}", pages.display());
    let mut table = String::from("&[\n");
    for area in entries(&pages) {
        if !area.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", area.display());
        for page in entries(&area) {
            if page.extension().is_some_and(|extension| extension == "md") {
                println!("cargo::rerun-if-changed={}", page.display());
                let (area, code) = (stem(&area), stem(&page));
                let path = page.canonicalize().expect("it is there");
                writeln!(
                    table,
                    "    Page {{ area: {area:?}, code: {code:?}, text: include_str!({path:?}) }},"
                )
                .expect("writing to memory does not fail");
            }
        }
    }
    table.push_str("]\n");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("pages.rs");
    fs::write(out, table).expect("the table can be written");
}

/// What is in a directory, in order.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
