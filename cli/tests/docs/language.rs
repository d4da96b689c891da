//! `docs/language/`.

use crate::support::root;
use crate::{check, documents};

#[test]
fn the_reference_is_true() {
    check(&documents(&root().join("docs/language")), |_, _| Vec::new());
}
