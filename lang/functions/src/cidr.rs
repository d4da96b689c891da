//! Functions on ranges of IP addresses.
//!
//! An address is a number of 32 or 128 bits, a prefix an address with a length. Octets of IPv4 addresses may have
//! leading zeros and are decimal all the same.

use std::net::{Ipv4Addr, Ipv6Addr};

use dashu_int::UBig;
use plumb_model::{Number, Type, Value};

use crate::error::FunctionError;
use crate::signature::{Call, Function, Origin, Outcome, parameter, strings, whole};

pub(crate) fn functions() -> Vec<Function> {
    let prefix = || parameter("prefix", Type::String, "A range of addresses, such as `10.0.0.0/8`.");
    let number = |name, description| parameter(name, Type::Number, description);
    vec![
        Function::new("cidrhost", Type::String, host)
            .describe("Returns the address of a host in a range of addresses.")
            .takes(prefix())
            .takes(number("hostnum", "The number of the host; a negative one counts from the end.")),
        Function::new("cidrnetmask", Type::String, netmask)
            .describe("Returns the subnet mask of an IPv4 range of addresses.")
            .takes(prefix()),
        Function::new("cidrsubnet", Type::String, subnet)
            .describe("Returns a part of a range of addresses.")
            .takes(prefix())
            .takes(number("newbits", "By how many bits to extend the prefix."))
            .takes(number("netnum", "The number of the part.")),
        Function::new("cidrsubnets", Type::list(Type::String), subnets)
            .describe("Returns consecutive parts of a range of addresses.")
            .takes(prefix())
            .takes_many(number("newbits", "By how many bits to extend the prefix, for each part.")),
        Function::new("cidrcontains", Type::Bool, contains)
            .describe(
                "Tells whether an address, or a whole range of addresses, lies within a range of addresses.",
            )
            .origin(Origin::Later)
            .takes(parameter("containing_prefix", Type::String, "The range that may contain the other."))
            .takes(parameter(
                "contained_ip_or_prefix",
                Type::String,
                "The address or range that may be contained.",
            )),
    ]
}

/// A range of addresses: those that begin with the first `length` bits of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Prefix {
    /// The address, in the lowest bits.
    address: u128,
    /// How many bits of it count.
    length: u32,
    /// How many bits an address has: 32 or 128.
    width: u32,
}

impl Prefix {
    fn parse(text: &str) -> Option<Prefix> {
        let (address, length) = text.split_once('/')?;
        let (address, width) = parse_address(address)?;
        let digits = !length.is_empty() && length.len() <= 3 && length.bytes().all(|b| b.is_ascii_digit());
        let length: u32 = if digits { length.parse().ok()? } else { return None };
        (length <= width).then(|| Prefix { address, length, width }.network())
    }

    /// All bits that do not count cleared.
    fn network(self) -> Prefix {
        Prefix { address: self.address & !self.host_mask(), ..self }
    }

    /// The bits that tell hosts of the range apart.
    fn host_mask(self) -> u128 {
        let bits = self.width - self.length;
        if bits == 128 { u128::MAX } else { (1 << bits) - 1 }
    }

    fn last_address(self) -> u128 {
        self.address | self.host_mask()
    }

    fn show_address(self, address: u128) -> String {
        if self.width == 32 {
            Ipv4Addr::from(address as u32).to_string()
        } else {
            let address = Ipv6Addr::from(address);
            match address.to_ipv4_mapped() {
                Some(mapped) => mapped.to_string(),
                None => address.to_string(),
            }
        }
    }

    fn show(self) -> String {
        format!("{}/{}", self.show_address(self.address), self.length)
    }
}

/// An address and the number of its bits.
fn parse_address(text: &str) -> Option<(u128, u32)> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(|address| (u128::from(address), 128));
    }
    let octets = text
        .split('.')
        .map(|octet| {
            let digits = !octet.is_empty() && octet.len() <= 16 && octet.bytes().all(|b| b.is_ascii_digit());
            if digits { octet.parse::<u8>().ok() } else { None }
        })
        .collect::<Option<Vec<u8>>>()?;
    let octets = <[u8; 4]>::try_from(octets).ok()?;
    Some((u128::from(u32::from_be_bytes(octets)), 32))
}

fn prefix(call: &Call<'_>) -> Result<Prefix, FunctionError> {
    let text = call.text(0);
    Prefix::parse(text).ok_or_else(|| {
        FunctionError::argument(0, format!("{text:?} is not a range of addresses such as \"10.0.0.0/8\""))
    })
}

/// A whole number of any size.
fn big(call: &Call<'_>, i: usize) -> Result<(bool, UBig), FunctionError> {
    let number = call.number(i);
    let in_reach = number.abs() < Number::from_integer(false, UBig::ONE << 160usize);
    match number.to_integer().filter(|_| in_reach) {
        Some((negative, magnitude)) => Ok((negative && magnitude != UBig::ZERO, magnitude)),
        None => Err(FunctionError::argument(i, format!("value must be a whole number, not {number}"))),
    }
}

