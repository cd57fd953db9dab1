// A sample takes the place of this file.
fn main() {}
