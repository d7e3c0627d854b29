//! Facts that an app's backend supplies, sealed for the account that they are about.

use super::{Service, sealed::FACT};
use crate::{
    kernel::{fault::Fault, id::AccountId, secret::Secret},
    model::fact::{Fact, Kind},
    ports::World,
};

/// A fact as the app supplies it. No text of it has a line break.
#[derive(Debug)]
pub struct SuppliedFact {
    /// Of which kind.
    pub kind: Kind,
    /// The answer, one of its kind.
    pub answer: Secret<String>,
    /// The question in Chinese and in English.
    pub question: [Option<Secret<String>>; 2],
}

impl<W: World> Service<'_, W> {
    pub(super) fn sealed_facts(
        &self,
        account: AccountId,
        facts: &[SuppliedFact],
    ) -> Result<Vec<Fact>, Fault> {
        let mut sealed = Vec::new();
        for SuppliedFact { kind, answer, question: [zh, en] } in facts {
            let text = Secret::new(
                [Some(answer), zh.as_ref(), en.as_ref()]
                    .map(|text| text.map_or("", |text| text.expose()))
                    .join("\n"),
            );
            let text = self.seal_for(account, FACT, text.expose().as_bytes())?;
            sealed.push(Fact { kind: *kind, text });
        }
        Ok(sealed)
    }
}
