//! Every crate builds alone, with each set of its features, and the lower floors without a runtime.

use crate::failure::{Failure, Outcome};
use crate::floors;
use crate::process;
use crate::say::say;
use crate::workspace::{Package, Workspace};

/// Up to this many features every set of them is checked, beyond it only none, each and all.
const POWERSET_FEATURES_MAX: usize = 4;

/// What the lower floors must do without.
const SHELL_ONLY: &[&str] = &["tokio", "reqwest", "rusqlite", "tokio-postgres"];

/// Checks each library crate with each set of its features, warnings being errors.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    for package in workspace.libraries()? {
        for set in sets(&package.features) {
            check_set(workspace, &package, &set)
                .map_err(|failure| failure.during(shown(&package, &set)))?;
        }
    }
    Ok(())
}

fn check_set(workspace: &Workspace, package: &Package, set: &[&str]) -> Outcome {
    say(shown(package, set));
    let features = format!("--features={}", set.join(","));
    let arguments = [
        "clippy",
        "--quiet",
        "--no-default-features",
        &features,
        "--package",
    ];
    let mut command = process::cargo(workspace, arguments);
    process::run(command.arg(&package.name).args(["--", "-Dwarnings"]))
}

fn shown(package: &Package, set: &[&str]) -> String {
    format!("{} [{}]", package.name, set.join(" "))
}

/// Fails when a crate of the lower floors has a runtime, an HTTP client or a database in its tree.
pub(crate) fn check_purity(workspace: &Workspace) -> Outcome {
    let mut wrong = Vec::new();
    for package in workspace.libraries()? {
        if !floors::is_pure(&package.name) {
            continue;
        }
        let arguments = [
            "tree",
            "--offline",
            "--edges=normal",
            "--prefix=none",
            "--format={p}",
        ];
        let mut tree = process::cargo(workspace, arguments);
        let tree = process::output(tree.args(["--package", &package.name]))?;
        wrong.extend(shell_crates(&tree).map(|found| format!("{} has {found}", package.name)));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(wrong.join(", ")))
}

fn shell_crates(tree: &str) -> impl Iterator<Item = &'static str> {
    let in_tree = |name: &str| {
        let mut names = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        names.any(|found| found == name)
    };
    SHELL_ONLY.iter().copied().filter(move |name| in_tree(name))
}

/// The sets of features to check; `default` is a name for some of the others.
fn sets(features: &[String]) -> Vec<Vec<&str>> {
    let names = features.iter().map(String::as_str);
    let names: Vec<&str> = names.filter(|name| *name != "default").collect();
    if names.len() > POWERSET_FEATURES_MAX {
        let each = names.iter().map(|name| vec![*name]);
        return std::iter::once(Vec::new())
            .chain(each)
            .chain([names.clone()])
            .collect();
    }
    let mut sets = vec![Vec::new()];
    for name in names {
        let with = sets.iter().cloned().map(|mut set: Vec<&str>| {
            set.push(name);
            set
        });
        let with: Vec<_> = with.collect();
        sets.extend(with);
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_crate_without_features_is_checked_once() {
        assert_eq!(sets(&[]), [Vec::<&str>::new()]);
        assert_eq!(sets(&features(&["default"])), [Vec::<&str>::new()]);
    }

    #[test]
    fn few_features_are_checked_in_every_set() {
        let names = features(&["a", "b", "default"]);
        assert_eq!(sets(&names), [vec![], vec!["a"], vec!["b"], vec!["a", "b"]]);
    }

    #[test]
    fn the_limit_is_the_last_full_powerset() {
        let names = features(&["a", "b", "c", "d"]);
        assert_eq!(names.len(), POWERSET_FEATURES_MAX);
        assert_eq!(sets(&names).len(), 16);
    }

    #[test]
    fn one_past_the_limit_is_none_each_and_all() {
        let names = features(&["a", "b", "c", "d", "e"]);
        let sets = sets(&names);
        assert_eq!(sets.len(), 7);
        assert_eq!(sets.first().unwrap().len(), 0);
        assert_eq!(sets.last().unwrap().len(), 5);
    }

    #[test]
    fn a_runtime_in_the_tree_is_found_by_its_whole_name() {
        let tree = "mesh-client v0.1.0 (/somewhere)\nbytes v1.0.0\ntokio-util v0.7.0\n";
        assert_eq!(shell_crates(tree).count(), 0);
        let tree = format!("{tree}tokio v1.0.0\nrusqlite v0.41.0 (*)\n");
        assert_eq!(
            shell_crates(&tree).collect::<Vec<_>>(),
            ["tokio", "rusqlite"]
        );
    }
}
