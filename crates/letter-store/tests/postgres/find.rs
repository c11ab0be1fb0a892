//! Lists on PostgreSQL: the same questions as on SQLite, each answered by an index.

use chrono::{DateTime, Duration, Utc};
use letter_delivery::testkit::SeededDice;
use letter_delivery::{Disposition, Engine, Intake, Policy, Scope, Store as _};
use letter_store::testkit::Cluster;
use letter_store::{PostgresStore, StatusFilter};
use nhs_types::OdsCode;

use crate::support::{key, open, raw, run};

/// Six letters, one an hour, every second held and a discharge summary.
async fn fill(store: &PostgresStore, begin: DateTime<Utc>) {
    let keys = key().trust_keys(OdsCode::parse("RXX").unwrap());
    let mut engine = Engine::new(keys, Policy::default(), Box::new(SeededDice::new(1)));
    for number in 0..6_u8 {
        let held = number % 2 == 1;
        let as_what = if held {
            Disposition::Hold
        } else {
            Disposition::Send
        };
        let document = format!("DOC-{number}");
        let raw = document.as_bytes().to_vec();
        let mut intake = Intake::new("epr", document, as_what, "because", [number; 32], raw);
        if held {
            intake.class = "discharge-summary".to_owned();
        }
        let at = begin + Duration::hours(number.into());
        let taken = engine.intake(at, intake, None, None);
        store.commit(taken.commit).await.unwrap();
    }
}

#[test]
fn a_list_shows_what_is_asked_for() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let store = open(&cluster).await;
        let begin: DateTime<Utc> = "2026-02-03T10:00:00Z".parse().unwrap();
        fill(&store, begin).await;
        let count = async |filter: StatusFilter| store.letters(filter).await.unwrap().len();
        let none = StatusFilter::default;
        let at = |hours| Some(begin + Duration::hours(hours));
        assert_eq!(count(none()).await, 6);
        let newest = StatusFilter {
            limit: Some(2),
            ..none()
        };
        let newest = store.letters(newest).await.unwrap();
        let times: Vec<_> = newest.iter().map(|view| view.letter.taken_at).collect();
        assert_eq!(times, [at(4).unwrap(), at(5).unwrap()]);
        let held = StatusFilter {
            state: Some("HELD".to_owned()),
            taken_before: at(3),
            ..none()
        };
        assert_eq!(count(held).await, 1);
        let needs_person = true;
        assert_eq!(
            count(StatusFilter {
                needs_person,
                ..none()
            })
            .await,
            3
        );
        let mut scope = Scope::default();
        scope.class = Some("discharge-summary".to_owned());
        assert_eq!(
            count(StatusFilter {
                scope: scope.clone(),
                ..none()
            })
            .await,
            3
        );
        scope.source = Some("another".to_owned());
        assert_eq!(count(StatusFilter { scope, ..none() }).await, 0);
        let practice = Some("A81001".to_owned());
        assert_eq!(count(StatusFilter { practice, ..none() }).await, 0);
    });
}

/// Design section 6: the indexes are there, and fit the questions.
#[test]
fn every_search_has_its_index() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    run(async {
        let _store = open(&cluster).await;
        let client = raw(&cluster).await;
        client
            .batch_execute(
                "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off",
            )
            .await
            .unwrap();
        let asks = [
            ("copy WHERE practice = 'x'", "copy_by_practice"),
            (
                "letter WHERE taken_at >= 0 ORDER BY taken_at DESC",
                "letter_by_time",
            ),
            (
                "letter WHERE needs_person ORDER BY act_by",
                "letter_by_need",
            ),
            ("copy WHERE needs_person ORDER BY act_by", "copy_by_need"),
            (
                "letter WHERE state = 'x' ORDER BY taken_at DESC",
                "letter_by_state",
            ),
            ("copy WHERE state = 'x'", "copy_by_state"),
            (
                "letter WHERE record::json ->> 'source' = 'x' ORDER BY taken_at DESC",
                "letter_by_source",
            ),
            (
                "letter WHERE record::json ->> 'class' = 'x' ORDER BY taken_at DESC",
                "letter_by_class",
            ),
        ];
        for (ask, index) in asks {
            let sql = format!("EXPLAIN SELECT key FROM {ask} LIMIT 10");
            let rows = client.query(&sql, &[]).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("; ");
            assert!(
                plan.contains(index) && !plan.contains("Sort"),
                "{ask}: {plan}"
            );
        }
    });
}
