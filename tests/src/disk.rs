use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

/// How often an image that changed while it was copied is copied anew.
const COPIES_MAX: usize = 200;
const UNMOUNTS_MAX: usize = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// A file system in memory that is as large as it was told, gone when dropped.
#[derive(Debug)]
pub struct MemoryDisk {
    mount: Mount,
    _folder: TempDir,
}

/// A file system, unmounted when dropped, whatever the test came to.
#[derive(Debug)]
struct Mount(PathBuf);

impl Mount {
    fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        let done = Command::new("mount")
            .args(arguments)
            .arg(at)
            .output()
            .ok()?;
        done.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        for _ in 0..UNMOUNTS_MAX {
            if is_done(Command::new("umount").arg(&self.0)) {
                return;
            }
            sleep(PAUSE);
        }
        // What still holds it lets go of it when it ends.
        let _ = is_done(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

fn is_done(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

impl MemoryDisk {
    /// A disk of a size as `mount` understands it, such as `8m`; none where this account may not
    /// make one.
    pub fn new(size: &str) -> Option<Self> {
        let folder = TempDir::with_prefix("letterbox-disk-").unwrap();
        let options = format!("size={size}");
        let mount = Mount::new(&["-t", "tmpfs", "-o", &options, "tmpfs"], folder.path())?;
        Some(Self {
            mount,
            _folder: folder,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.mount.0
    }
}

/// A disk in a file, whose power can be cut: what was not synced into the file is lost then.
///
/// It needs an administrator, loop devices, `mkfs.ext4` and `e2fsck`.
#[derive(Debug)]
pub struct ImageDisk {
    image: PathBuf,
    mount: Option<Mount>,
}

impl ImageDisk {
    /// Makes an image of so many MiB in a folder, with an empty file system, and mounts it; none
    /// where that cannot be done.
    pub fn new(folder: &Path, name: &str, mebibytes: u64) -> Option<Self> {
        let image = folder.join(format!("{name}.img"));
        File::create(&image)
            .unwrap()
            .set_len(mebibytes << 20)
            .unwrap();
        let made = is_done(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
        made.then(|| Self { image, mount: None })?.mounted()
    }

    fn mounted(mut self) -> Option<Self> {
        let at = self.image.with_extension("mount");
        fs::create_dir_all(&at).unwrap();
        let image = self.image.to_str().unwrap();
        self.mount = Some(Mount::new(&["-o", "loop", image], &at)?);
        Some(self)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount.as_ref().expect("a mounted disk").0
    }

    /// The disk as a power cut at this moment would leave it, checked and mounted under another
    /// name: `e2fsck` plays the journal as a start of the machine would.
    ///
    /// Whoever writes to it must have been stopped: an image that changes while it is copied is
    /// one that never was, and is copied anew.
    pub fn cut(&self, name: &str) -> Self {
        let image = self.image.with_file_name(format!("{name}.img"));
        for _ in 0..COPIES_MAX {
            copy_holes(&self.image, &image);
            // Equal after the copy: every block had its copied value at the moment in between.
            if is_same(&self.image, &image).unwrap() {
                let checked = Command::new("e2fsck")
                    .args(["-f", "-y"])
                    .arg(&image)
                    .output();
                let checked = checked.unwrap();
                // 1: errors were corrected.
                let is_whole = matches!(checked.status.code(), Some(0 | 1));
                assert!(is_whole, "{}", String::from_utf8_lossy(&checked.stdout));
                let cut = Self { image, mount: None };
                return cut.mounted().expect("a loop device for the image");
            }
            sleep(PAUSE);
        }
        panic!("the image never stood still");
    }
}

impl Drop for ImageDisk {
    fn drop(&mut self) {
        self.mount = None;
        let _ = fs::remove_file(&self.image);
        let _ = fs::remove_dir(self.image.with_extension("mount"));
    }
}

/// Copies a file and leaves holes where it has zeros, so that little is read and written.
fn copy_holes(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    copy.args(["--sparse=always"]).arg(from).arg(to);
    assert!(is_done(&mut copy), "{} cannot be copied", from.display());
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let mut files = (File::open(one)?, File::open(other)?);
    let mut blocks = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let count = files.0.read(&mut blocks.0)?;
        if count == 0 {
            return Ok(files.1.read(&mut blocks.1)? == 0);
        }
        let Some(block) = blocks.1.get_mut(..count) else {
            return Ok(false);
        };
        files.1.read_exact(block)?;
        if blocks.0[..count] != blocks.1[..count] {
            return Ok(false);
        }
    }
}
