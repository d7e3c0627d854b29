//! Many at once, and many in a row: a code is good once, and guesses run out before luck does.

use std::time::Duration;

use futures_util::future::join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    LOGIN, SEND, Sent, login_body, messages, newest_code, not,
    objects::failures,
    screening::{ask_on, captcha},
    send_to_somebody,
    stacks::{self, TWO_VENDORS},
    type_in,
};
use crate::{
    client::{Answer, fresh_device, fresh_phone, post},
    login::sign_in,
    stack::Stack,
    story, story_alone,
};

const ROUNDS: usize = 20;
const AT_ONCE: usize = 200;
const GUESSES: usize = 1000;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story_alone("otp: who uses up a number's guesses does not keep its owner's device out", lock_out),
        story_alone("otp: of 200 right codes typed at once one signs in, twenty times over", right_at_once),
        story_alone("otp: after a thousand wrong guesses at once the right code is refused", wrong_at_once),
        story("otp: the right code among the guesses after the fifth is refused", right_too_late),
    ]
}

async fn right_at_once() {
    let stack = stacks::main();
    let mut figures = [0; 3];
    for _ in 0..ROUNDS {
        let Sent { challenge, code } = send_to_somebody(stack).await;
        let body = login_body(&challenge, &code);
        let answers = join_all((0..AT_ONCE).map(|_| post(stack, LOGIN, &body).send())).await;
        let [signed_in, incorrect, other] = count(&answers);
        assert_eq!((signed_in, incorrect, other), (1, AT_ONCE - 1, 0), "{:?}", strangest(&answers));
        figures = [figures[0] + signed_in, figures[1] + incorrect, figures[2] + other];
    }
    eprintln!(
        "{ROUNDS} rounds of {AT_ONCE} right codes at once: {} signed in, {} otp_incorrect, {} other",
        figures[0], figures[1], figures[2]
    );
}

async fn wrong_at_once() {
    let stack = stacks::main();
    let Sent { challenge, code } = send_to_somebody(stack).await;
    let body = login_body(&challenge, &not(&code));
    let before = failures(stack);
    let answers = join_all((0..GUESSES).map(|_| post(stack, LOGIN, &body).send())).await;
    assert_eq!(count(&answers), [0, GUESSES, 0], "{:?}", strangest(&answers));
    type_in(stack, &challenge, &code).await.problem(401, "otp_incorrect");
    let counted = failures(stack) - before;
    assert_eq!(counted, 5, "as the number's object counts them");
    eprintln!("of {GUESSES} wrong guesses at once {counted} could have had an effect");
}

async fn right_too_late() {
    let stack = stacks::main();
    // Four wrong ones leave one try.
    let Sent { challenge, code } = send_to_somebody(stack).await;
    for _ in 0..4 {
        type_in(stack, &challenge, &not(&code)).await.problem(401, "otp_incorrect");
    }
    type_in(stack, &challenge, &code).await.signed_in();
    // Five leave none, whoever comes next and in whatever crowd.
    let Sent { challenge, code } = send_to_somebody(stack).await;
    for _ in 0..5 {
        type_in(stack, &challenge, &not(&code)).await.problem(401, "otp_incorrect");
    }
    let (right, wrong) = (login_body(&challenge, &code), login_body(&challenge, &not(&code)));
    let crowd = (0..50).map(|nth| post(stack, LOGIN, if nth % 10 == 0 { &right } else { &wrong }).send());
    assert_eq!(count(&join_all(crowd).await), [0, 50, 0]);
}

