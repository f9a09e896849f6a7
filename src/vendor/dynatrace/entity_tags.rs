//! Entity tags: the Topology and Smartscape API, `/api/v1/entity/…`, for tokens that can do no more.
//!
//! Tags are plain strings, a call names one entity, and only hosts can lose a tag. Deprecated since 1.263
//! (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/topology-and-smartscape>).

use http::HeaderMap;
use serde::Serialize;

use super::answer::{self, EntityV1, MeTag, Shape};
use super::complaint::complaint;
use super::custom_tags::RESERVED;
use super::entity_id;
use super::judge::{self, Case, Contact, NotFound};
use super::request::Target;
use crate::model::{
    Call, Effect, Grain, IdBudget, Limits, LiveEntity, LiveTag, Provenance, Tag, TagRules, TagSet, TextRule,
    ValueRule,
};
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Request, Response, Verdict};

/// The words of `relativeTime`.
pub(super) const FRAMES: [&str; 10] = [
    "min", "5mins", "10mins", "15mins", "30mins", "hour", "2hours", "6hours", "day", "3days",
];

/// The media type of the documentation's example.
const JSON: &str = "application/json";

/// The kinds that bear tags here, and their routes. Mobile applications share the route of web applications.
const ROUTES: [(&str, &str); 5] = [
    ("HOST", "/api/v1/entity/infrastructure/hosts"),
    ("PROCESS_GROUP", "/api/v1/entity/infrastructure/process-groups"),
    ("SERVICE", "/api/v1/entity/services"),
    ("APPLICATION", "/api/v1/entity/applications"),
    ("MOBILE_APPLICATION", "/api/v1/entity/applications"),
];

/// Dynatrace by its v1 API. Made by [`super::vendor`].
#[derive(Debug)]
pub struct EntityTags {
    frame: String,
    page_size: usize,
    id_chars: usize,
    rules: TagRules,
    contact: Contact,
}

impl EntityTags {
    pub(super) fn new(frame: &str, join: Option<&str>, page_size: usize, id_chars: usize) -> Self {
        Self {
            frame: frame.to_owned(),
            page_size,
            id_chars,
            rules: rules(join),
            contact: Contact::default(),
        }
    }

    fn live(&self, entity: EntityV1) -> LiveEntity {
        let EntityV1 {
            entity_id,
            display_name,
            discovered_name,
            tags,
        } = entity;
        let join = self.rules.join.as_deref();
        LiveEntity {
            id: entity_id.to_ascii_uppercase(),
            name: display_name.or(discovered_name),
            tags: tags
                .into_iter()
                .filter_map(MeTag::contextless)
                .filter_map(|tag| read(tag, join))
                .collect(),
        }
    }
}

impl Vendor for EntityTags {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        route(kind)?;
        Ok(Limits {
            grain: Grain::Delta,
            entities: Some(1),
            id_budget: None,
            adds: 100,
            removes: usize::from(kind.eq_ignore_ascii_case("HOST")),
            together: false,
            body_bytes: 900_000,
            page: self.page_size,
            // Each is told as `&entity=ID`.
            observe_ids: Some(IdBudget {
                chars: self.id_chars,
                fixed: 0,
                each: 8,
            }),
            sources: LIMIT_SOURCES,
        })
    }

    fn canonical_id(&self, kind: &str, wanted: &str) -> Result<String, String> {
        entity_id::canonical(kind, wanted)
    }

    fn fold_name(&self, name: &str) -> String {
        name.to_lowercase()
    }

    fn observe(&self, scope: &Scope, page: Option<&Cursor>) -> Result<Request, VendorError> {
        let kind = kind_of(scope);
        let mut target = Target::new(route(kind)?)
            .query("relativeTime", &self.frame)
            .query("pageSize", &self.page_size.to_string());
        if let Scope::Ids { kind, ids } = scope {
            entity_id::check_ids(kind, ids)?;
            target = ids.iter().fold(target, |target, id| target.query("entity", id));
        }
        if let Some(Cursor(key)) = page {
            // Unlike v2, all other parameters have to stay.
            target = target.query("nextPageKey", key);
        }
        Ok(target.read())
    }

    fn observed(&self, scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let listed: Vec<EntityV1> = answer::read(answer, "a list of entities")?;
        let prefix = format!("{}-", kind_of(scope).to_ascii_uppercase());
        let entities = listed.into_iter().map(|entity| self.live(entity));
        Ok(Page {
            // One route lists web and mobile applications.
            entities: entities.filter(|entity| entity.id.starts_with(&prefix)).collect(),
            next: header(&answer.headers, "next-page-key").map(Cursor),
            // `Total-Count` is an estimate, and counts what was just left out.
            total: None,
            page_size: header(&answer.headers, "page-size").and_then(|size| size.parse().ok()),
        })
    }

    /// Nothing here tells manual tags from those of rules; a tag that a rule makes is found when its removal shows no
    /// effect.
    fn ask_manual(&self, _kind: &str, _ids: &[String]) -> Option<Result<Request, VendorError>> {
        None
    }

    fn read_manual(&self, _answer: &Response) -> Result<TagSet, VendorError> {
        Err(VendorError::Unsupported(
            "the v1 API does not list manual tags; use `api = \"v2\"`".to_owned(),
        ))
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        let Call {
            kind,
            entities,
            add,
            remove,
        } = call;
        let path = route(kind)?;
        entity_id::check_ids(kind, entities)?;
        let [id] = entities.as_slice() else {
            return unsupported(format!(
                "a call names {} entities; v1 takes one a call",
                entities.len()
            ));
        };
        let target = Target::new(path).segment(id);
        let join = self.rules.join.as_deref();
        match (add.as_slice(), remove.as_slice()) {
            ([_, ..], []) => {
                let tags = add.iter().map(|tag| write(tag, join)).collect::<Result<_, _>>()?;
                target.post(JSON, &UpdateEntity { tags })
            }
            ([], [tag]) if kind.eq_ignore_ascii_case("HOST") => delete(target, &write(tag, join)?),
            ([], [_]) => unsupported(format!(
                "v1 removes tags from hosts alone, not from a {kind}; use `api = \"v2\"`"
            )),
            _ => unsupported(format!(
                "a call adds {} tags and removes {}; v1 adds tags, or removes one a call",
                add.len(),
                remove.len()
            )),
        }
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let effect = if call.remove.is_empty() {
            Effect::Done
        } else if answer.status == 404 {
            Effect::Observe(format!(
                "{}; a removal counts once it is seen gone",
                complaint(answer)
            ))
        } else {
            Effect::Observe("a removal counts once it is seen gone".to_owned())
        };
        Ok(vec![effect; call.entities.len()])
    }

    fn observe_removals(&self) -> bool {
        true
    }
}

