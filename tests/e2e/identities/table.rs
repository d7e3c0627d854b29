//! The table of binding (docs/ARCHITECTURE.md): every cell is a story, and in every cell nothing is said of others.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{bind, fresh_person, log_in, many};
use crate::{
    client::{fresh_phone, get},
    login::{access_token, sign_in},
    stack::{self, Stack},
    story,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Identity {
    Unknown,
    Mine,
    Anothers,
}

/// A cell: to whom the identity leads, whether the caller is signed in and has one of the kind, how many may be bound.
#[derive(Clone, Copy)]
struct Cell {
    identity: Identity,
    signed_in: bool,
    has_one: bool,
    many: bool,
}

pub(super) fn stories() -> Vec<Trial> {
    let mut stories = Vec::new();
    for (identity, led) in
        [(Identity::Unknown, "unknown"), (Identity::Mine, "mine"), (Identity::Anothers, "another's")]
    {
        for (signed_in, who) in [(false, "signed out"), (true, "signed in")] {
            for (has_one, kind) in [(false, "none of the kind"), (true, "one of the kind")] {
                for (many, policy) in [(false, "one"), (true, "many")] {
                    let cell = Cell { identity, signed_in, has_one, many };
                    let name = format!("binding: {led}, {who}, {kind} bound, policy {policy}");
                    stories.push(story(&name, move || cell.holds()));
                }
            }
        }
    }
    stories
}

async fn kinds(stack: &Stack, login: &Value) -> usize {
    let list = get(stack, "/v1/account/identities").bearer(access_token(login)).send().await.ok();
    list["identities"].as_array().unwrap().len()
}

impl Cell {
    async fn holds(self) {
        let stack = if self.many { many() } else { stack::main() };
        let identity = json!({ "subject": fresh_person(), "nickname": "Nobodys Name" });
        let other = json!({ "subject": fresh_person() });
        let me = sign_in(stack, &fresh_phone("155")).await;
        let stranger = sign_in(stack, &fresh_phone("155")).await;
        // 1. The identity leads where the cell says, and the caller has another of the kind or has not.
        let is_mine = self.identity == Identity::Mine;
        if is_mine {
            assert_eq!(bind(stack, &me, "wechat", identity.clone()).await.status, 204);
        }
        if self.has_one {
            let answer = bind(stack, &me, "wechat", other).await;
            // Under the policy of one the identity itself is the one of the kind, and there is no room beside it.
            if is_mine && !self.many {
                answer.problem(409, "identity_in_use");
            } else {
                assert_eq!(answer.status, 204, "{}", answer.text());
            }
        }
        if self.identity == Identity::Anothers {
            assert_eq!(bind(stack, &stranger, "wechat", identity.clone()).await.status, 204);
        }
        // 2. What becomes of it.
        let before = kinds(stack, &me).await;
        if self.signed_in {
            let answer = bind(stack, &me, "wechat", identity.clone()).await;
            let is_full = self.has_one && !self.many;
            match self.identity {
                Identity::Mine => assert_eq!((answer.status, kinds(stack, &me).await), (204, before)),
                Identity::Unknown if !is_full => {
                    assert_eq!((answer.status, kinds(stack, &me).await), (204, before + 1));
                }
                Identity::Unknown | Identity::Anothers => {
                    answer.problem(409, "identity_in_use");
                    assert_eq!(kinds(stack, &me).await, before);
                    for theirs in
                        [&stranger["account"]["id"], &stranger["device"]["id"], &identity["nickname"]]
                    {
                        assert!(!answer.text().contains(theirs.as_str().unwrap()));
                    }
                }
            }
        }
        let leads_to = log_in(stack, "wechat", "default", identity).await.ok();
        let (me, stranger) = (&me["account"]["id"], &stranger["account"]["id"]);
        let is_full = self.has_one && !self.many;
        match self.identity {
            Identity::Mine => assert_eq!(&leads_to["account"]["id"], me),
            Identity::Anothers => assert_eq!(&leads_to["account"]["id"], stranger),
            Identity::Unknown if self.signed_in && !is_full => assert_eq!(&leads_to["account"]["id"], me),
            Identity::Unknown => assert_eq!(leads_to["account"]["isNew"], true),
        }
    }
}
