//! Bodies are read strictly, and problems name their fields.

use serde_json::json;

use super::*;
use crate::model::login_history::Place;

fn fields(body: &Value) -> Fields {
    Fields::over(String::new(), body.as_object().unwrap().clone())
}

fn problems(fields: Fields) -> Vec<String> {
    let problem = fields.finish(None::<()>).unwrap_err();
    problem.fields.into_iter().map(|field| format!("{} {}", field.name, field.problem)).collect()
}

#[test]
fn texts_have_a_length_in_characters() {
    let mut body = fields(&json!({"a": "一二三", "b": "一二三四", "c": "", "d": "\0", "e": null}));
    assert_eq!(body.text("a", 3).as_deref(), Some("一二三"));
    assert_eq!(body.optional_text("e", 3), None);
    for name in ["b", "c", "d", "e", "f"] {
        assert_eq!(body.text(name, 3), None);
    }
    let expected = [
        "b must be at most 3 characters",
        "c must not be empty",
        "d must not contain NUL",
        "e is missing",
        "f is missing",
    ];
    assert_eq!(problems(body), expected);
}

#[test]
fn choices_and_flags() {
    let mut body = fields(&json!({"a": "ios", "b": "IOS", "c": true, "d": null, "e": "true"}));
    let choices = [("ios", 1), ("web", 2)];
    assert_eq!((body.choice("a", &choices), body.choice("b", &choices)), (Some(1), None));
    assert_eq!(["c", "d", "e", "f"].map(|name| body.flag(name)), [true, false, false, false]);
    assert_eq!(problems(body), ["b must be one of ios, web", "e must be true or false"]);
}

#[test]
fn a_wrong_number_alone_has_a_code_of_its_own() {
    let code = |body: &Value| {
        let mut body = fields(body);
        let phone = body.phone("phone");
        body.finish(phone).map_err(|problem| problem.code())
    };
    assert_eq!(code(&json!({"phone": "13800138000"})).unwrap().e164(), "+8613800138000");
    assert_eq!(code(&json!({"phone": "12345"})).unwrap_err(), "invalid_phone");
    for body in [json!({"phone": 1}), json!({}), json!({"phone": "12345", "x": 1})] {
        assert_eq!(code(&body).unwrap_err(), "invalid_request", "{body}");
    }
}

#[test]
fn a_wrong_number_is_not_repeated() {
    let mut body = fields(&json!({"phone": "159123456789"}));
    body.phone("phone");
    assert!(problems(body).iter().all(|problem| !problem.contains("159")));
}

#[test]
fn objects_are_named_by_their_path() {
    let mut body = fields(&json!({"a": {"b": {"c": 1, "d": 2}, "e": 3}}));
    let mut a = body.object("a").unwrap();
    let mut b = a.object("b").unwrap();
    b.text("c", 9);
    a.absorb(b);
    body.absorb_open(a);
    assert_eq!(problems(body), ["a.b.c must be a string", "a.b.d is not a field of this request"]);
}

#[test]
fn the_rest_as_texts() {
    let mut body = fields(&json!({"a": "x", "b": 1795132800123_u64, "c": true, "d": ["x"], "e": null}));
    let rest: Vec<_> = body.remaining_texts().collect();
    let expected =
        [("a", "x"), ("b", "1795132800123")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(rest, expected);
    assert!(body.finish(Some(())).is_ok());
}

#[test]
fn bodies_that_say_the_same_are_the_same() {
    let canonical = |body: &str| {
        let headers = [("content-type".to_owned(), "application/json".to_owned())].into_iter().collect();
        let (method, path, query) = (String::new(), String::new(), String::new());
        let (address, id) = (String::new(), String::new());
        let body = Body::Read(body.as_bytes().to_vec());
        let request = HttpIn {
            method,
            is_head: false,
            path,
            query,
            headers,
            body,
            address,
            place: Place::default(),
            id,
        };
        Fields::read(&request).unwrap().canonical(&request)
    };
    let body = canonical(r#"{"a":{"x":1,"y":"\u4e00"},"b":[1,2]}"#);
    assert_eq!(canonical("{ \"b\": [1, 2],\n\"a\": {\"y\": \"一\", \"x\": 1} }"), body);
    assert_ne!(canonical(r#"{"a":{"x":1,"y":"一"},"b":[2,1]}"#), body);
}
