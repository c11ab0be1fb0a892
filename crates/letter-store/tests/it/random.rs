//! Whatever happens in whatever order, the ledger stays whole.

use chrono::Duration;
use proptest::prelude::*;

use crate::support::Desk;

/// One thing that happens to a store.
#[derive(Clone, Copy, Debug)]
enum Act {
    Take {
        document: u8,
        text: u8,
    },
    Work {
        limit: u8,
    },
    /// Claims and dies: the work comes back when its lease ends.
    Abandon,
    Wait {
        minutes: u16,
    },
    Report,
    Sign,
    Reopen,
    Lock,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..6_u8, 0..4_u8).prop_map(|(document, text)| Act::Take { document, text }),
        6 => (1..9_u8).prop_map(|limit| Act::Work { limit }),
        1 => Just(Act::Abandon),
        3 => (1..600_u16).prop_map(|minutes| Act::Wait { minutes }),
        1 => Just(Act::Report),
        1 => Just(Act::Sign),
        1 => Just(Act::Reopen),
        1 => Just(Act::Lock),
    ]
}

async fn play(desk: &mut Desk, act: Act) {
    match act {
        Act::Take { document, text } => {
            let document = format!("D-{document}");
            desk.take(&document, &format!("text {text} of {document}"))
                .await;
        }
        Act::Work { limit } => {
            desk.work(usize::from(limit)).await;
        }
        Act::Abandon => {
            desk.claim(3).await;
        }
        Act::Wait { minutes } => desk.now += Duration::minutes(i64::from(minutes)),
        Act::Report => {
            let views = desk.store().letters(Default::default()).await.unwrap();
            let copies = views.iter().flat_map(|view| &view.copies);
            let sent = copies.filter(|copy| copy.message_id.is_some());
            if let Some(key) = sent.map(|copy| copy.key).next() {
                desk.report(key).await.unwrap();
            }
        }
        Act::Sign => {
            desk.sign().await;
        }
        Act::Reopen => {
            desk.reopen();
        }
        Act::Lock => drop(desk.store().lock_engine().await.unwrap()),
    }
}

proptest! {
    #[test]
    fn any_order_of_changes_and_ends_verifies(
        seed: u64,
        acts in prop::collection::vec(act(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut desk = Desk::new(seed);
            desk.is_lucky = false;
            for act in acts {
                play(&mut desk, act).await;
            }
            desk.assert_clean().await;
            desk.reopen();
            desk.assert_clean().await;
        });
    }
}
