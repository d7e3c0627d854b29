//! What kind of client an app runs on.

use serde::{Deserialize, Serialize};

/// The platform of a client, as it names it. Vendors give out credentials per platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// iPhone and iPad apps.
    Ios,
    /// Android apps.
    Android,
    /// HarmonyOS apps.
    Harmony,
    /// Web pages.
    Web,
    /// Mini-programs (小程序) inside another app.
    Miniprogram,
}

impl Platform {
    /// All platforms, in the order of the contract.
    pub const ALL: [Self; 5] = [Self::Ios, Self::Android, Self::Harmony, Self::Web, Self::Miniprogram];

    /// The name in bodies and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Harmony => "harmony",
            Self::Web => "web",
            Self::Miniprogram => "miniprogram",
        }
    }

    /// An app on a device that people carry with them.
    pub const fn is_mobile(self) -> bool {
        matches!(self, Self::Ios | Self::Android | Self::Harmony)
    }

    /// The platform of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.name() == name)
    }
}
