//! The entity selector: its grammar.
//!
//! Known are `type`, `entityId`, `tag`, `entityName` with its operators, `caseSensitive`, `not`, `firstSeenTms`,
//! `healthState`, `mzId` and `mzName`. Entity attributes and relationships are refused as not applicable.

use super::envelope::Refused;
use super::selector_text::{call, identifier, not_applicable, refused, split, typeless, values};
use super::switches::QuoteEscape;
use super::tag_text::TagPattern;
use super::time_frame;

/// A selector that names exactly one type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    /// In capitals.
    pub(super) kind: String,
    /// All of them must hold.
    pub(super) criteria: Vec<Criterion>,
}

/// One criterion beside the type.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    /// One of these identifiers; `None` for a text that can't be one.
    Ids(Vec<Option<u64>>),
    /// One of these tags.
    Tags(Vec<TagPattern>),
    /// The name compared with some texts, of which one must fit.
    Name {
        how: NameTest,
        texts: Vec<String>,
        case_sensitive: bool,
    },
    /// When it was first seen, in milliseconds since 1970.
    FirstSeen(Comparison, i64),
    /// Whatever the entity: all are healthy, and none is in a management zone.
    Always(bool),
    /// The opposite.
    Not(Box<Criterion>),
}

/// How a name is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameTest {
    Contains,
    StartsWith,
    Equals,
}

/// How a time is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Lt,
    Lte,
    Gt,
    Gte,
}

/// How selectors are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    /// Relative times count from here.
    pub(super) now: i64,
    /// How a quote is written inside quotes.
    pub(super) escape: QuoteEscape,
}

impl Reader {
    /// Reads a whole selector.
    pub(super) fn read(self, text: &str) -> Result<Selector, Refused> {
        let calls: Vec<_> = split(text, self.escape)?
            .into_iter()
            .map(call)
            .collect::<Result<_, _>>()?;
        let kind = self.kind(text, &calls)?;
        let criteria = calls
            .into_iter()
            .filter(|(name, _)| *name != "type")
            .map(|(name, inner)| self.criterion(&kind, name, inner))
            .collect::<Result<_, _>>()?;
        Ok(Selector { kind, criteria })
    }

    /// The one type that the criteria at the top tell.
    fn kind(self, text: &str, calls: &[(&str, &str)]) -> Result<String, Refused> {
        let mut kinds = Vec::new();
        for (name, inner) in calls {
            match *name {
                "type" => kinds.extend(values(inner, self.escape)?),
                "entityId" => {
                    for id in values(inner, self.escape)? {
                        kinds.push(identifier(&id)?.0);
                    }
                }
                _ => {}
            }
        }
        for kind in &mut kinds {
            kind.make_ascii_uppercase();
        }
        kinds.sort_unstable();
        kinds.dedup();
        let n_types = calls.iter().filter(|(name, _)| *name == "type").count();
        match &mut *kinds {
            [] => Err(typeless(text)),
            [kind] if n_types <= 1 => legal(std::mem::take(kind)),
            _ => Err(refused(format!(
                "All entities must be of exactly one type, found: {}",
                kinds.join(", ")
            ))),
        }
    }

    fn criterion(self, kind: &str, name: &str, inner: &str) -> Result<Criterion, Refused> {
        if let Some(how) = name.strip_prefix("entityName") {
            return self.name(kind, how, inner);
        }
        if let Some(how) = name.strip_prefix("firstSeenTms.") {
            return self.first_seen(kind, how, inner);
        }
        let values = || values(inner, self.escape);
        let nested = || call(inner).and_then(|(name, inner)| self.criterion(kind, name, inner));
        match name {
            "entityId" => ids(&values()?),
            "tag" => Ok(Criterion::Tags(
                values()?.iter().map(|tag| TagPattern::parse(tag)).collect(),
            )),
            "not" => Ok(Criterion::Not(Box::new(nested()?))),
            "caseSensitive" => case_sensitive(nested()?),
            "mzId" | "mzName" => values().map(|_| Criterion::Always(false)),
            "healthState" => Ok(Criterion::Always(
                values()?.iter().any(|state| state == "HEALTHY"),
            )),
            "type" => Err(refused(
                "'type' can't be negated or made case-sensitive".to_owned(),
            )),
            _ => Err(not_applicable(name, kind)),
        }
    }

