//! `floors`: arrows between our crates run strictly down, as section 4 of the design says.

use crate::failure::{Failure, Outcome};
use crate::say::say;
use crate::workspace::{Arrow, Package, Workspace};

/// Every crate of the house with its floor. A new crate gets its line here.
const FLOORS: &[(&str, u8)] = &[
    ("nhs-types", 0),
    ("clinical-letter", 1),
    ("kettering-xml", 1),
    ("gp-routing", 1),
    ("audit-core", 1),
    ("mesh-client", 1),
    ("letter-shape", 2),
    ("letter-delivery", 2),
    ("mesh-testserver", 2),
    ("letter-gateway", 3),
    ("letter-store", 3),
    ("letterbox", 4),
];

/// Packages beside the house: they may see every crate, and no crate sees them.
const BESIDE: &[&str] = &["letterbox-benches", "letterbox-tests", "xtask"];

/// What a dev-dependency may point to from any floor.
const TEST_SUPPORT: &[&str] = &["mesh-testserver", "letterbox-tests"];

/// The highest floor that builds without a runtime, an HTTP client or a database.
const PURE_FLOOR_MAX: u8 = 2;

/// `mesh-testserver` is a server: it stands on a pure floor and needs a runtime.
const NOT_PURE: &[&str] = &["mesh-testserver"];

pub(crate) fn command(workspace: &Workspace, _: &[&str]) -> Outcome {
    let packages = workspace.packages()?;
    let wrong = wrong_arrows(&packages);
    if wrong.is_empty() {
        let arrows: usize = packages.iter().map(|package| package.arrows.len()).sum();
        say(format_args!(
            "{} packages, {arrows} arrows, all run down",
            packages.len()
        ));
        return Ok(());
    }
    for line in &wrong {
        say(line);
    }
    Err(Failure::new(format!("{} wrong in the floors", wrong.len())))
}

/// Whether the crate must build without tokio, reqwest and a database.
pub(crate) fn is_pure(name: &str) -> bool {
    floor(name).is_some_and(|floor| floor <= PURE_FLOOR_MAX) && !NOT_PURE.contains(&name)
}

/// A sentence for every arrow that the design does not allow, and for every unknown crate.
fn wrong_arrows(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter(|package| !BESIDE.contains(&package.name.as_str()))
        .flat_map(|package| match floor(&package.name) {
            None => vec![unknown(&package.name)],
            Some(from) => wrong_from(package, from),
        })
        .collect()
}

fn wrong_from(package: &Package, from: u8) -> Vec<String> {
    let arrows = package.arrows.iter();
    arrows
        .filter_map(|arrow| wrong(&package.name, from, arrow))
        .collect()
}

fn wrong(name: &str, from: u8, arrow: &Arrow) -> Option<String> {
    let to = arrow.to.as_str();
    // A crate's own tests may ask for more of its features.
    if arrow.is_dev && (TEST_SUPPORT.contains(&to) || to == name) {
        return None;
    }
    if BESIDE.contains(&to) {
        return Some(format!(
            "{name} -> {to}: {to} stands beside the house, no crate uses it"
        ));
    }
    // An unknown target is told once, as a package of its own.
    let below = floor(to)?;
    let direction = match below.cmp(&from) {
        std::cmp::Ordering::Less => return None,
        std::cmp::Ordering::Equal => "sideways",
        std::cmp::Ordering::Greater => "up",
    };
    let kind = if arrow.is_dev {
        " (dev-dependency)"
    } else {
        ""
    };
    Some(format!(
        "{name} (floor {from}) -> {to} (floor {below}){kind}: runs {direction}, arrows run down"
    ))
}

fn unknown(name: &str) -> String {
    format!("{name}: has no floor; add it to FLOORS in xtask/src/floors.rs")
}

fn floor(name: &str) -> Option<u8> {
    let found = FLOORS.iter().find(|(known, _)| *known == name);
    found.map(|(_, floor)| *floor)
}

#[cfg(test)]
mod tests;
