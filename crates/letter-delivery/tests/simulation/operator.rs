//! The one on call.

use crate::check::Held;
use crate::world::World;

impl World {
    pub(crate) fn operates(&mut self) -> Held {
        Ok(())
    }
}
