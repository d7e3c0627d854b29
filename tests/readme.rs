//! Both READMEs against the code: limits, fixed values, routes, settings, codes of problems, webhooks, make targets, and the
//! steps that a test runs literally; and the examples of docs/OPERATIONS.md.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::{collections::BTreeSet, fs, path::Path};

use onetap::{
    api::routes::{self, Found},
    kernel::id::{AccountId, ApprovalId, DeviceId, SessionId, TrustedPhoneId},
    model::{fact::Kind, language::Language, notice::NoticeKind},
    rules::{
        client_config::ClientRules,
        limits::{Limit, MEANINGS, TABLE},
        message::Apps,
        webhooks::Webhook,
    },
};

const EN: &str = include_str!("../README.md");
const ZH: &str = include_str!("../README.zh-CN.md");
const ARCHITECTURE: &str = include_str!("../docs/ARCHITECTURE.md");
const OPERATIONS: &str = include_str!("../docs/OPERATIONS.md");
const FACTS: &str = concat!("\n", include_str!("../docs/FACTS.md"));
const MAKEFILE: &str = include_str!("../Makefile");
const SETTINGS: &str = include_str!("../src/journeys/settings/read.rs");
const PROBLEMS: &str =
    concat!(include_str!("../src/api/problem.rs"), include_str!("../src/api/problem/kinds.rs"));

#[test]
fn the_tables_of_limits_are_those_of_the_code() {
    let row = |limit: &Limit| {
        let Limit { name, default, min, max, .. } = limit;
        [format!("`{name}`"), default.to_string(), format!("{min}-{max}")]
    };
    let known: Vec<_> = TABLE.iter().map(row).collect();
    for (readme, title) in [(EN, "## Limits"), (ZH, "## 限制")] {
        let rows = rows(section(readme, title));
        let listed: Vec<_> = rows.iter().filter(|row| row.len() == 4 && row[0].starts_with('`')).collect();
        assert_eq!(listed.iter().map(|row| &row[..3]).collect::<Vec<_>>(), known, "{title}");
        if readme == EN {
            assert!(listed.iter().map(|row| &row[3]).eq(MEANINGS), "{listed:?}");
        }
    }
}

#[test]
fn what_is_fixed_is_what_the_constants_say() {
    for (readme, title) in [(EN, "## Limits"), (ZH, "## 限制")] {
        let mut named = BTreeSet::new();
        let rows = rows(section(readme, title));
        for row in rows.iter().filter(|row| row.len() == 3) {
            let shown = numbers(&row[1].replace(',', ""));
            for link in row[2].split("[`").skip(1) {
                let (name, path) = link.split_once("`](").unwrap();
                let path = path.split(')').next().unwrap();
                let value = constant(&read(path), name);
                for number in numbers(&value).into_iter().filter(|number| *number > 0) {
                    assert!(shows(&shown, number), "{title} {}: {name} is {value}", row[0]);
                }
                named.insert(format!("{path}: {name}"));
            }
        }
        let bounds: BTreeSet<String> = bounds_below("src").into_iter().collect();
        let unnamed: Vec<&String> = bounds.difference(&named).collect();
        assert!(unnamed.is_empty(), "{title} lacks {unnamed:?}");
    }
}

#[test]
fn the_routes_listed_exist() {
    let id_in = |path: &str| match path.split('/').nth(1) {
        Some("sessions") => SessionId::from_bytes([1; 16]).to_string(),
        Some("approvals") => ApprovalId::from_bytes([1; 16]).to_string(),
        Some("account") => TrustedPhoneId::from_bytes([1; 16]).to_string(),
        Some("devices") => DeviceId::from_bytes([1; 16]).to_string(),
        _ => AccountId::from_bytes([1; 16]).to_string(),
    };
    for (readme, title) in [(EN, "## Endpoints"), (ZH, "## 接口")] {
        let rows = rows(section(readme, title));
        let paths: Vec<_> = rows.iter().filter_map(|row| row[0].trim_matches('`').split_once(" /")).collect();
        assert!(paths.len() >= 9, "{paths:?}");
        for (method, path) in paths {
            let found = routes::find(method, &format!("/{}", path.replace("{id}", &id_in(path))));
            assert!(matches!(found, Found::Route(_)), "{method} /{path}");
            assert_eq!(found.name(), format!("{method} /{path}"));
        }
    }
}

