//! Where things are, and what `cargo metadata` says about our own crates.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::process;

/// The checkout and the cache folder.
pub(crate) struct Workspace {
    root: PathBuf,
    cache: PathBuf,
}

/// One of our own packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) is_library: bool,
    pub(crate) is_published: bool,
    pub(crate) features: Vec<String>,
    pub(crate) arrows: Vec<Arrow>,
}

/// A dependency on another of our own packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrow {
    pub(crate) to: String,
    pub(crate) is_dev: bool,
}

impl Workspace {
    /// The workspace this program was built in. The cache is `LETTERBOX_CACHE` or
    /// `~/.cache/letterbox`.
    pub(crate) fn find() -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or_else(|| Failure::new("xtask stands in no workspace"))?;
        let cache = std::env::var_os("LETTERBOX_CACHE").map(PathBuf::from);
        let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
        let cache = cache
            .or_else(|| home.map(|home| PathBuf::from(home).join(".cache/letterbox")))
            .ok_or_else(|| Failure::new("set LETTERBOX_CACHE to a folder that may be filled"))?;
        Ok(Self {
            root: root.to_owned(),
            cache: std::path::absolute(cache)?,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside)
    }

    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Our own packages, by name.
    pub(crate) fn packages(&self) -> Outcome<Vec<Package>> {
        let arguments = [
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ];
        packages(&process::output(&mut process::cargo(self, arguments))?)
    }

    /// The library crates that others may depend on.
    pub(crate) fn libraries(&self) -> Outcome<Vec<Package>> {
        let mut packages = self.packages()?;
        packages.retain(|package| package.is_library && package.is_published);
        Ok(packages)
    }
}

/// Reads the answer of `cargo metadata --no-deps`.
pub(crate) fn packages(metadata: &str) -> Outcome<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let listed = list(&metadata, "packages");
    let ours: BTreeSet<&str> = listed.iter().map(|package| text(package, "name")).collect();
    let mut packages: Vec<Package> = listed.iter().map(|one| package(one, &ours)).collect();
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    if packages.is_empty() {
        return Err(Failure::new("cargo metadata names no package"));
    }
    Ok(packages)
}

fn package(value: &Value, ours: &BTreeSet<&str>) -> Package {
    let features = value.get("features").and_then(Value::as_object);
    let is_library = list(value, "targets")
        .iter()
        .any(|target| list(target, "kind").iter().any(|kind| kind == "lib"));
    // Cargo writes null for "anywhere" and an empty list for `publish = false`.
    let is_published = value.get("publish").is_none_or(Value::is_null);
    Package {
        name: text(value, "name").to_owned(),
        is_library,
        is_published,
        features: features.map_or_else(Vec::new, |map| map.keys().cloned().collect()),
        arrows: list(value, "dependencies")
            .iter()
            .filter(|dependency| ours.contains(text(dependency, "name")))
            .map(arrow)
            .collect(),
    }
}

fn arrow(dependency: &Value) -> Arrow {
    Arrow {
        to: text(dependency, "name").to_owned(),
        is_dev: text(dependency, "kind") == "dev",
    }
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value
        .get(member)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{"packages":[
        {"name":"shop","publish":null,"features":{"card":[]},"targets":[{"kind":["lib"]}],
         "dependencies":[{"name":"till","kind":null},{"name":"serde","kind":null},
                         {"name":"fair","kind":"dev"}]},
        {"name":"till","publish":[],"features":{},"targets":[{"kind":["bin"]}],"dependencies":[]},
        {"name":"fair","publish":null,"features":{},"targets":[],"dependencies":[]}]}"#;

    #[test]
    fn only_arrows_between_our_own_are_kept() {
        let packages = packages(METADATA).unwrap();
        let shop = packages
            .iter()
            .find(|package| package.name == "shop")
            .unwrap();
        let arrow = |to: &str, is_dev| Arrow {
            to: to.to_owned(),
            is_dev,
        };
        assert_eq!(shop.arrows, [arrow("till", false), arrow("fair", true)]);
        assert_eq!(shop.features, ["card"]);
        assert!(shop.is_library && shop.is_published);
    }

    #[test]
    fn a_program_is_no_library_and_publish_false_is_seen() {
        let packages = packages(METADATA).unwrap();
        let till = packages
            .iter()
            .find(|package| package.name == "till")
            .unwrap();
        assert!(!till.is_library && !till.is_published);
    }

    #[test]
    fn nothing_is_no_workspace() {
        assert!(packages("{}").is_err());
        assert!(packages("no json").is_err());
    }
}
