//! The port through which journeys hash.

use onetap::{
    kernel::{
        password::{Password, PasswordHash},
        secret::Secret,
    },
    ports::Passwords,
};

use crate::world::{Broken, Port, World, client::at_once};

fn password(world: &World, typed: &str) -> Password {
    Password::new(Secret::new(typed.to_owned()), Secret::new(world.nfkc(typed)))
}

fn verify(world: &World, hash: Option<&PasswordHash>, typed: &str) -> bool {
    at_once(world.verify_password(hash, &password(world, typed))).unwrap().unwrap()
}

fn hash(world: &World, typed: &str) -> PasswordHash {
    at_once(world.hash_password(&password(world, typed), [7; 16])).unwrap().unwrap()
}

#[test]
fn what_was_hashed_is_known_however_its_characters_are_coded() {
    let world = World::new();
    let composed = hash(&world, "m\u{fc}sli\u{2460}\u{ff01}");
    for typed in ["m\u{fc}sli\u{2460}\u{ff01}", "mu\u{308}sli1!", "m\u{fc}sli1\u{ff01}"] {
        assert!(verify(&world, Some(&composed), typed), "{typed}");
    }
    assert!(!verify(&world, Some(&composed), "musli1!"));
    assert!(world.is_current(&composed));
}

#[test]
fn nobodys_password_leaves_the_trace_of_a_wrong_one() {
    let world = World::new();
    let known = hash(&world, "correct horse");
    world.faults.take_trace();
    assert!(!verify(&world, Some(&known), "battery staple"));
    let wrong = world.faults.take_trace();
    assert!(!verify(&world, None, "battery staple"));
    assert_eq!(world.faults.take_trace(), wrong);
    assert_eq!(wrong, [Port::PasswordVerify]);
}

#[test]
fn a_hash_that_fails_is_a_fault_and_no_wrong_password() {
    let world = World::new();
    let known = hash(&world, "correct horse");
    world.faults.break_all(Port::PasswordVerify, Broken::Before);
    let typed = password(&world, "correct horse");
    assert!(at_once(world.verify_password(Some(&known), &typed)).unwrap().is_err());
}
