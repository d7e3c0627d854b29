//! Who is first has it, who gives it up loses it, and what comes late changes nothing.

use super::super::object::Document;
use super::*;

fn account(seed: u8) -> AccountId {
    AccountId::from_bytes([seed; 16])
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn renew(seed: u8, secs: i64) -> Operation {
    Operation::RenewProof { account: account(seed), proof: Proof { at: at(secs), method: Method::OneTap } }
}

#[test]
fn the_first_claim_wins_and_stays() {
    let mut handle = Document::<Handle>::empty();
    let first = handle.apply(Operation::Resolve { candidate: account(1) }, at(10));
    let second = handle.apply(Operation::Resolve { candidate: account(2) }, at(20));
    assert_eq!(first, second);
    let holder = Holder { account: account(1), since: at(10), claim: 0, last_proof: None, evidence: None };
    assert_eq!(first, Outcome::Held(holder));
}

#[test]
fn proofs_move_forward_and_only_for_the_holder() {
    let mut handle = Document::<Handle>::empty();
    assert_eq!(handle.apply(renew(1, 5), at(5)), Outcome::Free);
    handle.apply(Operation::Resolve { candidate: account(1) }, at(10));
    for operation in [renew(1, 30), renew(1, 20), renew(2, 40)] {
        handle.apply(operation, at(50));
    }
    let Outcome::Held(holder) = handle.apply(renew(1, 30), at(50)) else { panic!("held") };
    assert_eq!(holder.last_proof.map(|proof| proof.at), Some(at(30)));
}

#[test]
fn who_is_first_binds_it_and_only_the_holder_gives_it_up() {
    let mut handle = Document::<Handle>::empty();
    let proof = Some(Proof { at: at(10), method: Method::Otp });
    let claim = |seed| Operation::Claim { account: account(seed), claim: 1, proof };
    let release =
        |seed, held| Operation::Release { account: account(seed), held, cause: Parting::Unbound, heir: None };
    let seen = |secs| Holding::seen(at(secs), 1);
    let mine = Outcome::Held(Holder {
        account: account(1),
        since: at(10),
        claim: 1,
        last_proof: proof,
        evidence: None,
    });
    assert_eq!(handle.apply(Operation::Look, at(9)), Outcome::Free);
    for (operation, secs) in [
        (claim(1), 10),
        (claim(2), 11),
        (claim(1), 12),
        (release(2, Holding::up_to(1)), 13),
        (release(1, seen(9)), 14),
        (release(1, Holding::up_to(0)), 15),
    ] {
        assert_eq!(handle.apply(operation, at(secs)), mine);
    }
    assert_eq!(handle.apply(release(1, seen(10)), at(20)), Outcome::Free);
    assert_eq!(handle.apply(release(1, Holding::up_to(1)), at(21)), Outcome::Free, "once");
    let Outcome::Held(holder) = handle.apply(claim(2), at(30)) else { panic!("free to be claimed") };
    assert_eq!((holder.account, holder.since), (account(2), at(30)));
    let kept = serde_json::to_value(&handle).unwrap();
    let former = [(1, 10_000, 20_000)];
    assert_eq!(kept["state"]["former"].as_array().unwrap().len(), former.len());
    for (entry, (seed, since, until)) in std::iter::zip(kept["state"]["former"].as_array().unwrap(), former) {
        assert_eq!(entry["account"], account(seed).to_string());
        assert_eq!((&entry["since"], &entry["until"]), (&since.into(), &until.into()));
    }
}

#[test]
fn what_comes_late_of_an_earlier_claim_frees_nothing() {
    let mut handle = Document::<Handle>::empty();
    let claim = |claim| Operation::Claim { account: account(1), claim, proof: None };
    let release =
        |held| Operation::Release { account: account(1), held, cause: Parting::Unbound, heir: None };
    let first = handle.apply(claim(1), at(10));
    assert_eq!(handle.apply(claim(1), at(11)), first, "a repeat");
    let Outcome::Held(second) = handle.apply(claim(2), at(10)) else { panic!("its own") };
    assert_eq!((second.since, second.claim), (at(10), 2));
    for late in [Holding::up_to(1), Holding::seen(at(10), 1)] {
        assert_eq!(handle.apply(release(late), at(12)), Outcome::Held(second.clone()));
    }
    assert_eq!(handle.apply(claim(1), at(13)), Outcome::Held(second), "nor does an earlier claim itself");
    assert_eq!(handle.apply(release(Holding::up_to(2)), at(14)), Outcome::Free);
}

#[test]
fn a_claim_that_is_taken_back_leaves_nothing() {
    let mut handle = Document::<Handle>::empty();
    let proof = Some(Proof { at: at(5), method: Method::Imported });
    let claim = |seed| Operation::Claim { account: account(seed), claim: 0, proof };
    let undo = |seed, since: Option<i64>| Operation::Undo { account: account(seed), since: since.map(at) };
    let mine = handle.apply(claim(1), at(10));
    for (operation, secs) in [(undo(2, None), 11), (undo(2, Some(10)), 12), (undo(1, Some(9)), 13)] {
        assert_eq!(handle.apply(operation, at(secs)), mine, "another's, or another claim");
    }
    assert_eq!(handle.apply(undo(1, Some(10)), at(14)), Outcome::Free);
    assert!(handle.tidy(at(14)), "not even a former holder");
    handle.apply(claim(1), at(15));
    assert_eq!(handle.apply(undo(1, None), at(16)), Outcome::Free);
}

#[test]
fn former_holders_do_not_pile_up() {
    let mut handle = Document::<Handle>::empty();
    for seed in 0..100 {
        let (account, claim) = (account(seed), 1);
        handle.apply(Operation::Claim { account, claim, proof: None }, at(seed.into()));
        handle.apply(
            Operation::Release { account, held: Holding::up_to(1), cause: Parting::Changed, heir: None },
            at(seed.into()),
        );
    }
    let kept = serde_json::to_value(&handle).unwrap();
    let former = kept["state"]["former"].as_array().unwrap();
    assert_eq!(former.len(), FORMER_HOLDERS);
    assert_eq!(former[FORMER_HOLDERS - 1]["account"], account(99).to_string());
}

#[test]
fn persisted_format() {
    let json = r#"{"version":1,"state":{"holder":{"account":"acc_aeaqcaibaeaqcaibaeaqcaibae","since":10000,"last_proof":{"at":30000,"method":"one_tap"}},"former":[{"account":"acc_aiaqcaibaeaqcaibaeaqcaibae","since":1000,"until":9000,"cause":"unbound"},{"account":"acc_aiaqcaibaeaqcaibaeaqcaibae","since":9000,"until":10000,"cause":"changed","claim":2}]}}"#;
    let document: Document<Handle> = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&document).unwrap(), json);
}
