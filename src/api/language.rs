//! The language that a client asks for.

use crate::model::language::Language;

/// Picks by `Accept-Language` (RFC 9110 section 12.5.4): the one of ours with the highest weight, the earlier
/// of equals.
pub fn pick(header: Option<&str>) -> Language {
    let mut best = (0, Language::En);
    for range in header.unwrap_or_default().split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
        let language = match primary.as_str() {
            "zh" => Language::ZhCn,
            "en" => Language::En,
            _ => continue,
        };
        let weight = weight.trim().strip_prefix("q=").and_then(thousandths).unwrap_or(0);
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

// `1`, `1.000`, `0.85`: at most three decimals.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 {
        return None;
    }
    format!("{whole}{decimals:0<3}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_decide() {
        for (header, language) in [
            (None, Language::En),
            (Some("zh-CN"), Language::ZhCn),
            (Some("fr, de;q=0.9"), Language::En),
            (Some("zh-Hans-CN,zh;q=0.9,en;q=0.8"), Language::ZhCn),
            (Some("en;q=0.5, zh;q=0.75"), Language::ZhCn),
            (Some("zh;q=0, en"), Language::En),
            (Some("zh;q=x"), Language::En),
        ] {
            assert_eq!(pick(header), language, "{header:?}");
        }
    }
}
