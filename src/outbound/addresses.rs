//! Which addresses are of the public internet. What is not is this machine, a private network, a cloud's metadata
//! server, or nobody: nowhere that a stranger's redirect may lead.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether anybody can be there whom everybody may ask (IANA's registries of special-purpose addresses).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127, ..] => true,
        // Shared between carriers and their customers; many clusters' own network.
        [100, second, ..] => (64..128).contains(&second),
        [192, 0, 0, _] => true,
        [198, second, ..] => second == 18 || second == 19,
        // Of multicast, reserved, and the broadcast address.
        [first, ..] => first >= 224,
    };
    !(special || address.is_private() || address.is_link_local() || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, fourth, _, _, high, low] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(address) = address.to_ipv4_mapped() {
        return is_public_v4(address);
    }
    match first {
        // 64:ff9b::/96 leads to an address of version 4, and so does 2002::/16.
        0x64 if (second, third, fourth) == (0xff9b, 0, 0) => embedded(high, low),
        0x2002 => embedded(second, third),
        0x2001 if second == 0xdb8 || second < 0x200 => false,
        _ => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_public_internet_is_known() {
        for text in [
            "8.8.8.8",
            "192.0.2.1".replace("192.0.2", "193.0.2").as_str(),
            "2600::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.255.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001::1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }
}
