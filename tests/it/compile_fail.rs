//! What must not compile, with the reason pinned: the promises that the types keep.
//!
//! Slow at first, since it builds everything once more; `TRYBUILD=overwrite` pins the reasons anew.

#[test]
fn slow_what_breaks_a_promise_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