async fn lock_out() {
    let stack = stacks::short();
    let phone = fresh_phone("134");
    let owner = sign_in(stack, &phone).await;
    // The copy of the device record is written after the answer.
    sleep(Duration::from_secs(2)).await;
    let before = failures(stack);

    // 1. A stranger asks and guesses as long as it can: three tries at each code, a wait at most of a second, then
    //    the end.
    let mut codes = 0;
    let refused = loop {
        let sent = ask_plain(stack, &phone, &fresh_device()).await;
        if sent.status == 202 {
            let (challenge, code) = (sent.challenge(), newest_code(stack, &phone).await);
            for _ in 0..5 {
                guess(stack, &challenge, &not(&code)).await.problem(401, "otp_incorrect");
            }
            guess(stack, &challenge, &code).await.problem(401, "otp_incorrect");
            codes += 1;
            assert!(codes <= 10, "codes are sent without end");
            continue;
        }
        let wait = sent.problem(429, "rate_limited")["retryAfter"].as_u64().unwrap();
        if wait > 3 {
            break wait;
        }
        sleep(Duration::from_millis(500)).await;
    };
    let counted = failures(stack) - before;
    assert_eq!((codes, messages(stack, &phone).await.len(), counted), (10, 10, 30));
    assert!((20..=60).contains(&refused), "{refused}");

    // 2. The owner's device asks, types, and is in; until then the stranger waits. Once the handle has heard of the owner's
    //    proof it may be another story.
    let mut device = fresh_device();
    device["token"] = owner["device"]["token"].clone();
    let sent = ask_plain(stack, &phone, &device).await.challenge();
    ask_plain(stack, &phone, &fresh_device()).await.problem(429, "rate_limited");
    let body = json!({ "app": TWO_VENDORS, "challengeId": sent, "code": newest_code(stack, &phone).await, "device": device });
    let login = post(stack, LOGIN, &body).send().await.signed_in();
    assert_eq!(login["account"]["id"], owner["account"]["id"]);
    assert_eq!(login["device"]["id"], owner["device"]["id"]);
    eprintln!(
        "a stranger had {counted} guesses over {codes} codes, then had to wait; the owner's device signed in"
    );

    // 3. Nor does a person wait: a passed bot check opens what is shut for programs.
    sleep(Duration::from_millis(1100)).await;
    let passed = captcha(stack, "turnstile", "pass").await;
    let sent = ask_on(stack, &phone, "web", Some(&passed)).await.challenge();
    type_in(stack, &sent, &newest_code(stack, &phone).await).await.signed_in();

    // 4. Somebody guesses and goes away.
    let gone = fresh_phone("134");
    let sent = ask_plain(stack, &gone, &fresh_device()).await.challenge();
    guess(stack, &sent, "00000000").await.problem(401, "otp_incorrect");
    stacks::short_was_used();
}

async fn ask_plain(stack: &Stack, phone: &str, device: &Value) -> Answer {
    let body = json!({ "phone": phone, "app": TWO_VENDORS, "device": device });
    post(stack, SEND, &body).send().await
}

async fn guess(stack: &Stack, challenge: &str, code: &str) -> Answer {
    let mut body = login_body(challenge, code);
    body["app"] = json!(TWO_VENDORS);
    post(stack, LOGIN, &body).send().await
}

/// How many signed in, were told `otp_incorrect`, and anything else.
fn count(answers: &[Answer]) -> [usize; 3] {
    let signed_in = answers.iter().filter(|answer| answer.status == 200).count();
    let incorrect = answers.iter().filter(|a| a.status == 401 && a.code() == "otp_incorrect").count();
    [signed_in, incorrect, answers.len() - signed_in - incorrect]
}

fn strangest(answers: &[Answer]) -> Option<String> {
    answers.iter().find(|answer| ![200, 401].contains(&answer.status)).map(Answer::summary)
}

/// Also for other stories: an expired code of the short stack.
pub(super) async fn expired(stack: &Stack) -> (String, String) {
    let phone = fresh_phone("134");
    let challenge = ask_plain(stack, &phone, &fresh_device()).await.challenge();
    let code = newest_code(stack, &phone).await;
    stacks::short_was_used();
    sleep(Duration::from_millis(8500)).await;
    (challenge, code)
}
