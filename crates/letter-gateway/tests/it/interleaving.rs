//! However the same documents are handed over, each letter is sent once.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::mllp::Line;
use crate::support::letters::Message;
use crate::support::{PRACTICE, World};
use letter_delivery::testkit::Trouble;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Into the folder, as a message resent in an envelope of its own.
    Folder(usize, usize),
    /// Over MLLP, again until it is answered AA.
    Mllp(usize, usize),
    /// Both roads at the same time.
    Both(usize, usize),
    Scan,
    Work,
    FullDisk,
    Conflicts(usize),
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let handed = || (0..DOCUMENTS, 0..CONTROLS.len());
    prop_oneof![
        4 => handed().prop_map(|(document, control)| Act::Folder(document, control)),
        4 => handed().prop_map(|(document, control)| Act::Mllp(document, control)),
        3 => handed().prop_map(|(document, control)| Act::Both(document, control)),
        2 => Just(Act::Scan),
        2 => Just(Act::Work),
        1 => Just(Act::FullDisk),
        1 => (1_usize..4).prop_map(Act::Conflicts),
        1 => Just(Act::Restart),
    ]
}

const DOCUMENTS: usize = 3;
const CONTROLS: [&str; 4] = ["CTL0001", "CTL0002", "CTL0003", "CTL0004"];

fn message(document: usize, control: usize) -> Vec<u8> {
    let mut message = Message::new(&format!("D-{document}"), &format!("Plan {document}"));
    message.control = CONTROLS[control];
    message.made_at = ["20261119143210", "20261120143210"][control % 2];
    message.bytes()
}

/// What a sender does: resend until it is told AA.
async fn tell(world: &World, line: &Line, bytes: &[u8]) {
    for _ in 0..8 {
        if line.tell(bytes).await.starts_with("AA") {
            return;
        }
        world.store.set(Trouble::None);
    }
    panic!("the sender was never told AA");
}

async fn play(acts: &[Act]) {
    let mut world = World::new().await;
    let mut handed = BTreeSet::new();
    for (step, act) in acts.iter().enumerate() {
        if let Act::Folder(document, _) | Act::Mllp(document, _) | Act::Both(document, _) = act {
            handed.insert(*document);
        }
        let line = Line::open(&world).await;
        match *act {
            Act::Folder(document, control) => {
                world.hand_over(&format!("{step:02}.hl7"), message(document, control));
            }
            Act::Mllp(document, control) => tell(&world, &line, &message(document, control)).await,
            Act::Both(document, control) => {
                let bytes = message(document, control);
                world.hand_over(&format!("{step:02}.hl7"), &bytes);
                let folder = world.source();
                let (_, ()) =
                    tokio::join!(world.gateway.scan(&folder), tell(&world, &line, &bytes));
            }
            Act::Scan => drop(world.gateway.scan(&world.source()).await),
            Act::Work => {
                world.store.set(Trouble::None);
                world.work().await;
            }
            Act::FullDisk => world.store.set(Trouble::Unavailable),
            Act::Conflicts(count) => world.store.set(Trouble::Conflicts(count)),
            Act::Restart => world.restart(),
        }
    }
    world.store.set(Trouble::None);
    for _ in 0..3 {
        world.later(10);
        world.run_once().await;
    }
    let expected = handed.len();
    assert_eq!(world.letters().len(), expected);
    assert_eq!(world.received(PRACTICE).len(), expected);
    assert_eq!(world.files("in").len(), 0);
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_interleaving_of_folder_and_mllp_gives_each_letter_once(
        acts in proptest::collection::vec(act(), 1..14)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(play(&acts));
    }
}