fn host(call: &Call<'_>) -> Outcome {
    let prefix = prefix(call)?;
    let (negative, magnitude) = big(call, 1)?;
    let outside = || {
        let sign = if negative { "-" } else { "" };
        FunctionError::argument(
            1,
            format!("prefix of {} does not accommodate a host numbered {sign}{magnitude}", prefix.length),
        )
    };
    let magnitude = u128::try_from(&magnitude).map_err(|_| outside())?;
    let most = prefix.host_mask();
    let host = match negative {
        false if magnitude <= most => magnitude,
        true if magnitude - 1 <= most => most - (magnitude - 1),
        _ => return Err(outside()),
    };
    Ok(Value::string(prefix.show_address(prefix.address | host)))
}

fn netmask(call: &Call<'_>) -> Outcome {
    let prefix = prefix(call)?;
    if prefix.width != 32 {
        let found = call.text(0);
        return Err(FunctionError::argument(0, format!("IPv6 addresses cannot have a netmask: {found}")));
    }
    let mask = !(prefix.host_mask() as u32);
    Ok(Value::string(Ipv4Addr::from(mask).to_string()))
}

fn subnet(call: &Call<'_>) -> Outcome {
    let prefix = prefix(call)?;
    let added = call.integer(1)?;
    let (negative, number) = big(call, 2)?;
    let length = i64::from(prefix.length) + added.clamp(-1000, 1000);
    if length > i64::from(prefix.width) {
        return Err(FunctionError::argument(
            1,
            format!("insufficient address space to extend prefix of {} by {added}", prefix.length),
        ));
    }
    let Ok(length) = u32::try_from(length) else {
        return Err(FunctionError::argument(
            1,
            format!("a prefix of {} cannot be shortened by {}", prefix.length, added.unsigned_abs()),
        ));
    };
    let wide = Prefix { length, ..prefix };
    let unit = wide.width - length;
    let magnitude = u128::try_from(&number).unwrap_or(u128::MAX);
    let room = u32::try_from(added).unwrap_or(0);
    if !negative && room < 128 && magnitude >> room != 0 {
        return Err(FunctionError::argument(
            2,
            format!("prefix extension of {added} does not accommodate a subnet numbered {number}"),
        ));
    }
    // A number below zero sets the bits of its magnitude, also those of the prefix; that is what configurations
    // that use it rely on.
    let shifted = if unit == 128 { 0 } else { magnitude << unit };
    let all = Prefix { length: 0, ..prefix }.host_mask();
    let base = if negative { 0 } else { wide.network().address };
    let address = if added < 0 { wide.network().address } else { (base | shifted) & all };
    Ok(Value::string(Prefix { address, ..wide }.network().show()))
}

fn subnets(call: &Call<'_>) -> Outcome {
    let range = prefix(call)?;
    let mut next = Some(range.address);
    let mut previous: Option<Prefix> = None;
    let mut found = Vec::with_capacity(call.args.len() - 1);
    for i in 1..call.args.len() {
        let added = whole(call.number(i)).map_err(|problem| FunctionError::argument(i, problem))?;
        let problem = |text: String| Err(FunctionError::argument(i, text));
        let added = match u32::try_from(added) {
            Ok(added @ 1..=32) => added,
            Ok(33..) => return problem("may not extend prefix by more than 32 bits".to_owned()),
            _ => return problem("must extend prefix by at least one bit".to_owned()),
        };
        let length = range.length + added;
        if length > range.width {
            let kind = if range.width == 32 { "IPv4" } else { "IPv6" };
            return problem(format!(
                "would extend prefix to {length} bits, which is too long for an {kind} address"
            ));
        }
        let subnet = Prefix { address: next.unwrap_or(0), length, width: range.width };
        let mask = subnet.host_mask();
        // The next part begins at the next multiple of its own size.
        let address = next.and_then(|next| next.checked_add(mask)).map(|address| address & !mask);
        let subnet = match address {
            Some(address) if address <= range.last_address() => Prefix { address, ..subnet },
            _ => {
                let after = previous.map(Prefix::show).unwrap_or_default();
                return problem(format!(
                    "not enough remaining address space for a subnet with a prefix of {length} bits after {after}"
                ));
            }
        };
        next = subnet.last_address().checked_add(1);
        previous = Some(subnet);
        found.push(subnet.show());
    }
    Ok(strings(found))
}

fn contains(call: &Call<'_>) -> Outcome {
    let outer = prefix(call)?;
    let text = call.text(1);
    let inner = match parse_address(text) {
        Some((address, width)) => Some(Prefix { address, length: width, width }),
        None => Prefix::parse(text),
    };
    let Some(inner) = inner else {
        return Err(FunctionError::argument(
            1,
            format!("{text:?} is neither an address nor a range of addresses"),
        ));
    };
    if inner.width != outer.width {
        return Err(FunctionError::argument(1, "an IPv4 address and an IPv6 address cannot be compared"));
    }
    let within = inner.length >= outer.length && inner.address & !outer.host_mask() == outer.address;
    Ok(within.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_keep_only_the_bits_that_count() {
        let show = |text: &str| Prefix::parse(text).map(Prefix::show);
        assert_eq!(show("10.1.2.3/19").as_deref(), Some("10.1.0.0/19"));
        assert_eq!(show("010.0.0.0/08").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(show("::/0").as_deref(), Some("::/0"));
        for text in
            ["10.0.0/8", "10.0.0.256/8", "10.0.0.0/33", "10.0.0.0/-1", " 10.0.0.0/8", "10.0.0.0", "x/1"]
        {
            assert_eq!(show(text), None, "{text}");
        }
    }
}
