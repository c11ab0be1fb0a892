//! How long does the whole practice table take to load, and one decision with it?
//!
//! The real table is taken when it stands beside the checkout (`../shared`), else one of the same
//! size is made up.

#![expect(
    clippy::expect_used,
    reason = "a bench whose sample is bad has no figure to give"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gp_routing::{PracticeTable, SAMPLE_TABLE, TableLimits};
use nhs_types::OdsCode;

/// Rows of the made-up table; the real one has 16,685.
const ROWS: usize = 16_000;

const REAL: &str = "../../shared/data/ods/epraccur_2025-09.csv";

/// How long does the whole practice table take to load?
fn loading(criterion: &mut Criterion) {
    let (name, source) = table();
    let limits = TableLimits::at_least(ROWS);
    let loaded = PracticeTable::read(&source, &limits).expect("the table is good");
    let mut group = criterion.benchmark_group("practice table");
    group.throughput(Throughput::Bytes(source.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| PracticeTable::read(black_box(&source), &limits));
    });
    group.finish();
    let practice = loaded
        .practices()
        .last()
        .expect("it has rows")
        .code()
        .clone();
    finding(criterion, &loaded, &practice);
}

fn finding(criterion: &mut Criterion, table: &PracticeTable, practice: &OdsCode) {
    criterion.bench_function("practice table/find one", |bencher| {
        bencher.iter(|| table.practice(black_box(practice)));
    });
}

fn table() -> (&'static str, Vec<u8>) {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join(REAL);
    match std::fs::read(real) {
        Ok(bytes) => ("load the real one", bytes),
        Err(_) => ("load 16,000 rows", made_up().into_bytes()),
    }
}

// The first row of our own table under 16,000 other codes.
fn made_up() -> String {
    let row = SAMPLE_TABLE.lines().next().expect("our own table has rows");
    let (_, rest) = row.split_once(',').expect("of several fields");
    let code = |number| match number % 2 {
        0 => format!("A{:05}", number / 2 + 10_000),
        _ => format!("B{:05}", number / 2 + 10_000),
    };
    (0..ROWS)
        .map(|number| format!("\"{}\",{rest}\r\n", code(number)))
        .collect()
}

criterion_group!(benches, loading);
criterion_main!(benches);
