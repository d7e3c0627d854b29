//! What can be written in several forms, as the form that has all of their members.
//!
//! serde would choose between forms itself, at the price of keeping whatever it reads until it knows: that code is
//! larger than all the rest of reading documents. Shared with the build script.

use serde::Deserialize;

use crate::kernel::table::Table;

use super::{
    operation::{self, DerivedBase64, DerivedDigest, DerivedMap, Form, Mac, Place},
    template::Template,
};

/// A digest, a map or Base64.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Derived {
    digest: Option<Mac>,
    key: Option<Template>,
    of: Option<String>,
    output: Option<Form>,
    map: Option<Table<String, String>>,
    base64: Option<Template>,
}

impl TryFrom<Derived> for operation::Derived {
    type Error = String;

    fn try_from(written: Derived) -> Result<Self, String> {
        let Derived { digest, key, of, output, map, base64 } = written;
        match (digest, key, of, output, map, base64) {
            (Some(digest), key, Some(of), Some(output), None, None) => {
                Ok(Self::Digest(DerivedDigest { digest, key, of: Template::parse(&of)?, output }))
            }
            (None, None, Some(of), None, Some(map), None) => Ok(Self::Map(DerivedMap { map, of })),
            (None, None, None, None, None, Some(base64)) => Ok(Self::Base64(DerivedBase64 { base64 })),
            _ => Err("a derived value has digest, of and output, or map and of, or base64".to_owned()),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    Mac,
    Acs3,
    Tc3,
}

/// A signature of any scheme.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sign {
    scheme: Scheme,
    of: Option<Template>,
    mac: Option<Mac>,
    key: Option<Template>,
    output: Option<Form>,
    into: Option<Place>,
    parts: Option<Vec<Template>>,
    key_id: Option<Template>,
    service: Option<String>,
    headers: Option<Vec<String>>,
}

impl TryFrom<Sign> for operation::Sign {
    type Error = &'static str;

    fn try_from(mut written: Sign) -> Result<Self, &'static str> {
        let sign = match written.scheme {
            Scheme::Mac => written.mac(),
            Scheme::Acs3 => written.acs3(),
            Scheme::Tc3 => written.tc3(),
        };
        sign.filter(|_| written.is_used_up())
            .ok_or("sign lacks members of its scheme, or has those of another")
    }
}

impl Sign {
    fn mac(&mut self) -> Option<operation::Sign> {
        Some(operation::Sign::Mac {
            of: self.of.take()?,
            mac: self.mac.take()?,
            key: self.key.take(),
            output: self.output.take()?,
            into: self.into.take()?,
            parts: self.parts.take().unwrap_or_default(),
        })
    }

    fn acs3(&mut self) -> Option<operation::Sign> {
        Some(operation::Sign::Acs3 { key_id: self.key_id.take()?, key: self.key.take()? })
    }

    fn tc3(&mut self) -> Option<operation::Sign> {
        Some(operation::Sign::Tc3 {
            key_id: self.key_id.take()?,
            key: self.key.take()?,
            service: self.service.take()?,
            headers: self.headers.take()?,
        })
    }

    fn is_used_up(&self) -> bool {
        let Self { scheme: _, of, mac, key, output, into, parts, key_id, service, headers } = self;
        let left = of.is_some() || mac.is_some() || key.is_some() || output.is_some() || into.is_some();
        !(left || parts.is_some() || key_id.is_some() || service.is_some() || headers.is_some())
    }
}
