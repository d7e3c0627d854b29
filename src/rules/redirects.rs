//! Where a third party may send a browser back to (RFC 9700, section 2.1): what is listed, letter by letter.

use crate::model::identity_state::RedirectName;

/// The operator's list.
#[derive(Debug, Default)]
pub struct Redirects(Vec<String>);

impl Redirects {
    /// Reads a comma list of URIs: pages (https; plain http for pages on this machine, in development), or an app's own scheme, whose
    /// name is a domain in reverse (RFC 8252, section 7.1).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str, is_development: bool) -> Result<Self, String> {
        let list: Vec<String> = text.split(',').map(|uri| uri.trim().to_owned()).collect();
        match list.iter().all(|uri| is_redirect(uri, is_development)) {
            true => Ok(Self(list)),
            false => {
                Err("is not a comma list of https URLs (or com.example.app:/path of an app) without #"
                    .to_owned())
            }
        }
    }

    /// Whether a URI is listed.
    pub fn allow(&self, uri: &str) -> bool {
        self.0.iter().any(|listed| listed == uri)
    }

    /// The listed URI of a name.
    pub fn find(&self, name: RedirectName) -> Option<&str> {
        self.0.iter().find(|uri| RedirectName::of(uri) == name).map(String::as_str)
    }
}

fn is_redirect(uri: &str, is_development: bool) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let host = authority.unwrap_or_default().split(':').next().unwrap_or_default();
    let is_place = match scheme {
        "https" => !host.is_empty(),
        "http" => is_development && ["localhost", "127.0.0.1"].contains(&host),
        _ => scheme.contains('.') && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b)),
    };
    is_place
        && uri.len() <= 512
        && uri.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
        && !authority.unwrap_or_default().contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_allowed() {
        let list = Redirects::read("https://shop.example/back, com.example.shop:/back", false).unwrap();
        assert!(list.allow("https://shop.example/back") && list.allow("com.example.shop:/back"));
        for other in
            ["https://shop.example/back/", "https://shop.example/back?x", "https://SHOP.example/back", ""]
        {
            assert!(!list.allow(other), "{other}");
        }
        let name = RedirectName::of("com.example.shop:/back");
        assert_eq!(list.find(name), Some("com.example.shop:/back"));
        assert_eq!(list.find(RedirectName::of("https://evil.example")), None);
    }

    #[test]
    fn what_is_no_redirect() {
        for text in [
            "",
            "shop.example/back",
            "http://shop.example/back",
            "http://localhost:5173/back",
            "https://",
            "https:///back",
            "https://user@shop.example/",
            "https://shop.example/#top",
            "https://shop.example/ b",
            "https://shop.example/,",
            "javascript:alert(1)",
            "shop:/back",
        ] {
            assert!(Redirects::read(text, false).is_err(), "{text}");
        }
        assert!(Redirects::read("http://localhost:5173/back", true).is_ok());
        assert!(Redirects::read("http://shop.example/back", true).is_err());
    }
}
