//! Carries a hospital trust's signed letters to GP practices over NHS MESH, and proves it.

fn main() {}
