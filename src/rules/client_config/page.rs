//! What a page for one-tap must show.
//!
//! The carriers admit a page only with the masked number, a link to their own terms and a consent that the user
//! gives himself, so none of these can be configured away.

use serde::{Deserialize, Serialize};

use crate::model::{carrier::Carrier, language::Localized};

/// What the one-tap page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// How the number is shown.
    pub mask_rule: MaskRule,
    /// What the user agrees to: of the carriers that of his own, of those without carrier all.
    pub agreements: Vec<Agreement>,
    /// Whether consent is ticked at first: never.
    pub consent_checked: bool,
    /// What the client reports as `consent.version` at login.
    pub consent_version: String,
}

/// How a national number is shown: its ends, and one character for each of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MaskRule {
    /// Digits shown at the start.
    pub first: u8,
    /// Digits shown at the end.
    pub last: u8,
    /// What stands for the others.
    pub mask: char,
}

/// A text to agree to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The carrier whose users it is shown to; everybody without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// Its title.
    pub name: Localized,
    /// Where it can be read.
    pub url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PageRule {
    #[serde(default)]
    pub(super) agreements: Vec<Agreement>,
    pub(super) consent_version: Option<String>,
}

/// The carriers' terms, as their SDKs link to them.
const OF_CARRIERS: [(Carrier, &str, &str, &str); 3] = [
    (
        Carrier::Cmcc,
        "中国移动认证服务条款",
        "China Mobile authentication terms",
        "https://wap.cmpassport.com/resources/html/contract.html",
    ),
    (
        Carrier::Cucc,
        "联通统一认证服务条款",
        "China Unicom authentication terms",
        "https://opencloud.wostore.cn/authz/resource/html/disclaimer.html?fromsdk=true",
    ),
    (
        Carrier::Ctcc,
        "天翼账号服务与隐私协议",
        "China Telecom account service and privacy terms",
        "https://e.189.cn/sdk/agreement/detail.do?hidetop=true",
    ),
];

impl Page {
    /// The page of a rule: its agreements stand in place of the carriers' where they name one, and after them.
    pub(super) fn of(rule: Option<&PageRule>) -> Self {
        let own = rule.map(|rule| rule.agreements.as_slice()).unwrap_or_default();
        let of_carriers = OF_CARRIERS
            .iter()
            .filter(|(carrier, ..)| own.iter().all(|agreement| agreement.carrier != Some(*carrier)))
            .map(|(carrier, zh, en, url)| Agreement {
                carrier: Some(*carrier),
                name: Localized::new(zh, en),
                url: (*url).to_owned(),
            });
        Self {
            mask_rule: MaskRule { first: 3, last: 4, mask: '*' },
            agreements: of_carriers.chain(own.iter().cloned()).collect(),
            consent_checked: false,
            consent_version: rule
                .and_then(|rule| rule.consent_version.clone())
                .unwrap_or_else(|| "1".to_owned()),
        }
    }
}
