//! Which web pages may call, and which of them may use cookies.
//!
//! An origin is compared as browsers write it (RFC 6454, section 6.2): scheme, host and port, letter by letter. So
//! nothing that only looks like one counts, and `null` is nobody's.

/// Origins of pages, by what they may do.
#[derive(Debug)]
pub struct Origins {
    own: String,
    cookies: Vec<String>,
    others: Vec<String>,
}

impl Origins {
    /// The origin of the service, that of its base URL, and those listed.
    pub fn new(issuer: &str, cookies: Vec<String>, others: Vec<String>) -> Self {
        Self { own: of_url(issuer), cookies, others }
    }

    /// Whether a page may be known by its cookies: one of the service's own origin, or of `COOKIE_ORIGINS`.
    pub fn may_use_cookies(&self, origin: &str) -> bool {
        self.own == origin || self.cookies.iter().any(|known| known == origin)
    }

    /// Whether a page may read answers: one that may use cookies, or of `CORS_ORIGINS`.
    pub fn may_call(&self, origin: &str) -> bool {
        self.may_use_cookies(origin) || self.others.iter().any(|known| known == origin)
    }
}

/// Reads a comma list of origins. Plain http is for pages on this machine, in development.
///
/// # Errors
/// What is wrong with it; `*` and `null` are no origins.
pub fn read(text: &str, is_development: bool) -> Result<Vec<String>, String> {
    let list: Vec<String> = text.split(',').map(|origin| origin.trim().to_owned()).collect();
    if list.iter().all(|origin| is_origin(origin, is_development)) {
        Ok(list)
    } else {
        Err("is not a comma list of https origins such as https://www.example.com (never *)".to_owned())
    }
}

/// Reads a comma list of origins whose pages share cookies with the service at `issuer`.
///
/// Without the public suffix list nobody can say where a site begins. So this only refuses what no browser would take
/// for one site: another scheme, or a host that is neither the same nor alike in its last two labels. Where a browser is
/// stricter, as below `co.uk`, its cookies do not come along, and nobody is signed in.
///
/// # Errors
/// As [`read`]; an origin of another site.
pub fn read_same_site(text: &str, issuer: Option<&str>, is_development: bool) -> Result<Vec<String>, String> {
    let list = read(text, is_development)?;
    // Without one there is a problem already, and it is not this list's.
    let Some(own) = issuer.map(of_url) else { return Ok(list) };
    match list.iter().find(|origin| !is_same_site(origin, &own)) {
        None => Ok(list),
        Some(origin) => {
            Err(format!("has {origin}, which is another site than ISSUER; CORS_ORIGINS is for those"))
        }
    }
}

fn is_origin(text: &str, is_development: bool) -> bool {
    let (scheme, host, port) = parts(text);
    let is_local = ["localhost", "127.0.0.1"].contains(&host);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (scheme == "https" || (scheme == "http" && is_development && is_local))
        && host.split('.').all(is_label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port))
        && of_url(text) == text
}

fn is_same_site(one: &str, other: &str) -> bool {
    let ((scheme, host, _), (other_scheme, other_host, _)) = (parts(one), parts(other));
    // A host that ends in a digit is an address (WHATWG URL standard, section 3.5).
    let is_name = !host.ends_with(|c: char| c.is_ascii_digit());
    scheme == other_scheme
        && (host == other_host || (is_name && host.rsplit('.').take(2).eq(other_host.rsplit('.').take(2))))
}

/// The origin of a URL as browsers write it.
fn of_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    format!("{scheme}://{}", authority.strip_suffix(default_port).unwrap_or(&authority))
}

/// Scheme, host and port.
fn parts(origin: &str) -> (&str, &str, Option<&str>) {
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    match authority.split_once(':') {
        Some((host, port)) => (scheme, host, Some(port)),
        None => (scheme, authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for text in
            ["https://a.example", "https://a.example:8443, https://xn--fiq228c.example", "https://10.0.0.1"]
        {
            assert!(read(text, false).is_ok(), "{text}");
        }
        for text in [
            "*",
            "null",
            "",
            "https://*",
            "https://*.a.example",
            "https://a.example/",
            "https://A.example",
            "https://a.example:443",
            "https://a.example:0443",
            "https://a.example:99999",
            "https://a..example",
            "https://user@a.example",
            "https://中文.example",
            "http://a.example",
            "http://localhost:5173",
            "a.example",
            "https://a.example,",
            "https://a.example,*",
            "https://a.example https://b.example",
        ] {
            assert!(read(text, false).is_err(), "{text}");
        }
        assert!(read("http://localhost:5173,http://127.0.0.1", true).is_ok());
        assert!(read("http://a.example", true).is_err());
    }

    #[test]
    fn cookies_are_shared_within_a_site() {
        let is_taken = |origin: &str, issuer: &str| read_same_site(origin, Some(issuer), true).is_ok();
        for (origin, issuer) in [
            ("https://www.shop.example", "https://id.shop.example"),
            ("https://shop.example", "https://id.shop.example/v1"),
            ("https://a.b.shop.example:8443", "https://ID.shop.example:443"),
            ("http://localhost:5173", "http://localhost:8787"),
        ] {
            assert!(is_taken(origin, issuer), "{origin} {issuer}");
        }
        for (origin, issuer) in [
            ("https://evil.example", "https://id.shop.example"),
            ("https://evilshop.example", "https://id.shop.example"),
            ("https://id.shop.example.evil.example", "https://id.shop.example"),
            ("https://10.0.0.1", "https://20.0.0.1"),
            ("https://example", "https://id.shop.example"),
            ("https://localhost", "http://localhost"),
        ] {
            assert!(!is_taken(origin, issuer), "{origin} {issuer}");
        }
    }

    #[test]
    fn nothing_that_only_looks_like_an_origin_counts() {
        let cookies = vec!["https://www.shop.example".to_owned()];
        let origins =
            Origins::new("https://ID.shop.example:443/v1", cookies, vec!["https://b.example".to_owned()]);
        for (origin, cookies, calls) in [
            ("https://id.shop.example", true, true),
            ("https://www.shop.example", true, true),
            ("https://b.example", false, true),
            ("https://www.shop.example.evil.example", false, false),
            ("https://evilwww.shop.example", false, false),
            ("https://www.shop.example:444", false, false),
            ("http://www.shop.example", false, false),
            ("https://WWW.shop.example", false, false),
            ("https://shop.example", false, false),
            ("null", false, false),
            ("", false, false),
            ("*", false, false),
        ] {
            assert_eq!(
                (origins.may_use_cookies(origin), origins.may_call(origin)),
                (cookies, calls),
                "{origin}"
            );
        }
    }
}
