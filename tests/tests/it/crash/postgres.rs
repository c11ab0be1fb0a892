//! The database is killed under load, and so are workers that share one.

use std::thread::sleep;
use std::time::{Duration, Instant};

use letter_store::testkit::Cluster;
use letterbox_tests::{Budget, Dice, Mesh, Plan, Running, Siege, Site, Source, Verdict};

/// How often the database is killed, where `LETTERBOX_DATABASE_KILLS` does not say.
const DATABASE_KILLS: usize = 3;
/// How often two workers of three are killed, where `LETTERBOX_WORKER_KILLS` does not say.
const WORKER_KILLS: usize = 4;
const WORKERS: u64 = 3;
const PATIENCE: Duration = Duration::from_secs(40);

/// A site whose letters are in the database, where leases of the dead end soon.
fn site(cluster: &Cluster, mesh: &Mesh, source: &Source) -> Site {
    let mut plan = Plan {
        store: Some(cluster.url()),
        ..Siege::plan(source)
    };
    plan.trusts[0].delivery.push_str("lease_seconds = 2\n");
    Site::planned(mesh, plan)
}

fn siege(cluster: &Cluster, mesh: &Mesh) -> Siege {
    let source = Source::new(0);
    let mut siege = Siege::of(site(cluster, mesh, &source), source);
    siege.database = Some(cluster.settings("rt9"));
    siege
}

/// Letters arrive by both roads until all that MLLP brings are acknowledged, and something
/// happens meanwhile.
fn under_load(siege: &mut Siege, dice: &mut Dice, happens: impl FnOnce(&mut Dice)) {
    for _ in 0..dice.between(0, 3) {
        siege.source.put(&siege.site);
    }
    let messages = u32::try_from(dice.between(2, 8)).unwrap();
    siege.while_fed(messages, |is_fed| {
        sleep(Duration::from_millis(dice.between(0, 200)));
        happens(dice);
        let begin = Instant::now();
        while !is_fed() {
            assert!(begin.elapsed() < PATIENCE, "letters are not taken any more");
            sleep(Duration::from_millis(5));
        }
    });
}

fn tell(budget: &Budget, what: &str, times: usize, verdict: &Verdict) {
    verdict.assert_clean(&format!("{times} {what}"));
    budget.tell(&[
        (what, times),
        ("letters", verdict.letters),
        ("acknowledged", verdict.acknowledged),
        ("sends in doubt", verdict.doubts),
        ("lost", verdict.wrong.len()),
    ]);
}

/// Issue "What must be shown" 3: a run outlives its database, and takes letters again when that
/// is back.
#[tokio::test(flavor = "multi_thread")]
async fn design_7_postgres_killed_under_load_loses_nothing() {
    let budget = Budget::new("database kills", DATABASE_KILLS);
    let Some(cluster) = Cluster::start_durable() else {
        return;
    };
    let mesh = Mesh::start().await;
    let (mut dice, mut siege) = (Dice::new(), siege(&cluster, &mesh));
    let mut running = siege.site.start(&["run"]);
    // A run that never found its database says so and ends.
    under_load(&mut siege, &mut dice, |_| {});
    let mut kills = 0;
    while budget.goes_on(kills) {
        under_load(&mut siege, &mut dice, |dice| {
            cluster.kill();
            sleep(Duration::from_millis(dice.between(0, 300)));
            cluster.restart();
            assert!(!running.has_ended(), "it ended with its database");
        });
        kills += 1;
        siege.judge(&mesh).await;
        siege.collect(&mesh, &mut dice);
    }
    let ended = running.terminate();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let verdict = siege.settle(&mesh).await;
    tell(&budget, "kills of the database", kills, &verdict);
}

/// Several runs on one database, each with doors of its own; letters come in at the first's.
struct Workers {
    sites: Vec<Site>,
    running: Vec<Option<Running>>,
}

impl Workers {
    fn start(cluster: &Cluster, mesh: &Mesh, first: &Site) -> Self {
        let first = first.copied_to(first.folder().to_owned());
        let others = (1..WORKERS).map(|_| site(cluster, mesh, &Source::new(0)));
        let sites: Vec<Site> = std::iter::once(first).chain(others).collect();
        let running = sites
            .iter()
            .map(|site| Some(site.start(&["run"])))
            .collect();
        Self { sites, running }
    }

    fn kill_all_but(&mut self, survivor: usize) {
        for (_, running) in others(&mut self.running, survivor) {
            let _ = running.take().unwrap().kill();
        }
    }

    fn restart_all_but(&mut self, survivor: usize) {
        for (n, running) in others(&mut self.running, survivor) {
            *running = Some(self.sites[n].start(&["run"]));
        }
    }

    fn end(self) {
        for running in self.running.into_iter().flatten() {
            let ended = running.terminate();
            assert_eq!(ended.code, Some(0), "{ended:#?}");
        }
    }
}

fn others(
    running: &mut [Option<Running>],
    survivor: usize,
) -> impl Iterator<Item = (usize, &mut Option<Running>)> {
    running
        .iter_mut()
        .enumerate()
        .filter(move |(n, _)| *n != survivor)
}

/// Issue "What must be shown" 3: of three workers two are killed at a time; what they had begun is
/// gone on with by whoever is there.
#[tokio::test(flavor = "multi_thread")]
async fn design_7_two_workers_of_three_killed_lose_nothing() {
    let budget = Budget::new("worker kills", WORKER_KILLS);
    let Some(cluster) = Cluster::start_durable() else {
        return;
    };
    let mesh = Mesh::start().await;
    let (mut dice, mut siege) = (Dice::new(), siege(&cluster, &mesh));
    let mut workers = Workers::start(&cluster, &mesh, &siege.site);
    let mut kills = 0;
    while budget.goes_on(kills) {
        under_load(&mut siege, &mut dice, |dice| {
            let survivor = usize::try_from(dice.between(0, WORKERS)).unwrap();
            workers.kill_all_but(survivor);
            sleep(Duration::from_millis(dice.between(0, 400)));
            workers.restart_all_but(survivor);
        });
        kills += 1;
        siege.judge(&mesh).await;
        siege.collect(&mesh, &mut dice);
    }
    workers.end();
    let verdict = siege.settle(&mesh).await;
    tell(
        &budget,
        "times two workers of three killed",
        kills,
        &verdict,
    );
}
