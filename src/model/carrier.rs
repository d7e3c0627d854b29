//! The carriers of mainland China.

use serde::{Deserialize, Serialize};

/// Who operates the network of a number or of the SIM that vouched for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// 中国移动 China Mobile.
    Cmcc,
    /// 中国联通 China Unicom.
    Cucc,
    /// 中国电信 China Telecom.
    Ctcc,
    /// 中国广电 China Broadnet.
    Cbn,
}

impl Carrier {
    /// All carriers.
    pub const ALL: [Self; 4] = [Self::Cmcc, Self::Cucc, Self::Ctcc, Self::Cbn];

    /// The name in bodies and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cmcc => "cmcc",
            Self::Cucc => "cucc",
            Self::Ctcc => "ctcc",
            Self::Cbn => "cbn",
        }
    }

    /// The carrier of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|carrier| carrier.name() == name)
    }
}
