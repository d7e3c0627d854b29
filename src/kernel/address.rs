//! Network addresses of clients.

use std::net::IpAddr;

/// Where an address lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The widest network that one party may hold: IPv4 /24, IPv6 /48. A text that is no address is one of its own.
    pub site: String,
    /// IPv6 only: the /56 within it that one customer is given.
    pub network: Option<String>,
    /// The address: IPv4 its last byte, IPv6 the /64 within the site.
    pub address: String,
}

impl Origin {
    /// Where `address` lies.
    pub fn of(address: &str) -> Self {
        match address.parse() {
            Ok(IpAddr::V4(v4)) => {
                let [a, b, c, d] = v4.octets();
                Self { site: format!("{a}.{b}.{c}"), network: None, address: d.to_string() }
            }
            Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
                Some(v4) => Self::of(&v4.to_string()),
                None => {
                    let [a, b, c, d, ..] = v6.segments();
                    let [network, _] = d.to_be_bytes();
                    Self {
                        site: format!("{a:x}:{b:x}:{c:x}"),
                        network: Some(format!("{network:02x}00/56")),
                        address: format!("{d:04x}"),
                    }
                }
            },
            Err(_) => Self { site: address.to_owned(), network: None, address: String::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        for (address, site, network, within) in [
            ("203.0.113.7", "203.0.113", None, "7"),
            ("::ffff:203.0.113.7", "203.0.113", None, "7"),
            ("2001:db8:1:2aff::1", "2001:db8:1", Some("2a00/56"), "2aff"),
            ("2001:db8:1:2a00:ffff::9", "2001:db8:1", Some("2a00/56"), "2a00"),
            ("nowhere", "nowhere", None, ""),
        ] {
            let origin = Origin {
                site: site.to_owned(),
                network: network.map(str::to_owned),
                address: within.to_owned(),
            };
            assert_eq!(Origin::of(address), origin, "{address}");
        }
    }
}
