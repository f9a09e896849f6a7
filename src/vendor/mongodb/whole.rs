//! The one entity of a call, and all that it shall carry: both APIs write one entity a call.

use crate::model::{Call, Whole};
use crate::vendor::VendorError;

/// The entity of a call and its whole set. Neither API can make an entity.
pub(super) fn of(call: &Call) -> Result<(&str, &Whole), VendorError> {
    let Call { entities, wholes, .. } = call;
    match (entities.as_slice(), wholes.as_slice()) {
        ([id], [whole]) if whole.exists => Ok((id, whole)),
        ([id], [_]) => Err(VendorError::Unsupported(format!(
            "`{id}` is not there, and this API only replaces tags of what is"
        ))),
        _ => Err(VendorError::Unsupported(format!(
            "a call names {} entities with {} sets of tags; all tags of one are replaced a call",
            entities.len(),
            wholes.len()
        ))),
    }
}
