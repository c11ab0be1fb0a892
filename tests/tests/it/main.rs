//! The whole program from outside: processes, files, mutual TLS, faults.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod doubt;
#[cfg(test)]
mod inbound;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod mesh;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod mllp;
#[cfg(test)]
mod people;
#[cfg(test)]
mod python;
#[cfg(test)]
mod sandbox;
#[cfg(all(test, unix))]
mod several;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod trusts;
#[cfg(test)]
mod whole_way;