impl Judge for EntityTags {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        let (shape, not_found) = match request.method.as_str() {
            "GET" => (Shape::Array, NotFound::Route),
            "DELETE" => (Shape::Nothing, NotFound::Removed),
            _ => (Shape::Nothing, NotFound::Entity),
        };
        let parts = judge::tags_in(&request.body);
        let case = Case {
            shape,
            not_found,
            parts,
            scopes: "the scope DataExport",
        };
        judge::judge(case, &self.contact, request, response)
    }
}

/// The body of a `POST`.
#[derive(Serialize)]
struct UpdateEntity {
    tags: Vec<String>,
}

fn delete(target: Target, tag: &str) -> Result<Request, VendorError> {
    if matches!(tag, "." | "..") {
        // Encoded or not, URLs drop such a segment, and the request would mean another resource.
        return unsupported(format!(
            "tag `{tag}` can't be named in a path; remove it with `api = \"v2\"`"
        ));
    }
    Ok(target.segment("tags").segment(tag).delete())
}

/// A tag as a plain string.
fn write(tag: &Tag, join: Option<&str>) -> Result<String, VendorError> {
    match (&tag.value, join) {
        (None, _) => Ok(tag.key.clone()),
        (Some(value), Some(join)) => Ok(format!("{}{join}{value}", tag.key)),
        (Some(_), None) => unsupported(format!(
            "tag `{tag}` has a value, and v1 knows plain strings only; give a `join`"
        )),
    }
}

/// A live tag. Strings that would be written otherwise than they stand belong to nobody. A tag with a value of its own
/// came by v2 or a rule: it is there, and cannot be removed by v1.
fn read(tag: Tag, join: Option<&str>) -> Option<LiveTag> {
    if tag.value.is_some() {
        return Some(LiveTag {
            tag,
            provenance: Provenance::Automatic,
        });
    }
    let tag = match join.and_then(|join| tag.key.split_once(join)) {
        Some(("", _) | (_, "")) => return None,
        Some((key, value)) => Tag::new(key, Some(value)),
        None => tag,
    };
    Some(LiveTag {
        tag,
        provenance: Provenance::Manual,
    })
}

fn kind_of(scope: &Scope) -> &str {
    match scope {
        Scope::Kind { kind } | Scope::Ids { kind, .. } => kind,
    }
}

fn route(kind: &str) -> Result<&'static str, VendorError> {
    let found = ROUTES.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind));
    found.map(|(_, route)| *route).ok_or_else(|| {
        let kinds: Vec<&str> = ROUTES.iter().map(|(kind, _)| *kind).collect();
        VendorError::Unsupported(format!(
            "kind `{}` bears no tags through v1, which knows {}; use `api = \"v2\"`",
            kind.escape_debug(),
            kinds.join(", ")
        ))
    })
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)?
        .to_str()
        .ok()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn unsupported<T>(why: String) -> Result<T, VendorError> {
    Err(VendorError::Unsupported(why))
}

fn rules(join: Option<&str>) -> TagRules {
    TagRules {
        key: TextRule {
            min: 1,
            max: 2_000,
            allowed: Some(|c| c != ':' && !c.is_control()),
        },
        value: ValueRule::None,
        tags_per_entity: Some(1_000),
        reserved: RESERVED,
        join: join.map(str::to_owned),
        sources: RULE_SOURCES,
    }
}

const RULE_SOURCES: &[&str] = &[
    "plain strings, without values: documented, https://docs.dynatrace.com/managed/dynatrace-api/environment-api/\
     topology-and-smartscape/process-groups-api/post-tags",
    "1 to 2000 characters: documented, TagInfo of the v1 specification",
    "no colon: assumed, since it is not stated whether the server splits the string there",
    "1000 manual tags an entity: documented, \
     https://docs.dynatrace.com/managed/manage/tags-and-metadata/basic-concepts/best-practice-tagging-at-scale",
    "no tag beginning with `[`: assumed from the written form `[CONTEXT]key:value`",
];

const LIMIT_SOURCES: &[&str] = &[
    "1 entity a call, many tags: documented, UpdateEntity of the v1 specification",
    "100 tags added a call: assumed from custom devices, the one v1 body with a stated number",
    "1 tag removed a call, from hosts alone: documented, https://docs.dynatrace.com/managed/dynatrace-api/\
     environment-api/topology-and-smartscape/hosts-api/del-tags",
    "body 1 MB: documented, https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit; 900 kB are used",
    "page of 500 entities: assumed; without a size everything comes in one answer",
    "1900 characters of `entity` parameters: assumed, to keep URLs short enough for proxies",
];
