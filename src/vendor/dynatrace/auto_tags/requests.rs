//! What is asked of the settings API: pages, and objects that are created, changed, deleted or tried.

use http::Method;
use serde::Serialize;

use super::definition::{self, Object};
use super::form::Form;
use super::objects::Handle;
use crate::model::{Call, DOCUMENT_KEY, Whole};
use crate::vendor::request::Target;
use crate::vendor::{Cursor, VendorError};
use crate::wire::{Purpose, Request};

const OBJECTS: &str = "/api/v2/settings/objects";

const SCHEMA: &str = "builtin:tags.auto-tagging";

/// The one scope that the schema allows.
const SCOPE: &str = "environment";

/// The media type of the specification's request bodies.
const JSON: &str = "application/json; charset=utf-8";

/// One definition of a call.
#[derive(Debug)]
pub(super) struct Definition<'a> {
    /// What the inventory calls it.
    pub(super) name: &'a str,
    /// What was observed of it.
    pub(super) whole: &'a Whole,
    /// What shall stand there; `None` when it is deleted.
    pub(super) document: Option<Object>,
}

/// The definitions of a call, in its order.
pub(super) fn definitions(call: &Call) -> Result<Vec<Definition<'_>>, VendorError> {
    if call.entities.len() != call.wholes.len() || call.entities.is_empty() {
        return unsupported(format!(
            "a call names {} definitions and has {} documents",
            call.entities.len(),
            call.wholes.len()
        ));
    }
    let both = call.entities.iter().zip(&call.wholes);
    both.map(|(name, whole)| definition(name, whole)).collect()
}

fn definition<'a>(name: &'a str, whole: &'a Whole) -> Result<Definition<'a>, VendorError> {
    let document = match whole.tags.as_slice() {
        [] => None,
        [tag] => Some(definition::sent(Form::Settings, tag)?),
        tags => {
            return unsupported(format!(
                "{} documents for one definition; give one under `{DOCUMENT_KEY}`",
                tags.len()
            ));
        }
    };
    let told = document.as_ref().map(definition::name_of);
    if told.is_some_and(|told| told != Some(name)) {
        // Written all the same it would be another definition, and this one missing for ever.
        return unsupported(format!(
            "the document's `name` is `{}` and the inventory names `{}`; settings know a definition by its name, so make \
             them equal",
            told.flatten().unwrap_or_default().escape_debug(),
            name.escape_debug()
        ));
    }
    Ok(Definition {
        name,
        whole,
        document,
    })
}

/// Puts or deletes the one object that is there.
pub(super) fn change(whole: &Whole, document: Option<&Object>) -> Result<Request, VendorError> {
    let Some(Handle {
        object_id,
        update_token,
    }) = whole.handle.as_deref().and_then(Handle::read)
    else {
        return unsupported(
            "the vendor told no object identifier of the definition; it can't be changed".to_owned(),
        );
    };
    let target = Target::new(OBJECTS).segment(&object_id);
    let update_token = update_token.as_deref();
    match document {
        Some(value) => {
            let body = Update { update_token, value };
            target.json(Purpose::Write, Method::PUT, JSON, &body)
        }
        None => Ok(match update_token {
            Some(token) => target.query("updateToken", token).delete(),
            None => target.delete(),
        }),
    }
}

/// Creates objects. Sent twice, the second would be refused for its name, so that a lost answer is looked into instead.
pub(super) fn create(definitions: &[Definition<'_>]) -> Result<Request, VendorError> {
    let objects: Vec<NewObject<'_>> = definitions
        .iter()
        .filter(|one| !one.whole.exists)
        .filter_map(NewObject::of)
        .collect();
    if objects.len() != definitions.len() {
        return unsupported(format!(
            "{} definitions in one request; settings objects are created together, and changed or deleted one by one",
            definitions.len()
        ));
    }
    let request = Target::new(OBJECTS).json(Purpose::Write, Method::POST, JSON, &objects)?;
    Ok(Request {
        idempotent: false,
        ..request
    })
}

/// Asks whether objects would be taken; `None` where there is nothing to write. What is there already is asked about as
/// if it were new: the vendor has no other way.
pub(super) fn validate(definitions: &[Definition<'_>]) -> Option<Result<Request, VendorError>> {
    let objects: Vec<NewObject<'_>> = definitions.iter().filter_map(NewObject::of).collect();
    let target = Target::new(OBJECTS).query("validateOnly", "true");
    (!objects.is_empty()).then(|| target.json(Purpose::Validate, Method::POST, JSON, &objects))
}

/// Lists objects.
pub(super) fn list(page_size: usize, page: Option<&Cursor>) -> Request {
    let target = Target::new(OBJECTS);
    let target = match page {
        // The key stands for the whole query: any other parameter beside it is refused.
        Some(Cursor(key)) => target.query("nextPageKey", key),
        None => target
            .query("schemaIds", SCHEMA)
            .query("fields", "objectId,value,updateToken")
            .query("pageSize", &page_size.to_string()),
    };
    target.read()
}

/// `SettingsObjectCreate`. Without a version of the schema, the current one counts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewObject<'a> {
    schema_id: &'static str,
    scope: &'static str,
    value: &'a Object,
}

impl<'a> NewObject<'a> {
    fn of(definition: &'a Definition<'_>) -> Option<Self> {
        Some(Self {
            schema_id: SCHEMA,
            scope: SCOPE,
            value: definition.document.as_ref()?,
        })
    }
}

/// `SettingsObjectUpdate`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Update<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    update_token: Option<&'a str>,
    value: &'a Object,
}

fn unsupported<T>(why: String) -> Result<T, VendorError> {
    Err(VendorError::Unsupported(why))
}
