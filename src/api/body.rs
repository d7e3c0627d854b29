//! Reading bodies: strictly, and all problems at once.

use serde_json::{Map, Value};

use super::{
    http::{Body, HttpIn},
    problem::Problem,
};
use crate::{
    kernel::{phone::PhoneNumber, secret::Secret},
    model::refusal::{Code, FieldProblem, Refusal},
};

/// Most fields named in one answer.
pub const MAX_PROBLEMS: usize = 32;

/// The body of a request as it is.
///
/// # Errors
/// 413 for one over the cap, 400 for one that broke off.
pub fn bytes(request: &HttpIn) -> Result<&[u8], Problem> {
    match &request.body {
        Body::Read(bytes) => Ok(bytes),
        Body::TooLarge => Err(Problem::payload_too_large()),
        Body::Broken => Err(Problem::of(Code::InvalidRequest)),
    }
}

/// The same, of a content type.
///
/// # Errors
/// 415 for another one.
pub fn bytes_of_type<'r>(request: &'r HttpIn, content_type: &str) -> Result<&'r [u8], Problem> {
    let bytes = bytes(request)?;
    let given = request.header("content-type").unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(content_type) {
        return Ok(bytes);
    }
    let detail = Some(format!("The body must be {content_type}.").into());
    Err(Problem { detail, ..Problem::unsupported_media_type() })
}

/// A JSON object being read field by field. Problems are collected; what was not asked for is unknown.
#[derive(Debug)]
pub struct Fields {
    path: String,
    map: Map<String, Value>,
    problems: Vec<FieldProblem>,
    wrong_phone: bool,
}

impl Fields {
    /// The body of a request as a JSON object.
    ///
    /// # Errors
    /// 413 for a body over the cap, 415 for another content type, 400 for anything that is not a JSON object in
    /// UTF-8 (RFC 8259).
    pub fn read(request: &HttpIn) -> Result<Self, Problem> {
        let bytes = bytes_of_type(request, "application/json")?;
        Self::of(bytes).ok_or_else(|| Problem {
            detail: Some("The body is not a JSON object in UTF-8.".into()),
            ..Problem::of(Code::InvalidRequest)
        })
    }

