//! Delivery receipts: what an SMS vendor pushes when it knows whether a message arrived.
//!
//! They count for the health of the vendor, and so for the order in which vendors are asked. Whoever pushes must have proven to be the vendor before.

use serde_json::{Map, Value};

use super::{
    document::Document,
    encode,
    json::{first_text, message_id},
    operation::{Encoding, ReceiptRule},
};

/// The fate of one SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// As in [`super::Answer::Accepted`].
    pub message_id: String,
    /// It arrived. Otherwise it never will.
    pub delivered: bool,
}

impl Document {
    /// Reads what a vendor pushed: the query of the request without `?`, or its body. Empty when all of it says
    /// nothing yet; `None` when it is no receipt of this vendor, or the document knows of none.
    pub fn receipts(&self, content_type: &str, query: &str, body: &[u8]) -> Option<Vec<Receipt>> {
        let rule = self.receipt.as_ref()?;
        let pushed = match rule.encoding {
            Encoding::Query => object(query),
            Encoding::Form if is_form(content_type) => object(&String::from_utf8_lossy(body)),
            Encoding::Form => return None,
            Encoding::Json => serde_json::from_slice(body).ok()?,
        };
        let items = match &pushed {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        let fates: Vec<Option<Receipt>> = items.iter().filter_map(|item| rule.fate(item)).collect();
        (!fates.is_empty()).then(|| fates.into_iter().flatten().collect())
    }

    /// What the vendor wants to hear: content type and body.
    pub fn receipt_reply(&self) -> Option<(&str, &str)> {
        let reply = &self.receipt.as_ref()?.reply;
        Some((&reply.content_type, &reply.body))
    }
}

impl ReceiptRule {
    /// `None` for what is no receipt, `Some(None)` for a status that says nothing yet.
    fn fate(&self, item: &Value) -> Option<Option<Receipt>> {
        let message_id = message_id(first_text(item, std::slice::from_ref(&self.message_id))?)?;
        let status = first_text(item, std::slice::from_ref(&self.status))?;
        let delivered = self.delivered.contains(&status);
        Some((!self.passing.contains(&status)).then_some(Receipt { message_id, delivered }))
    }
}

fn object(text: &str) -> Value {
    let mut members = Map::new();
    for (name, value) in encode::parse(text) {
        members.insert(name, Value::String(value));
    }
    Value::Object(members)
}

fn is_form(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
