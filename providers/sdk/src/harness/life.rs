//! The whole life of an object, each step held against the others.

use plumb_model::{Diagnostics, Value};

use super::{Harness, Object, broken};

/// Arguments by name; the others are null.
pub type Arguments<'a> = &'a [(&'a str, Value)];

/// What an object goes through.
#[derive(Clone, Copy, Debug)]
pub struct Life<'a> {
    /// Its resource type.
    pub kind: &'a str,
    /// How it is created.
    pub first: Arguments<'a>,
    /// What it is changed to.
    pub then: Arguments<'a>,
    /// The attribute that holds the id by which it can be imported, if it can.
    pub import_by: Option<&'a str>,
    /// Attributes that importing cannot find out.
    pub lost_by_import: &'a [&'a str],
}

impl Harness {
    /// Leads an object through its life: it is created, planned again without a change, read as it was left, changed,
    /// planned and read again, imported, and deleted twice, the second time when it is gone already.
    ///
    /// The object comes back as it was before its end, and its first form beside it.
    ///
    /// # Errors
    /// What the provider says, and where two steps do not agree.
    pub async fn life(&self, life: Life<'_>) -> Result<(Object, Object), Diagnostics> {
        let first = self.create(life.kind, life.first).await?;
        self.settled(&first, life.first).await?;
        let then = self.change(&first, life.then).await?;
        self.settled(&then, life.then).await?;
        if let Some(by) = life.import_by {
            let imported = self.import(life.kind, then.text(by)).await?;
            same("imported", &imported, &then, life.lost_by_import)?;
        }
        if let Some(identity) = &then.identity {
            let parts: Vec<_> = identity.as_entries().into_iter().flat_map(|parts| parts.iter()).collect();
            let parts: Vec<_> =
                parts.into_iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            let imported = self.import_identity(life.kind, &parts).await?;
            same("imported by identity", &imported, &then, life.lost_by_import)?;
        }
        self.delete(&then).await.map_err(|(_, diagnostics)| diagnostics)?;
        if self.read(&then).await?.is_some() {
            return Err(broken("The object can be read although it was deleted.".into()));
        }
        self.delete(&then).await.map_err(|(_, diagnostics)| diagnostics)?;
        Ok((first, then))
    }

    /// That an object is what was made of it: it can be read, and planning it again changes nothing.
    ///
    /// # Errors
    /// What the provider says, and where two steps do not agree.
    pub async fn settled(&self, object: &Object, arguments: Arguments<'_>) -> Result<(), Diagnostics> {
        let read = self.read(object).await?.ok_or_else(|| broken("The object cannot be read.".into()))?;
        same("read", &read, object, &[])?;
        let plan = self.plan(&object.kind, Some(&read), arguments).await?;
        match plan.is_no_op() {
            true => Ok(()),
            false => Err(broken(format!(
                "The plan after the apply is not empty: found {:?}, planned {:?}.",
                read.state, plan.planned
            ))),
        }
    }
}

fn same(how: &str, found: &Object, wanted: &Object, except: &[&str]) -> Result<(), Diagnostics> {
    let entries = wanted.state.as_entries().into_iter().flat_map(|entries| entries.iter());
    for (name, wanted) in entries.filter(|(name, _)| !except.contains(&name.as_str())) {
        if found.get(name) != wanted {
            let found = found.get(name);
            return Err(broken(format!("`{name}` was {how} as {found:?} and is {wanted:?}.")));
        }
    }
    Ok(())
}
