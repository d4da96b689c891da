//! An order in which things come after what they need, and the cycles that are in the way.
//!
//! Serves what is put in order while a directory is read: named types, functions, their local values, constants of
//! libraries. It needs no stack, so chains may be of any length. The order of nodes of a program is the engine's.

use plumb_model::Span;

/// How many edges of a cycle are shown.
pub(crate) const SHOWN_EDGES: usize = 12;

/// What each thing needs, by index, with the place where it says so.
pub(crate) type Needs = Vec<Vec<(usize, Span)>>;

/// Things that need each other: each with the place where it mentions the next one, the last one the first.
pub(crate) type Cycle = Vec<(usize, Span)>;

/// An order in which each thing comes after those that it needs, and the cycles, which the order passes over. Things
/// that are in no cycle are all in the order; those of a cycle are too.
pub(crate) fn order(needs: &Needs) -> (Vec<usize>, Vec<Cycle>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut seen = vec![Seen::No; needs.len()];
    let mut order = Vec::with_capacity(needs.len());
    let mut cycles = Vec::new();
    for start in 0..needs.len() {
        if seen[start] != Seen::No {
            continue;
        }
        // The things that are being looked at, each with the index of what it needs and is looked at next.
        let mut open: Vec<(usize, usize)> = vec![(start, 0)];
        seen[start] = Seen::Open;
        while let Some((thing, next)) = open.last_mut() {
            let thing = *thing;
            let Some(&(needed, span)) = needs[thing].get(*next) else {
                seen[thing] = Seen::Done;
                order.push(thing);
                open.pop();
                continue;
            };
            *next += 1;
            match seen[needed] {
                Seen::No => {
                    seen[needed] = Seen::Open;
                    open.push((needed, 0));
                }
                Seen::Done => {}
                Seen::Open => {
                    let from = open.iter().position(|(thing, _)| *thing == needed).unwrap_or(0);
                    let mut cycle: Cycle = open[from..]
                        .iter()
                        .map(|(thing, next)| (*thing, needs[*thing][next - 1].1))
                        .collect();
                    if let Some(last) = cycle.last_mut() {
                        last.1 = span;
                    }
                    cycles.push(cycle);
                }
            }
        }
    }
    (order, cycles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumb_model::SourceId;

    fn check(needs: &[&[usize]], expected_order: &[usize], expected_cycles: &[&[usize]]) {
        let place = Span::new(SourceId(0), 0, 0);
        let needs = needs.iter().map(|of_one| of_one.iter().map(|i| (*i, place)).collect()).collect();
        let (found, cycles) = order(&needs);
        let cycles: Vec<Vec<usize>> =
            cycles.iter().map(|cycle| cycle.iter().map(|(thing, _)| *thing).collect()).collect();
        assert_eq!(
            (found.as_slice(), cycles),
            (expected_order, expected_cycles.iter().map(|c| c.to_vec()).collect())
        );
    }

    #[test]
    fn what_is_needed_comes_first() {
        check(&[&[1, 2], &[2], &[]], &[2, 1, 0], &[]);
    }

    #[test]
    fn cycles_are_found_and_passed_over() {
        check(&[&[1], &[2], &[0], &[2]], &[2, 1, 0, 3], &[&[0, 1, 2]]);
        check(&[&[0]], &[0], &[&[0]]);
    }
}
