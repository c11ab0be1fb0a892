//! The whole program from outside: processes, files, mutual TLS, faults.

#[cfg(test)]
mod doubt;
