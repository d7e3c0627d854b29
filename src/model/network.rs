//! What a client is connected by.

use serde::Deserialize;

/// The network of a client, as it reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Wi-Fi alone, or with cellular data beside it.
    Wifi,
    /// Cellular data.
    Cellular,
    /// No cellular network to vouch for a number: no SIM, airplane mode, a cable.
    None,
    /// The client does not say.
    Unknown,
}

impl Network {
    /// All networks, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Wifi, Self::Cellular, Self::None, Self::Unknown];

    /// The name in queries and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wifi => "wifi",
            Self::Cellular => "cellular",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }

    /// The network of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_configuration() {
        for network in Network::ALL {
            assert_eq!(Network::from_name(network.name()), Some(network));
            assert_eq!(serde_json::from_value::<Network>(network.name().into()).unwrap(), network);
        }
        assert_eq!(Network::from_name("5g"), None);
    }
}
