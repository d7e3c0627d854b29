//! Network addresses of clients.

use std::net::IpAddr;

/// The network that an address belongs to, and the rest of the address within it: for IPv4 the /24 and the last
/// byte, for IPv6 the /56 that one customer is given and the /64 within it. A text that is no address is a
/// network of its own.
pub fn network(address: &str) -> (String, String) {
    match address.parse() {
        Ok(IpAddr::V4(v4)) => {
            let [a, b, c, d] = v4.octets();
            (format!("{a}.{b}.{c}"), d.to_string())
        }
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => network(&v4.to_string()),
            None => (format!("{:x}", v6.to_bits() >> 72), ((v6.to_bits() >> 64) & 0xff).to_string()),
        },
        Err(_) => (address.to_owned(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        for (address, expected, rest) in [
            ("203.0.113.7", "203.0.113", "7"),
            ("::ffff:203.0.113.7", "203.0.113", "7"),
            ("2001:db8:1:2aff::1", "20010db800012a", "255"),
            ("2001:db8:1:2a00:ffff::9", "20010db800012a", "0"),
            ("nowhere", "nowhere", ""),
        ] {
            let (network, within) = network(address);
            assert_eq!((network.trim_start_matches('0'), within.as_str()), (expected, rest), "{address}");
        }
    }
}
