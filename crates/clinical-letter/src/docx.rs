use crate::ReadOptions;
use crate::identity::Identity;
use crate::reading::Notes;

pub(crate) fn inspect(
    _bytes: &[u8],
    _options: &ReadOptions,
    _notes: &mut Notes,
) -> Option<Identity> {
    None
}
