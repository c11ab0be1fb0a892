//! Whom an RTF attachment names. Its text is read for that alone: letters in RTF are held until
//! they have a reader (source-documents section 7.2).

mod tokens;

use chrono::NaiveDate;
use nhs_types::Location;

use crate::compose::{Joining, Line, Rules, compose};
use crate::identity::Identity;
use crate::reading::{Notes, Refusal};
use crate::{ReadOptions, SourceDocument};

const RULES: Rules = Rules {
    head_in_body: true,
    plain_signature: true,
    joining: Joining::Lines,
};

pub(crate) fn identity(
    bytes: &[u8],
    day: Option<NaiveDate>,
    options: &ReadOptions,
) -> Result<Identity, Refusal> {
    let text = tokens::text(bytes).map_err(|(reason, why)| {
        Refusal::new(reason, Location::Named("attachment".to_owned()), why)
    })?;
    let lines = text.split('\n').map(Line::plain).collect();
    let mut inner = SourceDocument::default();
    let composed = compose(lines, RULES, options, &mut inner, &mut Notes::default());
    Ok(composed.head.identity(day))
}
