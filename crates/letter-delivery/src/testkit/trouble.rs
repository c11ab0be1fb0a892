use crate::store::StoreError;

/// What goes wrong with a [`ModelStore`](super::ModelStore).
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_enums, reason = "a test says which")]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// The process dies when so many more commits were made: nothing is written after.
    DiesAfter(usize),
    /// The disk is full.
    Unavailable,
    /// The next so many commits meet another writer.
    Conflicts(usize),
    /// Whoever asks for a content breaks.
    Breaks,
}

impl Trouble {
    /// Whether a commit may go on.
    pub(super) fn meet(&mut self) -> Result<(), StoreError> {
        match self {
            Self::DiesAfter(0) => Err(StoreError::Unavailable("the process is dead".to_owned())),
            Self::Unavailable => Err(StoreError::Unavailable("the disk is full".to_owned())),
            Self::Conflicts(left) if *left > 0 => {
                *left -= 1;
                Err(StoreError::Conflict)
            }
            Self::DiesAfter(left) => {
                *left -= 1;
                Ok(())
            }
            Self::None | Self::Conflicts(_) | Self::Breaks => Ok(()),
        }
    }

    pub(super) const fn breaks(&self) -> bool {
        matches!(self, Self::Breaks)
    }
}
