//! Reads, writes and checks Kettering messages for GP systems.
