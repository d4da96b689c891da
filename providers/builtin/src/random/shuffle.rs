//! A list in random order.

use plumb_provider_sdk::{Attr, Checks, Context, Failed, Model, Resource, async_trait};
use rand::seq::SliceRandom as _;

use super::{Keepers, generator, keepers_differ, text_differs};

/// The elements of a list in random order, or some of them.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Shuffle {
    /// Arbitrary values. When one changes, another order is chosen.
    #[attribute(optional, requires_replace_if = keepers_differ)]
    pub keepers: Attr<Keepers>,
    /// Gives the same order for the same seed and the same list.
    #[attribute(optional, requires_replace_if = text_differs)]
    pub seed: Attr<String>,
    /// The list.
    #[attribute(required, requires_replace)]
    pub input: Attr<Vec<Attr<String>>>,
    /// How many elements the result has: by default as many as the list. If it is more, elements come again, but
    /// none before all others came as often.
    #[attribute(optional, requires_replace)]
    pub result_count: Attr<u64>,
    /// The elements in random order.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub result: Attr<Vec<Attr<String>>>,
    /// Always `-`.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
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
