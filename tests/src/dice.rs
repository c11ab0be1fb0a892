use std::time::{SystemTime, UNIX_EPOCH};

/// Random numbers from a seed: xorshift64*, good enough to choose moments and places.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice with the seed in `LETTERBOX_SEED`, else with a new one. It is printed, so that a
    /// failure can be played again.
    pub fn new() -> Self {
        let given = std::env::var("LETTERBOX_SEED");
        let seed = given.ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap()
        });
        eprintln!("seed: LETTERBOX_SEED={seed}");
        Self::seeded(seed)
    }

    /// Dice that always fall the same.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number from `from` up to, not including, `to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D);
        from + drawn % (to - from)
    }
}

impl Default for Dice {
    fn default() -> Self {
        Self::new()
    }
}
