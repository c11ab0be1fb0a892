/// Held as long as a `run` works on a store: alone on a file, one of several on a database.
///
/// The operating system frees it when the process ends.
#[derive(Debug)]
pub struct EngineLock(Held);

#[derive(Debug)]
enum Held {
    /// A lock on a file, which ends with it.
    #[cfg(feature = "sqlite")]
    File(#[expect(dead_code, reason = "held for its lock, which ends with it")] std::fs::File),
    /// A task that follows the commits of a database.
    #[cfg(feature = "postgres")]
    Task(tokio::task::JoinHandle<()>),
}

impl EngineLock {
    #[cfg(feature = "sqlite")]
    pub(crate) const fn locked(file: std::fs::File) -> Self {
        Self(Held::File(file))
    }

    #[cfg(feature = "postgres")]
    pub(crate) const fn following(task: tokio::task::JoinHandle<()>) -> Self {
        Self(Held::Task(task))
    }
}

impl Drop for EngineLock {
    fn drop(&mut self) {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Held::File(_) => {}
            #[cfg(feature = "postgres")]
            Held::Task(task) => task.abort(),
        }
    }
}
