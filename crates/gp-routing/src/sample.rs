/// A small practice file of ours in the legacy form: invented practices for tests and the demo.
///
/// It holds the practices of the sample letters (`Y99901` Hawthorn Medical Centre, `Y99902` The
/// Bridge Surgery, `Y99903` St Oswald's Practice), those of the MESH sandbox (`A99991`, `A99992`)
/// and one of each difficult kind: closed, dormant, proposed, prison, pharmacy, island.
pub const SAMPLE_TABLE: &str = include_str!("../data/practices.csv");
