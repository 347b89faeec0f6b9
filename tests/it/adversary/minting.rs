//! Minting wider by a detour. Agents of several people pool all that they hold, and try random verbs
//! in a random order: nobody ever holds what its maker could not give at that moment.

use std::{cell::RefCell, collections::HashMap};

use keywright::crypto::random;
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};
use tokio::runtime;

use super::{
    step::{Step, Verb, step},
    world::World,
};

/// So many stories, and so many tries in each. More of both: `PROPTEST_CASES=2000`.
const STORIES: u32 = 32;
const TRIES: usize = 100;

#[test]
fn no_chain_of_tries_gives_what_its_maker_could_not_give() {
    let usual = Config::default();
    let seed = match usual.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => u64::from_le_bytes(*random::bytes::<8>()),
    };
    let cases = std::env::var_os("PROPTEST_CASES").map_or(STORIES, |_| usual.cases);
    let mut runner = TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..usual
    });
    let counts = RefCell::new(HashMap::new());
    let runtime = runtime::Builder::new_current_thread().build().unwrap();

    let found = runner.run(&prop::collection::vec(step(), TRIES / 2..TRIES), |steps| {
        let world = runtime.block_on(told(&steps));
        for (what, count) in world.counts {
            *counts.borrow_mut().entry(what).or_insert(0) += count;
        }
        Ok(())
    });

    if let Err(TestError::Fail(why, steps)) = found {
        panic!("PROPTEST_RNG_SEED={seed}: {why}\n{steps:#?}");
    }
    // A story in which nothing is done, or nothing refused, proves nothing.
    for verb in [
        Verb::Create,
        Verb::Rotate,
        Verb::Update,
        Verb::Claim,
        Verb::PickUp,
        Verb::Reveal,
        Verb::Revoke,
    ] {
        for is_done in [true, false] {
            let count = counts.borrow().get(&(verb, is_done)).copied();
            assert!(
                count > Some(0),
                "seed {seed}: {verb:?} {is_done}: {counts:?}"
            );
        }
    }
}

async fn told(steps: &[Step]) -> World {
    let mut world = World::new().await;
    for step in steps {
        world.play(step).await;
    }
    world.judge().await;
    world
}
