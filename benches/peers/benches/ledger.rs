//! Appending, verifying and scanning, per event. Expected on two cores from the page cache:
//! appends in batches of 1,000 at about 0.8 million events a second or what the disk syncs,
//! verification at 2 million or more, and a scan that passes events over at memory speed.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use ledger::event::activity::SignIn;
use ledger::{
    Correlation, CreateOptions, Edge, Event, EventBody, Ledger, NaturalKey, Precision, Reader,
    Source, StreamName, verify,
};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn edge() -> Edge {
    Edge {
        clock: Box::new(|| Timestamp::from_second(1_795_000_000).unwrap_or_default()),
        entropy: Box::new(|bytes| bytes.fill(7)),
    }
}

fn sign_in(n: u32) -> Event {
    let id = format!("00000000-0000-4000-8000-{n:012}");
    Event {
        id: NaturalKey::new("activity").with(TENANT).with(&id).id(),
        stream: StreamName::service_principal(TENANT, &format!("object-{}", n % 1_000)),
        occurred_at: Timestamp::from_second(1_790_000_000 + i64::from(n)).unwrap_or_default(),
        precision: Precision::Exact,
        body: EventBody::SignedIn(SignIn {
            sign_in_id: id,
            app_id: "22222222-2222-3333-4444-555555555555".to_owned(),
            resource_id: Some("00000003-0000-0000-c000-000000000000".to_owned()),
            ip: Some("192.0.2.7".to_owned()),
            country: Some("NL".to_owned()),
            ..SignIn::default()
        }),
        source: Source {
            name: "graph/servicePrincipalSignIn".to_owned(),
            record: None,
            digest: String::new(),
        },
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}

fn create(dir: &Path) -> Option<Ledger> {
    let options = CreateOptions {
        origin: "ledger.example/t/bench".to_owned(),
        private_network: false,
    };
    Ledger::create(dir, &options, edge()).ok()
}

fn append(criterion: &mut Criterion) {
    const EVENTS: u32 = 1_000;
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    let Some(dir) = tempfile::tempdir().ok() else {
        return;
    };
    let Some(mut ledger) = create(dir.path()) else {
        return;
    };
    let mut next = 0;
    group.bench_function("batches of 1,000", |bencher| {
        bencher.iter_batched(
            || {
                next += EVENTS;
                (next - EVENTS..next).map(sign_in).collect::<Vec<_>>()
            },
            |events| ledger.append(events).is_ok(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    const EVENTS: u32 = 400_000;
    let Some(dir) = tempfile::tempdir().ok() else {
        return;
    };
    let Some(mut ledger) = create(dir.path()) else {
        return;
    };
    for start in (0..EVENTS).step_by(10_000) {
        if ledger
            .append((start..start + 10_000).map(sign_in).collect())
            .is_err()
        {
            return;
        }
    }
    drop(ledger);
    let Ok(reader) = Reader::open(dir.path()) else {
        return;
    };
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10);
    group.throughput(Throughput::Elements(reader.size()));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| verify(dir.path(), &|_, _| {}).is_ok_and(|report| report.is_clean()));
    });
    group.bench_function("scan, passing all over", |bencher| {
        bencher.iter(|| {
            let mut each = |_| ControlFlow::Continue(());
            reader.scan(0..u64::MAX, &|_| false, &mut each).is_ok()
        });
    });
    group.bench_function("scan, reading all", |bencher| {
        bencher.iter(|| {
            let mut each = |event| {
                black_box(event);
                ControlFlow::Continue(())
            };
            reader.scan(0..u64::MAX, &|_| true, &mut each).is_ok()
        });
    });
    group.finish();
}

criterion_group!(benches, append, read);
criterion_main!(benches);
