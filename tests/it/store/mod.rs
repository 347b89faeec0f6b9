//! The store as its openers see it.

mod files;
mod migrations;
mod open;
mod story;
