//! A list in random order.

use plumb_provider_sdk::{Attr, Checks, Context, Failed, Resource, async_trait, model};
use rand::seq::SliceRandom as _;

use super::{Keepers, generator, keepers_differ, text_differs};

model! {
    /// The elements of a list in random order, or some of them.
    pub struct Shuffle {
        /// Arbitrary values. When one changes, another order is chosen.
        keepers: Keepers [optional, replace_when(keepers_differ)],
        /// Gives the same order for the same seed and the same list.
        seed: String [optional, replace_when(text_differs)],
        /// The list.
        input: Vec<Attr<String>> [required, replace],
        /// How many elements the result has: by default as many as the list. If it is more, elements come again, but
        /// none before all others came as often.
        result_count: u64 [optional, replace],
        /// The elements in random order.
        result: Vec<Attr<String>> [computed, keep, not_null],
        /// Always `-`.
        id: String [computed, keep, not_null],
    }
}

/// More would be a mistake.
const MAX_COUNT: u64 = 1_000_000;

pub(super) struct RandomShuffle;

#[async_trait]
impl Resource for RandomShuffle {
    type Model = Shuffle;
    type Client = ();

    fn validate(&self, config: &Shuffle, checks: &mut Checks) {
        checks.attribute("result_count", &config.result_count, |count| match *count {
            0..=MAX_COUNT => Ok(()),
            found => Err(format!("Found {found}, wanted a number from 0 to {MAX_COUNT}.")),
        });
    }

    async fn create(&self, planned: Shuffle, _: &mut Context<()>) -> Result<Shuffle, Failed<Shuffle>> {
        let input = planned.input.known().cloned().unwrap_or_default();
        let count = match planned.result_count.known() {
            None | Some(0) => input.len(),
            Some(count) => usize::try_from((*count).min(MAX_COUNT)).expect("the limit fits"),
        };
        let mut generator = generator(&planned.seed);
        let mut result = Vec::with_capacity(count);
        while result.len() < count && !input.is_empty() {
            let mut round = input.clone();
            round.shuffle(&mut generator);
            round.truncate(count - result.len());
            result.append(&mut round);
        }
        Ok(Shuffle { result: result.into(), id: "-".into(), ..planned })
    }
}