#[test]
fn every_setting_is_listed() {
    let read =
        SETTINGS.split("reader.").filter(|call| call.starts_with("required") || call.starts_with("optional"));
    let known: BTreeSet<&str> =
        read.filter_map(|call| call.split('"').nth(1)).chain(["APP_MESSAGES"]).collect();
    assert!(known.contains("ISSUER") && known.contains("CLIENT_CONFIG"), "{known:?}");
    for (readme, title) in [(EN, "## Configuration"), (ZH, "## 配置")] {
        let rows = rows(section(readme, title));
        let listed: BTreeSet<&str> =
            rows.iter().filter(|row| row[0].starts_with('`')).map(|row| row[0].trim_matches('`')).collect();
        assert_eq!(listed, known, "{title}");
    }
}

#[test]
fn every_code_of_a_problem_is_listed_with_its_status() {
    let kinds: BTreeSet<(&str, &str)> = PROBLEMS
        .split("status: ")
        .filter_map(|kind| {
            let (status, rest) = kind.split_once(',')?;
            let code = rest.trim_start().strip_prefix("code: \"")?.split('"').next()?;
            Some((code, status))
        })
        .collect();
    assert!(kinds.contains(&("otp_incorrect", "401")) && kinds.contains(&("internal", "500")), "{kinds:?}");
    for (readme, title) in [(EN, "## Endpoints"), (ZH, "## 接口")] {
        let rows = rows(section(readme, title));
        let listed: BTreeSet<(&str, &str)> = rows
            .iter()
            .filter(|row| row.len() == 3 && row[1].starts_with(|c: char| c.is_ascii_digit()))
            .flat_map(|row| {
                let codes = row[0].split('`').skip(1).step_by(2);
                let statuses: Vec<&str> = row[1].split([',', '、']).map(str::trim).collect();
                codes.enumerate().map(move |(at, code)| (code, statuses[at.min(statuses.len() - 1)]))
            })
            .collect();
        assert_eq!(listed, kinds, "{title}");
    }
}

#[test]
fn every_event_of_a_webhook_is_listed_and_who_is_told() {
    for (readme, no, push_only, sms, email) in
        [(EN, "no", "push only", "SMS", "e-mail"), (ZH, "否", "只用推送", "短信", "邮件")]
    {
        let rows = rows(section(readme, "## Webhooks"));
        let listed: Vec<_> = rows.iter().filter(|row| row.len() == 3 && row[0].contains('.')).collect();
        let known = NoticeKind::ALL.map(NoticeKind::name);
        assert!(listed.iter().map(|row| row[0].trim_matches('`')).eq(known), "{listed:?}");
        for (row, kind) in listed.into_iter().zip(NoticeKind::ALL) {
            let told = row[2];
            assert_eq!(told.starts_with(no), !kind.is_personal(), "{row:?}");
            let only_pushed = kind.is_personal() && !kind.warns() && !kind.costs_number();
            assert_eq!(told.contains(push_only), only_pushed, "{row:?}");
            assert_eq!(told.contains(email), kind.costs_number(), "{row:?}");
            assert_eq!(told.contains(sms), kind.is_of_number(), "{row:?}");
        }
    }
}

#[test]
fn every_make_target_is_listed_and_no_other() {
    let phony = MAKEFILE.lines().find_map(|line| line.strip_prefix(".PHONY:")).unwrap();
    let known: BTreeSet<&str> = phony.split_whitespace().collect();
    for (readme, title) in [(EN, "## Commands"), (ZH, "## 命令")] {
        let table = section(readme, title);
        let listed: BTreeSet<&str> =
            rows(table).iter().filter_map(|row| row[0].trim_matches('`').strip_prefix("make ")).collect();
        assert_eq!(listed, known, "{title}");
        let code = readme.split('`').filter_map(|part| part.trim().strip_prefix("make "));
        for target in code.filter_map(|arguments| arguments.split_whitespace().next()) {
            assert!(known.contains(target), "make {target}");
        }
    }
}

