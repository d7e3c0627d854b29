use super::*;
use crate::kernel::keys::tests::ring;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn case(profile: Profile) -> Case {
    let account = AccountId::from_bytes([1; 16]);
    let handle = serde_json::from_str(r#""phone.k1.name""#).unwrap();
    let matter =
        Matter::Objection(Objection { account, handle, value: Sealed::from_text("k1.number"), rival: None });
    let id = CaseId::from_bytes([2; 16]);
    Case { id, opened_at: at(0), state: State::Open, profile, votes: Vec::new(), matter }
}

fn vote(by: &str, grants: bool) -> Vote {
    let (by, key) = (by.to_owned(), format!("key of {by}"));
    Vote { by, key, at: at(1), grants, reason: Sealed::from_text("k1.reason") }
}

#[test]
fn one_decides_and_says_so_as_often_as_they_like() {
    let mut case = case(Profile::Social);
    assert_eq!(case.state_name(at(1)), "open");
    assert_eq!((case.decide(vote("a", true), at(1)), case.state_name(at(1))), (Ok(()), "granted"));
    assert_eq!(case.decide(vote("a", true), at(2)), Ok(()));
    assert_eq!(case.decide(vote("b", false), at(2)), Err(Decided), "it counts already");
    assert_eq!((case.votes.len(), case.state_name(at(3))), (1, "granted"));
}

#[test]
fn where_there_is_money_it_takes_two_and_a_day_and_one_who_refuses_ends_it() {
    let day = 86_400;
    let mut case = case(Profile::Money);
    for _ in 0..2 {
        assert_eq!(case.decide(vote("a", true), at(1)), Ok(()));
        assert_eq!(case.state_name(at(1)), "open", "the same one says so twice");
    }
    let mut refused = case.clone();
    assert_eq!(case.decide(vote("b", true), at(2)), Ok(()));
    assert_eq!((case.state_name(at(1 + day)), case.state_name(at(2 + day))), ("decided", "granted"));
    let mut stopped = case.clone();
    assert_eq!((stopped.decide(vote("c", false), at(day)), stopped.state), (Ok(()), State::Refused));
    assert_eq!(case.decide(vote("c", false), at(2 + day)), Err(Decided));
    assert_eq!((refused.decide(vote("a", false), at(2)), refused.state), (Ok(()), State::Refused));
    assert_eq!(refused.decide(vote("b", true), at(2)), Err(Decided));
    assert_eq!(refused.decide(vote("b", false), at(2)), Ok(()), "nothing to refuse");
}

#[test]
fn a_key_has_one_vote_under_whatever_name_and_so_has_a_name() {
    let mut case = case(Profile::Money);
    let renamed = Vote { by: "another name".to_owned(), ..vote("a", true) };
    let anew = Vote { key: "another key".to_owned(), ..vote("a", true) };
    for vote in [vote("a", true), renamed, anew] {
        assert_eq!((case.decide(vote, at(1)), case.state_name(at(1)), case.votes.len()), (Ok(()), "open", 1));
    }
    assert_eq!((case.decide(vote("b", true), at(1)), case.state_name(at(1))), (Ok(()), "decided"));
}

#[test]
fn what_was_granted_before_there_was_money_is_open_again_and_a_case_of_money_stays_one() {
    let mut case = case(Profile::Basic);
    case.decide(vote("a", true), at(1)).unwrap();
    case.weigh(Profile::Social);
    assert_eq!(case.state_name(at(1)), "granted");
    case.weigh(Profile::Money);
    assert_eq!(case.state_name(at(2)), "open");
    case.weigh(Profile::Basic);
    assert_eq!(case.profile, Profile::Money);
    case.decide(vote("b", true), at(3)).unwrap();
    assert_eq!((case.state_name(at(3)), case.state_name(at(86_403))), ("decided", "granted"));
    case.weigh(Profile::Money);
    assert_eq!(case.state_name(at(3)), "decided", "it is known already");
}

#[test]
fn what_a_rule_decides_and_what_people_do() {
    use ProofKind::{EmailCode, Password};
    let grounds = |proven: &'static [ProofKind], need, tells_truth| Grounds {
        proven,
        need,
        tells_truth,
        was_denied: false,
        carrier: Some(Reassignment::Unknown),
        profile: Profile::Social,
        is_guarded: false,
    };
    // What was proven, how much is needed, whether the answers are right, and the verdict.
    for (proven, need, tells_truth, verdict) in [
        (&[Password][..], 3, true, Some(true)),
        (&[Password], 3, false, None),
        (&[EmailCode], 2, true, None),
        (&[], 1, true, None),
        (&[Password, EmailCode], 3, false, Some(true)),
    ] {
        assert_eq!(judge(&grounds(proven, need, tells_truth)), verdict, "{proven:?} {need} {tells_truth}");
    }
    let good = grounds(&[Password], 3, true);
    assert_eq!(judge(&Grounds { profile: Profile::Money, ..good }), None);
    assert_eq!(judge(&Grounds { is_guarded: true, ..good }), None, "protection asks people too");
    assert_eq!(judge(&Grounds { is_guarded: true, was_denied: true, ..good }), Some(false));
    assert_eq!(judge(&Grounds { was_denied: true, ..good }), Some(false));
    for word in [Reassignment::Reassigned, Reassignment::Cancelled] {
        assert_eq!(judge(&Grounds { carrier: Some(word), ..good }), Some(false));
    }
}

