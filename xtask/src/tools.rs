//! Programs that checks need, installed into the cache folder when they are not there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Outcome;
use crate::process;
use crate::say::say;
use crate::workspace::Workspace;

/// A program from the registry, with the version that our checks were made with.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(crate) const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};
pub(crate) const FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
};
pub(crate) const PUBLIC_API: Tool = Tool {
    name: "cargo-public-api",
    version: "0.52.0",
};
pub(crate) const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: "0.9.143",
};

impl Tool {
    /// The program's path; it is installed first when it is missing or of another version.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> Outcome<PathBuf> {
        let folder = workspace.cache().join("tools");
        let program = folder.join("bin").join(self.name);
        if self.is_at(&program) {
            return Ok(program);
        }
        let package = format!("{}@{}", self.name, self.version);
        say(format_args!(
            "installing {package} into {}",
            folder.display()
        ));
        let mut install = process::cargo(workspace, ["install", "--locked", "--quiet", "--root"]);
        process::run(install.arg(&folder).arg(package))?;
        Ok(program)
    }

    fn is_at(&self, program: &Path) -> bool {
        let answer = process::output(Command::new(program).arg("--version"));
        answer.is_ok_and(|text| text.split_whitespace().any(|word| word == self.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_there_is_not_there() {
        assert!(!DENY.is_at(Path::new("/nowhere/cargo-deny")));
    }

    #[test]
    fn another_version_is_another_tool() {
        let cargo = Path::new(env!("CARGO"));
        let old = Tool {
            name: "cargo",
            version: "0.0.1",
        };
        assert!(!old.is_at(cargo));
    }
}
