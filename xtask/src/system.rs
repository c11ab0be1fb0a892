//! What tests take from the system: programs that trace and mount, a clock that can be moved.
//!
//! On Debian, as root, what is missing is installed. On other systems than Linux such tests are
//! not there.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::peers::Missing;
use crate::process;
use crate::say::say;

/// Something of the system, and the Debian package that has it.
struct Part {
    /// What cannot be tested without it.
    counterpart: &'static str,
    package: &'static str,
    is_there: fn() -> bool,
}

const PARTS: &[Part] = &[
    Part {
        counterpart: "failing system calls",
        package: "strace",
        is_there: || process::works(Command::new("strace").arg("-V")),
    },
    Part {
        counterpart: "power cuts",
        package: "e2fsprogs",
        is_there: || {
            process::works(Command::new("mkfs.ext4").arg("-V"))
                && process::works(Command::new("e2fsck").arg("-V"))
        },
    },
    Part {
        counterpart: "PostgreSQL",
        package: "postgresql",
        is_there: has_postgres,
    },
    Part {
        counterpart: "a clock that moves",
        package: "libfaketime",
        is_there: has_faketime,
    },
];

/// Mounts a file system in memory, and looks for a loop device.
const TRY_TO_MOUNT: &str = "losetup --find >/dev/null && at=$(mktemp -d) && \
    { mount -t tmpfs tmpfs $at && umount $at; done=$?; rmdir $at; exit $done; }";

/// Installs what can be installed, and tells what is not there after that.
pub(crate) fn prepare() -> Vec<Missing> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let mut missing: Vec<Missing> = PARTS
        .iter()
        .filter_map(|part| ensure(part, install))
        .collect();
    if !process::works(Command::new("sh").args(["-c", TRY_TO_MOUNT])) {
        let why = Failure::new("this account may not mount, or there is no loop device");
        missing.push(Missing::new("power cuts and full disks", &why));
    }
    missing
}

fn ensure(part: &Part, install: impl Fn(&str) -> Outcome) -> Option<Missing> {
    if (part.is_there)() {
        return None;
    }
    let why = install(part.package).err();
    if (part.is_there)() {
        return None;
    }
    let package = part.package;
    let why = why.unwrap_or_else(|| Failure::new(format!("{package} is installed, and not found")));
    Some(Missing::new(part.counterpart, &why))
}

fn install(package: &str) -> Outcome {
    if !Path::new("/etc/debian_version").exists() || !is_root() {
        return Err(Failure::new(format!("{package} is not installed")));
    }
    say(format_args!("installing {package}"));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-qq"]).args(arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        process::output(&mut command).map(drop)
    };
    let install = ["install", "--yes", "--no-install-recommends", package];
    // The list of packages may be missing, or of long ago.
    apt(&install).or_else(|_| apt(&["update"]).and_then(|()| apt(&install)))
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The server's programs stand on the path, or where Debian puts each version of them.
fn has_postgres() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let installed = installed.flatten().map(|entry| entry.path().join("bin"));
    let named = std::env::var_os("LETTERBOX_POSTGRES_BIN").map(Into::into);
    let mut folders = named
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain(installed);
    folders.any(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

/// The library stands in the folder of its architecture.
fn has_faketime() -> bool {
    let library = "faketime/libfaketimeMT.so.1";
    let roots = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
    roots.iter().any(|root| {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        root.join(library).exists()
            || entries
                .map(|entry| entry.path())
                .any(|at| at.join(library).exists())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn part(is_there: fn() -> bool) -> Part {
        Part {
            counterpart: "moon phases",
            package: "moon",
            is_there,
        }
    }

    #[test]
    fn what_cannot_be_had_is_named_with_its_cause() {
        let refuse = |package: &str| Err(Failure::new(format!("there is no {package}")));
        let missing = ensure(&part(|| false), refuse).unwrap();
        assert_eq!(missing.to_string(), "moon phases: there is no moon");
        let in_vain = ensure(&part(|| false), |_| Ok(())).unwrap();
        assert_eq!(
            in_vain.to_string(),
            "moon phases: moon is installed, and not found"
        );
    }

    #[test]
    fn what_is_there_is_neither_installed_nor_missing() {
        let refuse = |_: &str| Err(Failure::new("it must not be installed"));
        assert!(ensure(&part(|| true), refuse).is_none());
    }
}
