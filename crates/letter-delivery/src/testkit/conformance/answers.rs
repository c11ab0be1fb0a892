//! What a source was told is told again.

use audit_core::StreamKey;

use super::desk::Desk;
use super::{Outcome, Place, conflict, equal, is_true, there};
use crate::answer::HandOverAnswer;
use crate::commit::Commit;
use crate::store::Store as _;

fn answer(desk: &Desk<impl Place>) -> HandOverAnswer {
    HandOverAnswer::new([1; 32], [2; 32], 201, "{}".to_owned(), desk.now)
}

/// Letter and answer are written together; who uses the key again writes neither.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn an_answer_is_kept_with_what_it_tells_of_and_its_key_is_used_once(
    place: impl Place,
) -> Outcome {
    let mut desk = Desk::new(place, 40).await?;
    let answer = answer(&desk);
    let mut first = desk.new_letter();
    let letter = there("a letter", first.letters.first())?.key;
    first.answers.push(answer.clone());
    let before = desk.store()?.answer(answer.key).await?;
    equal("before", before, None)?;
    desk.store()?.commit(first).await?;
    desk.reopen().await?;
    let kept = desk.store()?.answer(answer.key).await?;
    equal("after", kept, Some(answer.clone()))?;
    let details = desk.store()?.letter(letter).await?;
    let details = there("the letter", details)?;
    equal("which", details.letter.key, letter)?;
    is_true("its number is known", details.document.is_some())?;
    let nobody = StreamKey::from_bytes([9; 16]);
    let nobody = desk.store()?.letter(nobody).await?;
    is_true("no such letter", nobody.is_none())?;

    let rows = desk.rows().await?;
    let mut second = desk.new_letter();
    second.answers.push(answer);
    conflict("the key again", desk.store()?.commit(second).await)?;
    equal("rows", desk.rows().await?, rows)?;
    desk.assert_clean().await
}

/// What is known already is answered too, though nothing else changes.
///
/// # Errors
///
/// [`Failure`](super::Failure).
pub async fn an_answer_alone_is_a_change(place: impl Place) -> Outcome {
    let mut desk = Desk::new(place, 41).await?;
    let answer = answer(&desk);
    let mut commit = Commit::default();
    commit.answers.push(answer.clone());
    desk.store()?.commit(commit).await?;
    let kept = desk.store()?.answer(answer.key).await?;
    equal("kept", kept, Some(answer))?;
    desk.assert_clean().await
}