    /// A JSON object in UTF-8 (RFC 8259); `None` for anything else.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        // For the canonical form: serde_json sorts by itself only while no crate asks it to preserve the order.
        body.sort_all_objects();
        match body {
            Value::Object(map) => Some(Self::over(String::new(), map)),
            _ => None,
        }
    }

    /// What is asked for, and the object in a canonical form: two requests that say the same have the same.
    pub fn canonical(&self, request: &HttpIn) -> Vec<u8> {
        let body = serde_json::to_vec(&self.map).unwrap_or_default();
        [request.path.as_bytes(), b"\n", &body].concat()
    }

    /// A text of 1 to `max` characters that must be there.
    pub fn text(&mut self, name: &str, max: usize) -> Option<String> {
        if !self.has(name) {
            return self.wrong(name, "is missing");
        }
        self.optional_text(name, max)
    }

    /// A text of 1 to `max` characters.
    pub fn optional_text(&mut self, name: &str, max: usize) -> Option<String> {
        let text = match self.take(name)? {
            Value::String(text) => text,
            _ => return self.wrong(name, "must be a string"),
        };
        match text.chars().count() {
            0 => self.wrong(name, "must not be empty"),
            count if count > max => self.wrong(name, format!("must be at most {max} characters")),
            _ if text.contains('\0') => self.wrong(name, "must not contain NUL"),
            _ => Some(text),
        }
    }

    /// One of several names that must be there.
    pub fn choice<T>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let text = self.text(name, 64)?;
        match choices.iter().find(|(choice, _)| *choice == text) {
            Some((_, value)) => Some(*value),
            None => {
                let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
                self.wrong(name, format!("must be one of {}", names.join(", ")))
            }
        }
    }

    /// One of several names.
    pub fn optional_choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        if self.has(name) { self.choice(name, choices) } else { None }
    }

    /// A truth value; `false` when absent.
    pub fn flag(&mut self, name: &str) -> bool {
        self.optional_flag(name).unwrap_or(false)
    }

    /// A truth value that must be there.
    pub fn required_flag(&mut self, name: &str) -> Option<bool> {
        if !self.has(name) {
            return self.wrong(name, "is missing");
        }
        self.optional_flag(name)
    }

    /// Whole seconds, 0 to `most`; `true` for the most.
    pub fn optional_seconds(&mut self, name: &str, most: u64) -> Option<u64> {
        let seconds = match self.take(name)? {
            Value::Bool(true) => Some(most),
            Value::Bool(false) => Some(0),
            Value::Number(number) => number.as_u64().filter(|seconds| *seconds <= most),
            _ => None,
        };
        seconds.or_else(|| self.wrong(name, format!("must be whole seconds, 0 to {most}")))
    }

    /// A whole number that must be there.
    pub fn number(&mut self, name: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = self.take(name).and_then(|value| value.as_u64());
        number.filter(|number| range.contains(number)).or_else(|| {
            self.wrong(name, format!("must be a whole number, {} to {}", range.start(), range.end()))
        })
    }

    /// A truth value.
    pub fn optional_flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(value) => Some(value),
            _ => self.wrong(name, "must be true or false"),
        }
    }

    /// A phone number that must be there.
    pub fn phone(&mut self, name: &str) -> Option<PhoneNumber> {
        if !self.has(name) {
            return self.wrong(name, "is missing");
        }
        self.optional_phone(name)
    }

    /// A phone number.
    pub fn optional_phone(&mut self, name: &str) -> Option<PhoneNumber> {
        let text = Secret::new(self.optional_text(name, 32)?);
        PhoneNumber::parse(text.expose())
            .map_err(|error| {
                self.wrong_phone = true;
                self.wrong::<()>(name, error.to_string());
            })
            .ok()
    }

    /// Whether a field is an object.
    pub fn is_object(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(Value::is_object)
    }

    /// An object that must be there. Give it back with [`Fields::absorb`].
    pub fn object(&mut self, name: &str) -> Option<Self> {
        if !self.has(name) {
            return self.wrong(name, "is missing");
        }
        self.optional_object(name)
    }

    /// An object. Give it back with [`Fields::absorb`].
    pub fn optional_object(&mut self, name: &str) -> Option<Self> {
        match self.take(name)? {
            Value::Object(map) => Some(Self::over(format!("{}{name}.", self.path), map)),
            _ => self.wrong(name, "must be an object"),
        }
    }

    /// The objects of a list of at most `most`; none when absent. Give them back with [`Fields::absorb`].
    pub fn objects(&mut self, name: &str, most: usize) -> Vec<Self> {
        let path = |at| format!("{}{name}.{at}.", self.path);
        let object = |(at, value)| match value {
            Value::Object(map) => Some(Self::over(path(at), map)),
            _ => None,
        };
        let objects = match self.map.remove(name).unwrap_or_default() {
            Value::Null => Some(Vec::new()),
            Value::Array(list) if list.len() <= most => list.into_iter().enumerate().map(object).collect(),
            _ => None,
        };
        objects
            .or_else(|| self.wrong(name, format!("must be a list of at most {most} objects")))
            .unwrap_or_default()
    }

    /// The fields not asked for yet as texts: strings, and numbers as they are written (an SDK may hand out a
    /// timestamp so). Others are taken and dropped.
    pub fn remaining_texts(&mut self) -> impl Iterator<Item = (String, String)> {
        std::mem::take(&mut self.map).into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            _ => None,
        })
    }

    /// Takes over the problems of an object whose unknown fields are ignored.
    pub fn absorb_open(&mut self, inner: Self) {
        self.problems.extend(inner.problems);
        self.wrong_phone |= inner.wrong_phone;
    }

    /// Takes over the problems of an object whose unknown fields are problems.
    pub fn absorb(&mut self, mut inner: Self) {
        inner.note_unknown();
        self.absorb_open(inner);
    }

    /// Ends the reading: the value, or every problem found.
    ///
    /// # Errors
    /// `invalid_request` naming each field; `invalid_phone` when nothing but a number is wrong.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Problem> {
        self.note_unknown();
        let code = if self.wrong_phone && self.problems.len() == 1 {
            Code::InvalidPhone
        } else {
            Code::InvalidRequest
        };
        // Enough to find the mistake; a body full of unknown fields is not answered with ten times its size.
        self.problems.truncate(MAX_PROBLEMS);
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(Refusal { fields: self.problems, ..Refusal::new(code) }.into()),
        }
    }

    /// Whether nothing has been found wrong with a field.
    pub fn is_clean(&self, name: &str) -> bool {
        let name = format!("{}{name}", self.path);
        self.problems.iter().all(|problem| problem.name != name)
    }

    /// Whether anything has been found wrong so far.
    pub const fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Notes that a field is wrong.
    pub fn wrong<T>(&mut self, name: &str, problem: impl Into<String>) -> Option<T> {
        self.problems.push(FieldProblem { name: format!("{}{name}", self.path), problem: problem.into() });
        None
    }

    fn over(path: String, map: Map<String, Value>) -> Self {
        Self { path, map, problems: Vec::new(), wrong_phone: false }
    }

    /// Whether there is a field of that name. `null` is the same as absent: many clients serialise optional fields so.
    pub fn has(&mut self, name: &str) -> bool {
        if self.map.get(name).is_some_and(Value::is_null) {
            self.map.remove(name);
        }
        self.map.contains_key(name)
    }

    /// Whether a field is there and `null`: what a merge patch takes away (RFC 7396). Taken by it.
    pub fn clears(&mut self, name: &str) -> bool {
        let clears = self.map.get(name).is_some_and(Value::is_null);
        if clears {
            self.map.remove(name);
        }
        clears
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    fn note_unknown(&mut self) {
        for (name, _) in std::mem::take(&mut self.map) {
            // The name is the client's text: shown, so that the typo is found, but cut short.
            let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            self.wrong::<()>(&shown, "is not a field of this request");
        }
    }
}

#[cfg(test)]
mod tests;
