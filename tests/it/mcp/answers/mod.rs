//! Every tool, through the real server: what it answers, and how it refuses.

mod done;
mod eras;
mod refused;
mod warned;