#[test]
fn the_first_steps_are_the_same_in_both_languages() {
    let steps = |readme, title| -> Vec<String> {
        let blocks = section(readme, title).split("```sh\n").skip(1);
        blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
    };
    let english = steps(EN, "## Five minutes");
    assert_eq!(english, steps(ZH, "## 五分钟"));
    assert_eq!(english[0], "make dev\n");
}

#[test]
fn the_examples_of_settings_can_be_set() {
    let example = |title| -> &str {
        let block = section(OPERATIONS, title).split("```json\n").nth(1).unwrap();
        block.split("```").next().unwrap()
    };
    let served = ["default", "shop"].map(str::to_owned);
    Webhook::read(example("## Notices"), &served, false).unwrap();
    Apps::read(Some(example("## Messages")), &served, "id.example.com", 6, 5).unwrap();
    ClientRules::read(example("## Client configuration"), &served, &["flash_v2".to_owned()]).unwrap();
}

#[test]
fn the_lists_of_facts_are_those_of_the_code() {
    let table = section(FACTS, "# Facts");
    let kinds = rows(table).into_iter().filter_map(|row| row[0].strip_prefix('`')?.strip_suffix('`'));
    let kinds: Vec<&str> = kinds.filter(|kind| *kind != "kind").collect();
    assert_eq!(kinds, Kind::ALL.map(Kind::name));
    let lists = section(FACTS, "## Lists");
    for kind in [Kind::City, Kind::Surname, Kind::Category, Kind::PhoneModel] {
        let (_, list) = lists.split_once(&format!("`{}`: ", kind.name())).unwrap();
        let listed: Vec<&str> = list.split_once(".\n").unwrap().0.split(", ").collect();
        for (place, listed) in (0..).zip(&listed) {
            let [zh, en] = Language::ALL.map(|language| kind.text(place, language));
            assert_eq!(*listed, if zh == en { zh } else { format!("{zh} {en}") });
        }
        let end = listed.len().try_into().unwrap();
        assert_eq!(kind.text(end, Language::En), "", "{} has more", kind.name());
    }
}

#[test]
fn every_journey_is_named() {
    let table = section(ARCHITECTURE, "## Rooms and walls");
    for entry in fs::read_dir(root().join("src/journeys")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(name == "mod" || table.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_longest_host_whose_messages_fit_is_told() {
    let fits = |host: usize| Apps::read(None, &["default".to_owned()], &"h".repeat(host), 6, 5).is_ok();
    assert!(fits(35) && !fits(36));
    assert!(section(EN, "## Configuration").contains("over 35 characters"));
    assert!(section(ZH, "## 配置").contains("超过 35 个字符"));
}

/// From a heading to the next one.
fn section<'a>(readme: &'a str, title: &str) -> &'a str {
    let start = readme.find(&format!("\n{title}")).unwrap_or_else(|| panic!("no section {title}"));
    let rest = &readme[start + 1..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// The cells of each table row.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|_| panic!("no file {path}"))
}

/// What a constant is made of, products worked out.
fn constant(source: &str, name: &str) -> String {
    let (_, rest) =
        source.split_once(&format!("const {name}:")).unwrap_or_else(|| panic!("no constant {name}"));
    let value = rest.split(';').next().unwrap().split_once(" = ").unwrap().1.replace('_', "");
    if value.contains('*') { numbers(&value).iter().product::<u64>().to_string() } else { value }
}

/// Constants that say by their names that they are bounds.
fn bounds_below(folder: &str) -> Vec<String> {
    let mut bounds = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            bounds.extend(bounds_below(&path));
            continue;
        }
        let source = read(&path);
        let names =
            source.split("const ").skip(1).filter_map(|rest| rest.split_once(':')).map(|(name, _)| name);
        let bound = |name: &&str| ["MAX_", "MOST_", "FORMER_"].iter().any(|prefix| name.starts_with(prefix));
        bounds.extend(names.filter(bound).map(|name| format!("{path}: {name}")));
    }
    bounds
}

/// Whether a number is shown, be it in thousands, KiB of it, hours or days.
fn shows(shown: &[u64], number: u64) -> bool {
    [1, 1000, 1024, 3600, 86_400].iter().any(|unit| shown.iter().any(|known| known * unit == number))
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}
