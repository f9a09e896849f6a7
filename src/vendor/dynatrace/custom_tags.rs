//! Custom tags: `/api/v2/tags`, with `/api/v2/entities` to observe by.
//!
//! Adding takes many tags for many entities a call, removing one tag; the answer tells one count for all. Live tags do
//! not tell whether a rule made them: [`Vendor::ask_manual`] does
//! (<https://docs.dynatrace.com/managed/dynatrace-api/environment-api/custom-tags>).

use serde::Serialize;

use super::answer::{self, CustomEntityTags, EntitiesPage, EntityV2, MeTag, Shape};
use super::complaint::complaint;
use super::entity_id;
use super::judge::{self, Case, Contact, NotFound};
use super::request::Target;
use crate::model::{
    Call, Effect, Grain, Limits, LiveEntity, LiveTag, Provenance, Reserved, Tag, TagRules, TagSet, TextRule,
    ValueRule,
};
use crate::vendor::{Cursor, Page, Scope, Vendor, VendorError};
use crate::wire::{Judge, Request, Response, Verdict};

const ENTITIES: &str = "/api/v2/entities";
const TAGS: &str = "/api/v2/tags";

/// The media type of the specification's request body.
const JSON: &str = "application/json; charset=utf-8";

/// Dynatrace by its v2 API. Made by [`super::vendor`].
#[derive(Debug)]
pub struct CustomTags {
    from: String,
    page_size: usize,
    selector_chars: usize,
    rules: TagRules,
    contact: Contact,
}

impl CustomTags {
    pub(super) fn new(from: &str, page_size: usize, selector_chars: usize) -> Self {
        Self {
            from: from.to_owned(),
            page_size,
            selector_chars,
            rules: rules(),
            contact: Contact::default(),
        }
    }

    /// The route for the custom tags of some entities. `from` always goes along: without it, entities that were not
    /// seen for 24 hours are passed over in silence.
    fn tags_of(&self, kind: &str, ids: &[String]) -> Result<Target, VendorError> {
        let selector = entity_id::of_ids(kind, ids)?;
        Ok(Target::new(TAGS)
            .query("entitySelector", &selector)
            .query("from", &self.from))
    }
}

impl Vendor for CustomTags {
    fn rules(&self) -> &TagRules {
        &self.rules
    }

