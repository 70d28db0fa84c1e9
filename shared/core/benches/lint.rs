//! How long it takes to lint one snapshot of a pipeline that deploys into another account, and a thousand.
//!
//! `cargo bench -p crosspipe-core --bench lint`.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench is no interface")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crosspipe_core::rules::lint;
use crosspipe_core::snapshot::Snapshot;
use crosspipe_testing::walkthrough::{corrected, numbered};

const MANY: u32 = 1_000;

fn parse(text: &str) -> Snapshot {
    Snapshot::from_value(serde_json::from_str(text).unwrap()).unwrap()
}

/// The walkthrough's corrected snapshot, with both accounts: every rule has everything that it looks at.
fn one(criterion: &mut Criterion) {
    let text = corrected().to_string();
    let snapshot = parse(&text);
    assert!(lint(&snapshot).unwrap().findings.is_empty());
    let mut group = criterion.benchmark_group("one snapshot");
    group.bench_function("lint", |bencher| bencher.iter(|| lint(black_box(&snapshot))));
    group.bench_function("parse and lint", |bencher| bencher.iter(|| lint(&parse(black_box(&text)))));
    group.finish();
}

/// A thousand snapshots that differ in the names of everything, one at a time.
fn many(criterion: &mut Criterion) {
    let texts: Vec<String> = (0..MANY).map(numbered).collect();
    let snapshots: Vec<Snapshot> = texts.iter().map(|text| parse(text)).collect();
    let mut group = criterion.benchmark_group("1,000 snapshots");
    group.sample_size(10).throughput(Throughput::Elements(u64::from(MANY)));
    group.bench_function("lint", |bencher| {
        bencher.iter(|| snapshots.iter().map(|it| lint(it).unwrap().findings.len()).sum::<usize>());
    });
    group.bench_function("parse and lint", |bencher| {
        bencher.iter(|| texts.iter().map(|it| lint(&parse(it)).unwrap().findings.len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, one, many);
criterion_main!(benches);
