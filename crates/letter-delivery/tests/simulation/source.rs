//! A record system that hands documents over: again and again until it is told "taken", with
//! duplicates, drafts, cancellations, and versions out of order.

use letter_delivery::testkit::SeededDice;
use letter_delivery::{Disposition, Entropy as _, Intake};
use nhs_types::{NhsNumber, Sensitive};

use crate::plan::{ARRIVALS, MINUTE};

/// Patients of the test range.
const NUMBERS: [&str; 2] = ["9990308241", "9999999484"];

/// One thing that is handed over.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) at: i64,
    pub(crate) intake: Intake,
    pub(crate) told: bool,
}

/// Draws documents until so many letters are among them.
pub(crate) fn submissions(dice: &mut SeededDice, letters: usize) -> Vec<Submission> {
    let mut all = Vec::new();
    let mut drawn = 0;
    let mut document = 0;
    while drawn < letters {
        drawn += draw_document(dice, document, &mut all);
        document += 1;
    }
    all
}

fn draw_document(dice: &mut SeededDice, number: usize, all: &mut Vec<Submission>) -> usize {
    let name = format!("D-{number}");
    let mut at = i64::from(dice.between(0, u32::try_from(ARRIVALS).unwrap()));
    let versions = match dice.below(10) {
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    let counts = dice.chance(400);
    if dice.chance(100) {
        all.push(submission(dice, &name, 0, Disposition::Draft, at));
        at += pause(dice, 20);
    }
    let mut times = Vec::new();
    for version in 1..=versions {
        let disposition = match dice.below(40) {
            0 => Disposition::Hold,
            1 => Disposition::Suppress,
            2 => Disposition::Reject,
            _ => Disposition::Send,
        };
        let mut one = submission(dice, &name, version, disposition, at);
        if counts {
            one.intake.version = u32::try_from(version).ok();
        }
        if number > 0 && dice.chance(40) {
            one.intake.replaces = Some(format!("D-{}", dice.below(number)));
        }
        times.push(all.len());
        if dice.chance(120) {
            let mut again = one.clone();
            again.at += pause(dice, 60);
            all.push(again);
        }
        all.push(one);
        at += pause(dice, 30);
    }
    // Out of order: only a source that counts can tell.
    if counts && versions > 1 && dice.chance(300) {
        let (first, last) = (times[0], *times.last().unwrap());
        let earlier = all[first].at;
        all[first].at = all[last].at;
        all[last].at = earlier;
    }
    if dice.chance(80) {
        all.push(submission(dice, &name, 9, Disposition::Withdraw, at));
    }
    versions
}

fn pause(dice: &mut SeededDice, minutes: u32) -> i64 {
    i64::from(dice.between(0, minutes * 60)) * MINUTE / 60
}

fn submission(
    dice: &mut SeededDice,
    name: &str,
    version: usize,
    disposition: Disposition,
    at: i64,
) -> Submission {
    let text = format!("{name} as of {version}");
    let mut content = [0; 32];
    SeededDice::new(1).split(&text).fill(&mut content);
    let raw = text.as_bytes().to_vec();
    let mut intake = Intake::new("epr", name, disposition, "reason", content, raw);
    intake.class = "outpatient-letter".to_owned();
    intake.patient = NhsNumber::parse(NUMBERS[dice.below(2)]).ok();
    if disposition != Disposition::Withdraw {
        intake.letter = Some(Sensitive::new(text.into_bytes()));
    }
    Submission {
        at,
        intake,
        told: false,
    }
}
