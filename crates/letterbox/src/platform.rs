//! What differs between operating systems. Unix has permissions and signals; elsewhere the
//! portable default stands.

use std::fs;
use std::io;
use std::path::Path;

/// Makes a folder, and those above it, that only this account may look into.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    restrict(path, 0o700)
}

/// Writes a secret that only this account may read; never over one that is there.
pub(crate) fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Writes and removes a file of no content, the one honest proof that a folder can be written.
pub(crate) fn try_writing(folder: &Path) -> io::Result<()> {
    let path = folder.join(".letterbox-check.tmp");
    fs::write(&path, b"")?;
    fs::remove_file(&path)
}

/// Whether accounts other than ours may read a file.
#[cfg(unix)]
pub(crate) fn others_may_read(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(crate) fn others_may_read(path: &Path) -> io::Result<bool> {
    fs::metadata(path).map(|_| false)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// Free share of the disk that holds a path, in percent.
#[cfg(unix)]
pub(crate) fn disk_free_percent(path: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(path).ok()?;
    (about.f_bavail * 100).checked_div(about.f_blocks)
}

#[cfg(not(unix))]
pub(crate) fn disk_free_percent(_: &Path) -> Option<u64> {
    None
}

/// The account that runs this, as the operating system vouches for it: the one that somebody
/// logged in with, also where they changed to a shared one since, else the one of the process.
#[cfg(unix)]
pub(crate) fn account() -> String {
    let uid = login_account().unwrap_or_else(|| rustix::process::getuid().as_raw());
    format!("uid:{uid}")
}

/// The kernel keeps the account of a login through `sudo` and `su`; without one there is a number
/// that means none.
#[cfg(unix)]
fn login_account() -> Option<u32> {
    let text = fs::read_to_string("/proc/self/loginuid").ok()?;
    text.trim().parse().ok().filter(|uid| *uid != u32::MAX)
}

#[cfg(not(unix))]
pub(crate) fn account() -> String {
    std::env::var("USERNAME").unwrap_or_else(|_| "unknown".to_owned())
}

/// Waits until the process is asked to end.
pub(crate) async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Without a handler the process ends as its system ends processes.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_secret(&path, "first").unwrap();
        assert!(!others_may_read(&path).unwrap());
        assert!(write_secret(&path, "second").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        restrict(&path, 0o644).unwrap();
        assert!(others_may_read(&path).unwrap());
    }

    #[test]
    fn the_disk_has_some_room() {
        assert!(disk_free_percent(Path::new("/")).is_some_and(|free| free <= 100));
    }
}