    fn limits(&self, kind: &str) -> Result<Limits, VendorError> {
        entity_id::check_type(kind)?;
        let budget = entity_id::budget(self.selector_chars);
        Ok(Limits {
            grain: Grain::Delta,
            entities: None,
            id_budget: Some(budget),
            adds: 1_000,
            removes: 1,
            together: false,
            body_bytes: 900_000,
            page: self.page_size,
            observe_ids: Some(budget),
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
        let target = Target::new(ENTITIES);
        if let Some(Cursor(key)) = page {
            // The key stands for the whole query: any other parameter beside it is refused.
            return Ok(target.query("nextPageKey", key).read());
        }
        let target = target
            .query("entitySelector", &entity_id::selector(scope)?)
            .query("from", &self.from)
            // The documentation writes `+tags`, whose plus would be a space in a URL; the bare name is taken too.
            .query("fields", "tags")
            .query("pageSize", &self.page_size.to_string());
        Ok(target.read())
    }

    fn observed(&self, _scope: &Scope, answer: &Response) -> Result<Page, VendorError> {
        let page: EntitiesPage = answer::read(answer, "a page of entities")?;
        let EntitiesPage {
            entities,
            total_count,
            page_size,
            next_page_key,
        } = page;
        Ok(Page {
            entities: entities.into_iter().map(live).collect(),
            next: next_page_key.filter(|key| !key.is_empty()).map(Cursor),
            total: total_count,
            page_size,
        })
    }

    fn ask_manual(&self, kind: &str, ids: &[String]) -> Option<Result<Request, VendorError>> {
        Some(self.tags_of(kind, ids).map(Target::read))
    }

    fn read_manual(&self, answer: &Response) -> Result<TagSet, VendorError> {
        answer::read(answer, "the list of custom tags").map(CustomEntityTags::contextless)
    }

    fn encode(&self, call: &Call) -> Result<Request, VendorError> {
        let Call {
            kind,
            entities,
            add,
            remove,
        } = call;
        let target = self.tags_of(kind, entities)?;
        match (add.as_slice(), remove.as_slice()) {
            ([], [tag]) => Ok(delete(target, tag)),
            ([_, ..], []) => target.post(JSON, &AddEntityTags::of(add)),
            _ => Err(VendorError::Unsupported(format!(
                "a call adds {} tags and removes {}; custom tags are added, or removed one a call",
                add.len(),
                remove.len()
            ))),
        }
    }

    fn decode(&self, call: &Call, answer: &Response) -> Result<Vec<Effect>, VendorError> {
        let sent = call.entities.len();
        let matched = answer::matched(answer);
        let effect = if !call.remove.is_empty() {
            Effect::Observe(removal(sent, matched, answer))
        } else if matched == u64::try_from(sent).ok() {
            Effect::Done
        } else {
            Effect::Observe(addition(sent, matched))
        };
        Ok(vec![effect; sent])
    }

    fn observe_removals(&self) -> bool {
        true
    }
}

impl Judge for CustomTags {
    fn judge(&self, request: &Request, response: &Response) -> Verdict {
        let case = match request.method.as_str() {
            "GET" => Case {
                shape: if request.target.starts_with(TAGS) {
                    Shape::Tags
                } else {
                    Shape::Entities
                },
                not_found: NotFound::Route,
                parts: 1,
                scopes: "the scope entities.read",
            },
            method => Case {
                shape: Shape::Count,
                not_found: if method == "DELETE" {
                    NotFound::Removed
                } else {
                    NotFound::Entity
                },
                parts: judge::entities_in(&request.target) * judge::tags_in(&request.body),
                scopes: "the scopes entities.read and entities.write",
            },
        };
        judge::judge(case, &self.contact, request, response)
    }
}

/// The body of a `POST`.
#[derive(Serialize)]
struct AddEntityTags<'a> {
    tags: Vec<AddEntityTag<'a>>,
}

/// A tag in it. No value is told by leaving it out: what an empty one would do is not documented.
#[derive(Serialize)]
struct AddEntityTag<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

impl<'a> AddEntityTags<'a> {
    fn of(tags: &'a [Tag]) -> Self {
        let tags = tags.iter().map(|Tag { key, value }| AddEntityTag {
            key,
            value: value.as_deref(),
        });
        Self { tags: tags.collect() }
    }
}

/// Removes exactly this pair. A tag without a value is told by its key alone; `deleteAllWithKey`, which would take every
/// value of the key, is never sent.
fn delete(target: Target, tag: &Tag) -> Request {
    let target = target.query("key", &tag.key);
    match &tag.value {
        Some(value) => target.query("value", value).delete(),
        None => target.delete(),
    }
}

fn live(entity: EntityV2) -> LiveEntity {
    let EntityV2 {
        entity_id,
        display_name,
        tags,
    } = entity;
    let tags = tags.into_iter().filter_map(MeTag::contextless);
    LiveEntity {
        id: entity_id.to_ascii_uppercase(),
        name: display_name,
        tags: tags
            .map(|tag| LiveTag {
                tag,
                provenance: Provenance::Undecided,
            })
            .collect(),
    }
}

fn addition(sent: usize, matched: Option<u64>) -> String {
    match matched {
        Some(matched) => format!("the vendor matched {matched} of {sent} entities and does not say which"),
        None => "the vendor does not say how many entities it matched".to_owned(),
    }
}

fn removal(sent: usize, matched: Option<u64>, answer: &Response) -> String {
    match matched {
        Some(matched) => {
            format!("the vendor matched {matched} of {sent} entities; a removal counts once it is seen gone")
        }
        None => format!("{}; a removal counts once it is seen gone", complaint(answer)),
    }
}

fn rules() -> TagRules {
    TagRules {
        key: TextRule {
            min: 1,
            max: 2_000,
            allowed: None,
        },
        value: ValueRule::Optional(TextRule {
            min: 0,
            max: 2_000,
            allowed: None,
        }),
        tags_per_entity: Some(1_000),
        reserved: RESERVED,
        join: None,
        sources: RULE_SOURCES,
    }
}

/// What no key may begin with, in both APIs.
pub(super) const RESERVED: &[Reserved] = &[Reserved {
    prefix: "[",
    why: "the vendor writes the context of imported tags so, as in `[AWS]key`; choose another key",
}];

const RULE_SOURCES: &[&str] = &[
    "key 1 to 2000 and value 0 to 2000 characters: documented, TagInfo of the v1 specification; assumed for v2, which states \
     a key of at least 1",
    "1000 manual tags an entity: documented, \
     https://docs.dynatrace.com/managed/manage/tags-and-metadata/basic-concepts/best-practice-tagging-at-scale",
    "no key beginning with `[`: assumed from the written form `[CONTEXT]key:value`",
];

const LIMIT_SOURCES: &[&str] = &[
    "selector 2000 characters: documented, \
     https://docs.dynatrace.com/managed/dynatrace-api/environment-api/entity-v2/entity-selector; 1900 are used, since \
     what is counted is not stated",
    "1000 tags added a call: documented, AddEntityTags of the v2 specification",
    "1 tag removed a call: documented, \
     https://docs.dynatrace.com/managed/dynatrace-api/environment-api/custom-tags/del-tags",
    "body 1 MB: documented, https://docs.dynatrace.com/managed/dynatrace-api/basics/access-limit; 900 kB are used",
    "page of 500 entities: assumed, since the greatest is not documented; shorter pages are followed",
];
