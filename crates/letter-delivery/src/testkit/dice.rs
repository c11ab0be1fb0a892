use crate::engine::Entropy;

/// Randomness from a seed (splitmix64): the same seed gives the same draws, on every machine.
///
/// ```
/// use letter_delivery::testkit::SeededDice;
/// let (mut one, mut other) = (SeededDice::new(7), SeededDice::new(7));
/// assert_eq!(one.draw(), other.draw());
/// assert!(one.below(6) < 6);
/// ```
#[derive(Clone, Debug)]
pub struct SeededDice(u64);

impl SeededDice {
    /// Dice of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below the limit; 0 when the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let drawn = self.draw().checked_rem(limit).unwrap_or(0);
        usize::try_from(drawn).unwrap_or(0)
    }

    /// A number in `from..=to`.
    pub const fn between(&mut self, from: u32, to: u32) -> u32 {
        let span = to.saturating_sub(from) as u64 + 1;
        #[expect(clippy::cast_possible_truncation, reason = "below the span of two u32")]
        let drawn = (self.draw() % span) as u32;
        from.saturating_add(drawn)
    }

    /// True so many times in a thousand.
    pub const fn chance(&mut self, per_mille: u32) -> bool {
        self.draw() % 1000 < per_mille as u64
    }

    /// Dice of their own, decided by this draw and the name: what one actor draws must not move
    /// what another one draws.
    #[must_use]
    pub fn split(&self, name: &str) -> Self {
        let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        let mut mixed = Self(self.0 ^ hash);
        Self(mixed.draw())
    }
}

impl Entropy for SeededDice {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.draw().to_be_bytes();
            for (to, from) in chunk.iter_mut().zip(random) {
                *to = from;
            }
        }
    }
}