    fn name(self, kind: &str, how: &str, inner: &str) -> Result<Criterion, Refused> {
        let texts = values(inner, self.escape)?;
        let test = match how {
            "" => NameTest::Contains,
            ".startsWith" => NameTest::StartsWith,
            ".equals" | ".in" => NameTest::Equals,
            _ => return Err(not_applicable(&format!("entityName{how}"), kind)),
        };
        if texts.len() > 1 && how != ".in" {
            return Err(refused(format!("'entityName{how}' takes exactly one value")));
        }
        Ok(Criterion::Name {
            how: test,
            texts,
            case_sensitive: false,
        })
    }

    fn first_seen(self, kind: &str, how: &str, inner: &str) -> Result<Criterion, Refused> {
        let how = match how {
            "lt" => Comparison::Lt,
            "lte" => Comparison::Lte,
            "gt" => Comparison::Gt,
            "gte" => Comparison::Gte,
            _ => return Err(not_applicable(&format!("firstSeenTms.{how}"), kind)),
        };
        let values = values(inner, self.escape)?;
        let at = values.first().and_then(|text| time_frame::parse(text, self.now));
        at.map(|at| Criterion::FirstSeen(how, at))
            .ok_or_else(|| refused(format!("'{inner}' is not a valid timestamp")))
    }
}

fn ids(texts: &[String]) -> Result<Criterion, Refused> {
    let ids = texts.iter().map(|id| identifier(id).map(|(_, bits)| bits));
    Ok(Criterion::Ids(ids.collect::<Result<_, _>>()?))
}

fn case_sensitive(criterion: Criterion) -> Result<Criterion, Refused> {
    match criterion {
        Criterion::Name { how, texts, .. } => Ok(Criterion::Name {
            how,
            texts,
            case_sensitive: true,
        }),
        _ => Err(refused(
            "'caseSensitive' takes an 'entityName' criterion".to_owned(),
        )),
    }
}

