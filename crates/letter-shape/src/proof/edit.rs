/// One step from one list of words to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit<'a> {
    Delete(&'a str),
    Insert(&'a str),
    Keep,
}

/// Beyond this many differences the shortest way is not searched: what lies between the common
/// start and end counts as changed. It bounds memory at 8 MB and time at a million steps.
pub(super) const EDITS_MAX: usize = 1_000;

/// The steps from one list to the other, in order; the shortest way (Myers 1986) within
/// [`EDITS_MAX`].
pub(super) fn edits<'a>(source: &'a [String], artefact: &'a [String]) -> Vec<Edit<'a>> {
    let start = common(source.iter(), artefact.iter());
    let a = source.get(start..).unwrap_or_default();
    let b = artefact.get(start..).unwrap_or_default();
    let end = common(a.iter().rev(), b.iter().rev());
    let a = a.get(..a.len() - end).unwrap_or_default();
    let b = b.get(..b.len() - end).unwrap_or_default();
    let mut out = vec![Edit::Keep; start];
    match Search::run(a, b) {
        Some(search) => out.extend(search.way()),
        None => {
            out.extend(a.iter().map(|word| Edit::Delete(word)));
            out.extend(b.iter().map(|word| Edit::Insert(word)));
        }
    }
    out.extend(vec![Edit::Keep; end]);
    out
}

fn common<'a>(
    one: impl Iterator<Item = &'a String>,
    two: impl Iterator<Item = &'a String>,
) -> usize {
    one.zip(two).take_while(|(one, two)| one == two).count()
}

/// The furthest points reached. Row `d` holds those of `d` differences, on diagonals
/// `-d, -d + 2, ..., d`, as how many words of the source are behind them; none where a diagonal
/// leaves the field.
struct Search<'a> {
    a: &'a [String],
    b: &'a [String],
    rows: Vec<Vec<Option<usize>>>,
}

impl<'a> Search<'a> {
    fn run(a: &'a [String], b: &'a [String]) -> Option<Self> {
        let mut search = Self {
            a,
            b,
            rows: Vec::new(),
        };
        for d in 0..=EDITS_MAX {
            let mut row = Vec::with_capacity(d + 1);
            for i in 0..=d {
                let reached = search.step(d, i).map(|(x, _)| search.slide(x, d, i));
                row.push(reached);
                if reached == Some(a.len()) && behind(a.len(), d, i) == Some(b.len()) {
                    search.rows.push(row);
                    return Some(search);
                }
            }
            search.rows.push(row);
        }
        None
    }

    /// Where the step to diagonal `i` of row `d` lands, and whether it deletes.
    fn step(&self, d: usize, i: usize) -> Option<(usize, bool)> {
        if d == 0 {
            return Some((0, false));
        }
        let before = self.rows.get(d - 1)?;
        let inserted = before.get(i).copied().flatten();
        let inserted = inserted.filter(|x| self.holds(*x, d, i));
        let deleted = i
            .checked_sub(1)
            .and_then(|i| before.get(i).copied().flatten());
        let deleted = deleted.map(|x| x + 1).filter(|x| self.holds(*x, d, i));
        match (deleted, inserted) {
            (Some(x), Some(other)) if x > other => Some((x, true)),
            (_, Some(x)) => Some((x, false)),
            (Some(x), None) => Some((x, true)),
            (None, None) => None,
        }
    }

    fn holds(&self, x: usize, d: usize, i: usize) -> bool {
        x <= self.a.len() && behind(x, d, i).is_some_and(|y| y <= self.b.len())
    }

    /// Follows equal words.
    fn slide(&self, mut x: usize, d: usize, i: usize) -> usize {
        while let Some(y) = behind(x, d, i)
            && let (Some(one), Some(two)) = (self.a.get(x), self.b.get(y))
            && one == two
        {
            x += 1;
        }
        x
    }

    /// The way, walked back from the end.
    fn way(&self) -> Vec<Edit<'a>> {
        let mut out = Vec::new();
        let mut i = self
            .rows
            .last()
            .map_or(0, |row| row.len().saturating_sub(1));
        let mut x = self.a.len();
        for d in (0..self.rows.len()).rev() {
            let Some((from, deletes)) = self.step(d, i) else {
                break;
            };
            out.extend(vec![Edit::Keep; x - from]);
            if d == 0 {
                break;
            }
            if deletes {
                x = from - 1;
                out.extend(self.a.get(x).map(|word| Edit::Delete(word)));
                i -= 1;
            } else {
                x = from;
                let y = behind(x, d, i).and_then(|y| y.checked_sub(1));
                let word = y.and_then(|y| self.b.get(y));
                out.extend(word.map(|word| Edit::Insert(word)));
            }
        }
        out.reverse();
        out
    }
}

/// How many words of the artefact are behind a point on diagonal `i` of row `d`.
const fn behind(x: usize, d: usize, i: usize) -> Option<usize> {
    (x + d).checked_sub(2 * i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        text.chars().map(String::from).collect()
    }

    /// Plays the steps: they must lead from one list to the other.
    fn replay(source: &[String], edits: &[Edit<'_>]) -> (Vec<String>, usize, usize) {
        let mut rest = source.iter();
        let (mut out, mut steps) = (Vec::new(), 0);
        for edit in edits {
            match edit {
                Edit::Keep => out.push(rest.next().unwrap().clone()),
                Edit::Delete(word) => {
                    assert_eq!(rest.next().unwrap(), word);
                    steps += 1;
                }
                Edit::Insert(word) => {
                    out.push((*word).to_owned());
                    steps += 1;
                }
            }
        }
        (out, steps, rest.count())
    }

    /// The textbook table, to compare with.
    fn distance(a: &[String], b: &[String]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for one in a {
            let mut diagonal = row[0];
            row[0] += 1;
            for (j, two) in b.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if one == two {
                    diagonal
                } else {
                    1 + above.min(row[j])
                };
                diagonal = above;
            }
        }
        row[b.len()]
    }

    #[test]
    fn known_ways() {
        for (a, b, steps) in [
            ("abcabba", "cbabac", 5),
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "xyz", 6),
        ] {
            let (a, b) = (words(a), words(b));
            let (out, count, rest) = replay(&a, &edits(&a, &b));
            assert_eq!((out, count, rest), (b, steps, 0));
        }
    }

    #[test]
    fn differences_at_their_limit() {
        let source: Vec<String> = (0..EDITS_MAX).map(|n| format!("s{n}")).collect();
        let anchored = |n: usize| {
            let mut list = source[..n / 2].to_vec();
            list.push("kept".to_owned());
            list.extend_from_slice(&source[n / 2..n]);
            list
        };
        let kept = vec!["kept".to_owned()];
        let at = anchored(EDITS_MAX);
        assert!(edits(&at, &kept).contains(&Edit::Keep));
        let mut past = anchored(EDITS_MAX);
        past.insert(0, "more".to_owned());
        let (out, steps, rest) = replay(&past, &edits(&past, &kept));
        assert_eq!((out, rest), (kept, 0));
        assert_eq!(steps, past.len() + 1, "taken as changed as a whole");
    }

    proptest! {
        #[test]
        fn the_way_is_right_and_the_shortest(a in "[a-d]{0,24}", b in "[a-d]{0,24}") {
            let (a, b) = (words(&a), words(&b));
            let (out, steps, rest) = replay(&a, &edits(&a, &b));
            prop_assert_eq!(&out, &b);
            prop_assert_eq!(rest, 0);
            prop_assert_eq!(steps, distance(&a, &b));
        }
    }
}
