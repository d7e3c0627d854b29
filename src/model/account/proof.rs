//! Fresh proof: where something is at stake, who is signed in must have proven lately that it is still them.
//!
//! A sign-in is a proof, and so is whatever is proven later in the session. What is stolen from a device is worth
//! little without one.

use serde::{Deserialize, Serialize};

use super::{Account, NumberFacts, Outcome, Rules};
use crate::{
    kernel::{
        id::{DeviceId, SessionId},
        time::Timestamp,
    },
    model::handle::HandleName,
};

/// What was proven just now, by whoever acts in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProvenInSession {
    /// An identifier that is no number.
    Identifier(HandleName),
    /// A number, and what its handle knows of it.
    Number(HandleName, NumberFacts),
    /// The password that was set then.
    Password(Timestamp),
}

impl Account {
    /// Takes a proof, which is then the session's newest. One of somebody else's proves nothing; nor does, on a device that
    /// the account does not know, a number that may be somebody else's by now.
    pub(super) fn take_proof(
        &mut self,
        given: &ProvenInSession,
        (session, device): (SessionId, DeviceId),
        rules: &Rules,
        now: Timestamp,
    ) -> bool {
        let is_bound = |handle: &HandleName| self.bound().any(|known| known.handle == *handle);
        let is_ours = match given {
            ProvenInSession::Identifier(handle) => !handle.is_phone() && is_bound(handle),
            ProvenInSession::Number(handle, number) => {
                is_bound(handle) && self.number_speaks(handle, *number, device, rules, now)
            }
            ProvenInSession::Password(set_at) => {
                self.password.as_ref().is_some_and(|password| password.set_at == *set_at)
            }
        };
        if let Some(session) = self.sessions.iter_mut().find(|known| known.id == session)
            && is_ours
        {
            session.proven_at = Some(now);
        }
        is_ours
    }

    /// What leads to the account has changed: other sessions may have been proven by what is not the owner's any more.
    pub(super) fn forget_proofs_but(&mut self, by: SessionId) {
        for session in self.sessions.iter_mut().filter(|known| known.id != by) {
            session.proven_at = Some(Timestamp::from_secs(0));
        }
    }

    /// The same for all of them: what they were proven by is in other hands.
    pub(super) fn forget_proofs(&mut self) {
        for session in &mut self.sessions {
            session.proven_at = Some(Timestamp::from_secs(0));
        }
    }

    /// What to answer where a proof is missing; `None`: there is one.
    pub(super) fn needs_proof(&self, session: SessionId, rules: &Rules, now: Timestamp) -> Option<Outcome> {
        let session = self.sessions.iter().find(|known| known.id == session);
        let is_fresh = session.is_some_and(|known| now.since(known.last_proof()) <= rules.fresh);
        (!is_fresh).then(|| Outcome::NeedsProof { proofs: self.proofs() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Act, Deed, Operation,
        tests::{RULES, from_text, sign_in},
    };
    use super::*;
    use crate::{
        kernel::id::AccountId,
        model::{login::Method, login_history::Place, object::Document},
    };

    fn act(
        document: &mut Document<Account>,
        secs: i64,
        deed: Deed,
        proof: Option<ProvenInSession>,
    ) -> Outcome {
        let (account, session) = (AccountId::from_bytes([100; 16]), SessionId::from_bytes([1; 16]));
        let act = Act { account, session, deed, place: Place::default(), rules: RULES, proof };
        document.apply(Operation::Act(Box::new(act)), Timestamp::from_secs(secs))
    }

    fn set(hash: &str) -> Deed {
        Deed::SetPassword { hash: from_text(hash), attempt: None, end_others: false }
    }

    #[test]
    fn a_sign_in_is_a_proof_for_ten_minutes_and_each_later_one_again() {
        let mut account = Document::<Account>::empty();
        account.apply(Operation::SignIn(Box::new(sign_in(1, None))), Timestamp::from_secs(0));
        let by_number = [Method::OneTap, Method::NumberCheck, Method::Otp];
        let stale = |proofs: &[Method]| Outcome::NeedsProof { proofs: proofs.to_vec() };
        let given = |handle: &str| {
            let facts = NumberFacts { last_proof: Timestamp::from_secs(0), evidence: None };
            Some(ProvenInSession::Number(from_text(handle), facts))
        };
        let password = |secs| Some(ProvenInSession::Password(Timestamp::from_secs(secs)));

        assert_eq!(act(&mut account, 601, set("$a"), None), stale(&by_number));
        assert_eq!(act(&mut account, 601, set("$a"), given("phone.k1.strange")), Outcome::ProofFailed);
        assert_eq!(act(&mut account, 601, set("$a"), given("phone.k1.name")), Outcome::Done);
        assert_eq!(act(&mut account, 1201, set("$b"), None), Outcome::Done, "the proof is the session's");
        let by_all = [Method::OneTap, Method::NumberCheck, Method::Otp, Method::Password];
        assert_eq!(act(&mut account, 1202, set("$c"), None), stale(&by_all));
        assert_eq!(
            act(&mut account, 1202, set("$c"), password(601)),
            Outcome::ProofFailed,
            "an old password"
        );
        assert_eq!(act(&mut account, 1202, set("$c"), password(1201)), Outcome::Done);
        assert_eq!(act(&mut account, 9999, Deed::Look, None), act(&mut account, 9999, Deed::Look, None));
    }
}
