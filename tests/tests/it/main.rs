//! The whole program from outside: processes, files, mutual TLS, faults.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod doubt;
#[cfg(test)]
mod tamper;
