//! Friends vouch for who waits: the phrase that is passed on to them, and their word.
//!
//! A friend learns whether their word counts, and nothing else: not who has the number now or had it, nor which of them asked.

use super::{
    Failure, Service, UNEXPECTED_OUTCOME,
    budget::{ALL, DAY, Scope, cap},
    device_proof::GivenDeviceProof,
    own_account::Doer,
    side_by_side::{self, Asking},
    sign_in::Entry,
    step_up::Holder,
};
use crate::{
    kernel::{
        digest::{derive, keyed_name},
        id::CaseId,
        phone::PhoneNumber,
    },
    model::{
        account::{AskFriends, Deed, Operation, Outcome, Step, Word},
        friends::Phrase,
        handle::{self, HandleName},
        refusal::Code,
    },
    ports::World,
};

/// Who confirms, and from where.
#[derive(Debug)]
pub struct Voucher<'a> {
    /// Who is signed in.
    pub doer: Doer<'a>,
    /// What proves the key of their device.
    pub proof: Option<&'a GivenDeviceProof>,
    /// Where they are.
    pub address: &'a str,
}

impl<W: World> Service<'_, W> {
    /// Asks friends for a sign-in that waits: they confirm the phrase that it answers. Asked again on the same device it is the
    /// same phrase.
    ///
    /// # Errors
    /// `ticket_invalid`; `not_found` where there are too few; `rate_limited` and `proofs_exhausted` where it was asked too
    /// often; `proof_failed` once the owner has refused it.
    pub async fn ask_friends(&self, holder: &Holder<'_>, address: &str) -> Result<Entry, Failure> {
        let ticket = self.read_ticket(holder)?;
        let case = self.friends_case_of(&ticket);
        let (phrase, network) = (self.digest_of(&self.phrase_of(case)), self.network_of(address));
        let step = Step::AskFriends(Box::new(AskFriends { case, phrase, network }));
        let outcome = self.at_ticket(holder, step, false).await?;
        let asked = match &outcome {
            Outcome::Waits(waiting) => waiting.friends.map(|(case, ..)| self.phrase_of(case).shown()),
            _ => None,
        };
        let mut entry = self.entry(ticket.account, outcome)?;
        if let Entry::StepUp(step_up) = &mut entry
            && let Some(friends) = &mut step_up.friends
        {
            friends.phrase = asked;
        }
        Ok(entry)
    }

    /// A friend confirms a phrase for whoever has that number, or had it.
    ///
    /// # Errors
    /// `unauthenticated`; `reauthentication_required` on a new device; `rate_limited`; else `proof_failed`, whatever is wrong.
    pub async fn vouch(
        &self,
        from: &Voucher<'_>,
        phone: &PhoneNumber,
        phrase: &Phrase,
    ) -> Result<(), Failure> {
        // 1. Whose word is it? On a device that can speak for them.
        let key = match from.proof {
            Some(given) => Some(self.prove(given).await?),
            None => None,
        };
        let here = self.here(from.doer).await?;
        let speaks = self.act(here, from.doer.place, Deed::SpeakForFriend { key }).await?;
        let Outcome::Speaks(mut whence) = speaks else { return Err(UNEXPECTED_OUTCOME.into()) };
        whence.0.push(self.network_of(from.address));
        // 2. A guess is paid for before it is looked at.
        let most = self.settings.limits.friend_confirmations_per_day;
        let counter = format!("friends.account.{}", self.counter_of(here.account));
        self.take(&[Scope::tally(counter, ALL, vec![cap(DAY, most)])]).await?;
        // 3. Who has the number, and who had it: always as many are asked.
        let handle = HandleName::of_phone(&self.settings.digest, phone);
        let held = self.world.handle(&handle, handle::Operation::LookBack).await?;
        let handle::Outcome::Holders { now, before } = held else { return Err(UNEXPECTED_OUTCOME.into()) };
        let accounts = self.accounts_of(&handle, now, before);
        let word = Word { phrase: self.digest_of(phrase), friend: here.account, whence };
        let mut heard = vec![Err(UNEXPECTED_OUTCOME); accounts.len()];
        let asks = accounts.iter().zip(&mut heard).map(|(account, heard)| -> Asking<'_> {
            let asks = self.world.account(*account, Operation::HearFriend(Box::new(word.clone())));
            Box::pin(async move { *heard = asks.await })
        });
        side_by_side::all(asks.collect()).await;
        if heard.contains(&Ok(Outcome::Done)) {
            return Ok(());
        }
        for outcome in heard {
            outcome?;
        }
        Err(Code::ProofFailed.into())
    }

    /// The phrase of a case: always the same, so that whoever lost it asks again, and nothing keeps it.
    fn phrase_of(&self, case: CaseId) -> Phrase {
        let ours = derive(self.settings.digest.current().bytes.expose(), "onetap phrase");
        let drawn = derive(&ours, &case.to_string());
        Phrase::from_entropy(drawn.first_chunk().copied().unwrap_or_default())
    }

    fn digest_of(&self, phrase: &Phrase) -> String {
        keyed_name(&self.settings.digest, "phrase", phrase.canonical())
    }
}