fn legal(kind: String) -> Result<String, Refused> {
    let legal = kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if legal {
        Ok(kind)
    } else {
        Err(refused(format!("'{kind}' is not a valid entity type")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, complaint, environment};

    /// The identifiers' last digits of the hosts that a selector matches within a day.
    async fn matched(options: &str, selector: &str) -> Result<String, String> {
        let encoded: String = url::form_urlencoded::byte_serialize(selector.as_bytes()).collect();
        let target = format!("/api/v2/entities?from=now-1d&entitySelector={encoded}");
        let (status, body) = ask(&environment(options), "GET", &target, "").await;
        match status {
            200 => Ok(body["entities"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|entity| entity["entityId"].as_str()?.chars().last())
                .collect()),
            _ => Err(complaint(&body).to_owned()),
        }
    }

    #[tokio::test]
    async fn criteria_match_as_documented() {
        for (selector, want) in [
            ("type(HOST)", "123"),
            (r#"type("host")"#, "123"),
            (r#" type( "HOST" ) , tag("env:prod") "#, "1"),
            (
                r#"entityId("HOST-0000000000000002","host-0000000000000001")"#,
                "12",
            ),
            (
                r#"entityId("HOST-0000000000000002","HOST-0000000000000002")"#,
                "2",
            ),
            ("type(HOST),entityId(HOST-0000000000000002)", "2"),
            (
                "entityId(HOST-0000000000000001),entityId(HOST-0000000000000002)",
                "",
            ),
            (r#"type(HOST),tag("env:prod","env:dev")"#, "12"),
            (r#"type(HOST),tag("env:prod"),tag(owner)"#, "1"),
            (r#"type(HOST),tag("ENV:prod")"#, ""),
            (r#"type(HOST),tag("env")"#, ""),
            (r#"type(HOST),tag("tier:gold")"#, "3"),
            (r#"type(HOST),tag("[aws]Region:eu")"#, "3"),
            (r#"type(HOST),tag("Region:eu")"#, ""),
            (r#"type(HOST),not(tag("env:prod"))"#, "23"),
            ("type(HOST),not(entityId(HOST-0000000000000001))", "23"),
            ("type(HOST),entityName(EXAMPLE.com)", "12"),
            (r#"type(HOST),entityName.startsWith("web-")"#, "12"),
            (r#"type(HOST),caseSensitive(entityName.startsWith("web-"))"#, "2"),
            (r#"type(HOST),entityName.equals("WEB-1.example.com")"#, "1"),
            (r#"type(HOST),entityName.equals("web-1")"#, ""),
            (r#"type(HOST),entityName.equals("Server(prod),1")"#, "3"),
            (
                r#"type(HOST),entityName.in("web-2.example.com","WEB-1.EXAMPLE.COM")"#,
                "12",
            ),
            (r#"type(HOST),healthState("HEALTHY")"#, "123"),
            (r#"type(HOST),mzName("x")"#, ""),
            ("type(HOST),firstSeenTms.lt(now-60d)", "123"),
            ("type(HOST),firstSeenTms.gte(now-60d)", ""),
            ("type(DISK)", ""),
        ] {
            assert_eq!(matched("", selector).await.as_deref(), Ok(want), "{selector}");
        }
    }

    #[tokio::test]
    async fn a_bare_tag_matches_every_value_only_when_told() {
        for (selector, want) in [
            ("type(HOST),tag(env)", "12"),
            ("type(HOST),tag(tier)", "3"),
            ("type(HOST),tag(env:dev)", "2"),
        ] {
            assert_eq!(
                matched("bare-tag=any", selector).await.as_deref(),
                Ok(want),
                "{selector}"
            );
        }
    }

    #[tokio::test]
    async fn selectors_that_can_not_be_read_are_refused_with_400() {
        let typeless = "The entitySelector parameter must contain entity type information on all levels, not determinable on level with values: ";
        for (selector, want) in [
            ("", typeless),
            ("tag(env:prod)", typeless),
            ("entityId(nonsense)", typeless),
            (
                "type(HOST),type(SERVICE)",
                "All entities must be of exactly one type",
            ),
            (
                "type(HOST),type(HOST)",
                "All entities must be of exactly one type",
            ),
            ("type(HOST,SERVICE)", "All entities must be of exactly one type"),
            (
                "entityId(HOST-0000000000000001,SERVICE-0000000000000001)",
                "All entities must be of exactly one type",
            ),
            (
                "type(HOST),entityId(SERVICE-0000000000000001)",
                "All entities must be of exactly one type",
            ),
            (
                "type(HOST),nonsense(1)",
                "Predicate name nonsense not applicable for type HOST",
            ),
            (
                "type(HOST),entityName.endsWith(a)",
                "Predicate name entityName.endsWith not applicable for type HOST",
            ),
            ("type(HOST),not(type(HOST))", "'type' can't be negated"),
            ("type(HOST),caseSensitive(tag(a))", "'caseSensitive' takes"),
            (
                "type(HOST),entityName.equals(a,b)",
                "'entityName.equals' takes exactly one value",
            ),
            (
                "type(HOST),firstSeenTms.lt(soon)",
                "'soon' is not a valid timestamp",
            ),
            ("type(HOST),tag()", "The entity selector can't be parsed"),
            ("type(HOST", "The entity selector can't be parsed"),
            ("type(HOST))", "The entity selector can't be parsed"),
            ("type(HOST),", "The entity selector can't be parsed"),
            (
                "type(HOST),entityName(a\"b)",
                "The entity selector can't be parsed",
            ),
            (
                r#"type(HOST),entityName("a"b)"#,
                "The entity selector can't be parsed",
            ),
            ("type(H-OST)", "'H-OST' is not a valid entity type"),
        ] {
            let why = matched("", selector).await.unwrap_err();
            assert!(why.starts_with(want), "{selector}: {why}");
        }
    }

    #[tokio::test]
    async fn colons_are_escaped_in_tags_and_quotes_only_when_told() {
        let body = r#"{"tags":[{"key":"url","value":"http://x"},{"key":"a:b"},{"key":"say \"hi\""}]}"#;
        for (options, selector, want) in [
            ("", r#"type(HOST),tag("url:http\://x")"#, Ok(1)),
            ("", r#"type(HOST),tag("url:http://x")"#, Ok(1)),
            ("", r#"type(HOST),tag("a\:b")"#, Ok(1)),
            ("", r#"type(HOST),tag("a:b")"#, Ok(0)),
            ("", r#"type(HOST),tag("say ~"hi~"")"#, Err(400)),
            ("quote-escape=tilde", r#"type(HOST),tag("say ~"hi~"")"#, Ok(1)),
        ] {
            let simulator = environment(options);
            let one = "/api/v2/tags?entitySelector=entityId(HOST-0000000000000001)";
            ask(&simulator, "POST", one, body).await;
            let encoded: String = url::form_urlencoded::byte_serialize(selector.as_bytes()).collect();
            let (status, page) = ask(
                &simulator,
                "GET",
                &format!("/api/v2/entities?entitySelector={encoded}"),
                "",
            )
            .await;
            let got = page["totalCount"].as_u64().ok_or(status);
            assert_eq!(got, want, "{options} {selector}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_selector_is_too_strange_to_be_answered(text in r#"(type|entityId|tag|not|entityName|~|"|\(|\)|,|[A-Z]-?|é|:){0,12}"#) {
            let reader = super::Reader { now: 0, escape: super::QuoteEscape::Tilde };
            let _ = reader.read(&text);
        }
    }
}
