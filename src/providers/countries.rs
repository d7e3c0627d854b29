//! Lists of countries, by E.164 country code: `["86", "852"]` (these), `["*"]` (all), `["!86"]` (all but these).
//!
//! Shared with the build script.

/// Whether a list has the country.
pub(super) fn serve(list: &[String], code: &str) -> bool {
    let excluded = list.iter().filter_map(|entry| entry.strip_prefix('!'));
    let all_but = excluded.clone().count() > 0 && !excluded.clone().any(|other| other == code);
    all_but || list.iter().any(|entry| entry == code || entry == "*")
}

/// Whether it is a list in one of the three forms.
pub(super) fn are_sane(list: &[String]) -> bool {
    let is_code = |code: &str| (1..=4).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    let all_but = list.iter().all(|entry| entry.strip_prefix('!').is_some_and(is_code));
    !list.is_empty() && (list == ["*"] || all_but || list.iter().all(|entry| is_code(entry)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn three_forms() {
        for (entries, china, america) in [
            (&["86", "852"][..], true, false),
            (&["*"], true, true),
            (&["!86"], false, true),
            (&["!86", "!1"], false, false),
        ] {
            let entries = list(entries);
            assert!(are_sane(&entries), "{entries:?}");
            assert_eq!((serve(&entries, "86"), serve(&entries, "1")), (china, america), "{entries:?}");
        }
    }

    #[test]
    fn nothing_else() {
        for entries in
            [&[][..], &["CN"], &["+86"], &["*", "86"], &["86", "!1"], &["!"], &[""], &["!*"], &["12345"]]
        {
            assert!(!are_sane(&list(entries)), "{entries:?}");
        }
    }
}
