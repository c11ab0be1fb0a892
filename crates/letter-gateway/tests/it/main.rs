//! The pipeline from outside: a store in memory, a MESH in the process, real files and sockets.

#[cfg(test)]
mod canary;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod http;
#[cfg(test)]
mod inbound;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod interleaving;
#[cfg(test)]
mod mllp;
#[cfg(test)]
mod people;
#[cfg(test)]
mod prepare;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod support;