#[test]
fn its_text_says_nothing_and_is_neither_forged_nor_a_ticket() {
    let ring = ring("A256GCM", &[1]);
    let (account, id) = (AccountId::from_bytes([1; 16]), CaseId::from_bytes([2; 16]));
    let case = CaseRef { account, id, until: at(5) };
    let text = case.write(&ring).unwrap();
    assert_eq!((CaseRef::read(&ring, &text), case.write(&ring).unwrap()), (Some(case), text.clone()));
    for forged in [text.replacen("oca_", "otk_", 1), format!("{text}A"), text[..60].to_owned()] {
        assert_eq!(CaseRef::read(&ring, &forged), None, "{forged}");
    }
    assert_eq!(super::super::ticket::Ticket::read(&ring, &text.replacen("oca_", "otk_", 1)), None);
}

#[test]
fn persisted_format() {
    let pinned = concat!(
        r#"{"id":"cas_aibaeaqcaibaeaqcaibaeaqcai","opened_at":0,"state":{"granted":86401000},"profile":"money","#,
        r#""votes":[{"by":"a","key":"key of a","at":1000,"grants":true,"reason":"k1.reason"},"#,
        r#"{"by":"b","key":"key of b","at":1000,"grants":true,"reason":"k1.reason"}],"#,
        r#""matter":{"objection":{"account":"acc_aeaqcaibaeaqcaibaeaqcaibae","handle":"phone.k1.name","#,
        r#""value":"k1.number"}}}"#,
    );
    let mut case = case(Profile::Money);
    for by in ["a", "b"] {
        case.decide(vote(by, true), at(1)).unwrap();
    }
    assert_eq!(serde_json::to_string(&case).unwrap(), pinned);
    assert_eq!(serde_json::from_str::<Case>(pinned).unwrap(), case);
    for (state, name) in [
        (State::Open, r#""open""#),
        (State::Refused, r#""refused""#),
        (State::Done, r#""done""#),
        (State::Gone, r#""gone""#),
    ] {
        assert_eq!(serde_json::to_string(&state).unwrap(), name);
    }
}

#[test]
fn a_queue_knows_of_one_that_nobody_decided() {
    let case = case(Profile::Basic);
    let row = case.row(AccountId::from_bytes([1; 16]), true, at(9));
    assert_eq!((row.state.as_str(), row.kind.as_str()), ("expired", "objection"));
    assert_eq!(case.until(), at(30 * 86_400));
}
