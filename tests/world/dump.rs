//! Everything that is stored or shown to operators, for tests of what must not be in it.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use super::{World, locked};

impl World {
    /// Every place and what stands in it.
    pub(crate) fn dump(&self) -> Vec<(String, String)> {
        let mut places = self.objects.stored();
        places.extend(locked(&self.devices).iter().map(|(key, json)| (format!("kv {key}"), json.clone())));
        places.extend(self.challenges().into_iter().map(|(key, json)| (format!("kv {key}"), json)));
        places.extend(self.images().into_iter().map(|(key, image)| (format!("kv {key}"), image)));
        places.extend(self.queue().into_iter().map(|json| ("queue".to_owned(), json)));
        places.push(("guard".to_owned(), format!("{:?}", self.guard_turns())));
        places.push(("back office".to_owned(), format!("{:?}", self.back_office())));
        places.push(("metrics".to_owned(), format!("{:?}", self.metrics())));
        places.push(("log".to_owned(), locked(&self.log).join("\n")));
        places
    }

    /// Where a secret stands in the dump: plain, in hex, or in any alignment of base64.
    pub(crate) fn places_of(&self, secret: &str) -> Vec<String> {
        let forms = forms(secret.as_bytes());
        let holds = |text: &str| forms.iter().any(|form| text.contains(form.as_str()));
        let found = self.dump().into_iter().filter(|(place, text)| holds(place) || holds(text));
        found.map(|(place, _)| place).collect()
    }
}

fn forms(secret: &[u8]) -> Vec<String> {
    let mut forms =
        vec![String::from_utf8(secret.to_vec()).unwrap(), HEXLOWER.encode(secret), HEXUPPER.encode(secret)];
    // Within a longer text the secret starts at one of three places; its first and last characters mix with
    // what stands around, so only the middle is looked for.
    for before in 0..3 {
        let padded = [vec![0; before], secret.to_vec()].concat();
        for encoded in [BASE64.encode(&padded), BASE64URL_NOPAD.encode(&padded)] {
            let whole = encoded.trim_end_matches('=');
            forms.push(whole[4..whole.len() - 2].to_owned());
        }
    }
    forms
}
