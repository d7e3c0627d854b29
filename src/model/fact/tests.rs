use super::*;

#[test]
fn a_value_is_read_as_it_is_written_in_either_language() {
    for (kind, answer, zh, en) in [
        (Kind::City, "武汉", "武汉", "Wuhan"),
        (Kind::City, "xi'an", "西安", "Xi'an"),
        (Kind::Surname, "许", "许", "Xu"),
        (Kind::Surname, "Lü", "吕", "Lü"),
        (Kind::Month, "2024-05", "2024年5月", "2024-05"),
        (Kind::Month, "2019-12", "2019年12月", "2019-12"),
        (Kind::Amount, "10", "¥10-12", "¥10-12"),
        (Kind::Amount, "128", "¥100-129", "¥100-129"),
        (Kind::Amount, "999999", "¥800000-999999", "¥800000-999999"),
        (Kind::Category, "tea", "茶叶", "Tea"),
        (Kind::PhoneModel, "iphone 13 Pro", "iPhone 13 Pro", "iPhone 13 Pro"),
    ] {
        let place = kind.place(answer).unwrap();
        assert_eq!(
            (kind.text(place, Language::ZhCn).as_str(), kind.text(place, Language::En).as_str()),
            (zh, en)
        );
    }
}

#[test]
fn what_is_not_of_its_kind_is_none() {
    for (kind, answers) in [
        (Kind::City, ["", "Atlantis", "武", "武汉|", "|"].as_slice()),
        // 许 or 徐? Nobody can tell.
        (Kind::Surname, &["Xu", "欧阳", "王小明"]),
        (
            Kind::Month,
            &[
                "2024-5",
                "2024-00",
                "2024-13",
                "1989-12",
                "2090-01",
                "24-05",
                "2024/05",
                "+024-05",
                "2024-05-01",
            ],
        ),
        (Kind::Amount, &["", "9", "1000000", "-20", "12.5", "１２", "4294967297"]),
        (Kind::PhoneModel, &["iPhone14,5", "Nokia 3310"]),
    ] {
        for answer in answers {
            assert_eq!(kind.place(answer), None, "{answer}");
        }
    }
}

#[test]
fn devices_say_what_they_are_in_their_own_words() {
    // Apple's identifiers of models: iPhone14,5 is the iPhone 13.
    let name =
        |said: &str| Kind::place_of_model(said).map(|place| Kind::PhoneModel.text(place, Language::En));
    assert_eq!(name("iPhone14,5").as_deref(), Some("iPhone 13"));
    assert_eq!(name("vivo X100").as_deref(), Some("vivo X100"));
    assert_eq!(name("iPhone99,9"), None);
    for (_, said) in pools::IPHONES.split('|').filter_map(|entry| entry.split_once('=')) {
        assert!(Kind::PhoneModel.place(&format!("iPhone {said}")).is_some(), "{said}");
    }
}

#[test]
fn each_pool_is_deep_enough_and_holds_each_value_once() {
    for kind in [Kind::City, Kind::Surname, Kind::Category, Kind::PhoneModel] {
        let entries: Vec<&str> = kind.pool().split('|').collect();
        assert!(entries.len() >= 40, "{}: {}", kind.name(), entries.len());
        for (at, entry) in (0..).zip(&entries) {
            assert_eq!(kind.place(zh(entry)), Some(at), "{entry}");
            assert!(!en(entry).is_empty() && !zh(entry).is_empty());
        }
    }
    // Bands follow each other without a gap, each a quarter wider than the one before, about.
    for band in 0..ALL_BANDS {
        let (low, high) = (begin(band), begin(band + 1));
        assert!((1.2..1.35).contains(&(f64::from(high) / f64::from(low))), "{low} {high}");
        assert_eq!(
            (Kind::Amount.place(&low.to_string()), Kind::Amount.place(&(high - 1).to_string())),
            (Some(band), Some(band))
        );
    }
}

#[test]
fn persisted_format() {
    let fact = Fact { kind: Kind::PhoneModel, text: Sealed::from_text("k1.fact") };
    let json = r#"{"kind":"phone_model","text":"k1.fact"}"#;
    assert_eq!(serde_json::to_string(&fact).unwrap(), json);
    assert_eq!(serde_json::from_str::<Fact>(json).unwrap(), fact);
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}
