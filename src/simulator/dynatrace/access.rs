//! Who may come in: tokens and their scopes.

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::super::opening::OpenError;
use super::super::spec::Access;
use super::envelope::Refused;
use super::query::Query;
use super::route::Scope;

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    required: bool,
    only: Option<SecretString>,
    missing_scopes: Vec<String>,
}

impl Door {
    pub(super) fn of(access: &Access) -> Result<Self, OpenError> {
        let only = match &access.token_env {
            Some(name) => Some(std::env::var(name).map_err(|_| OpenError::NoToken(name.clone()))?),
            None => None,
        };
        Ok(Self {
            required: access.required || only.is_some(),
            only: only.map(SecretString::from),
            missing_scopes: access.missing_scopes.clone(),
        })
    }

    /// Lets a request in, or refuses it with 401.
    pub(super) fn authenticate(&self, headers: &HeaderMap, query: &Query<'_>) -> Result<(), Refused> {
        if !self.required {
            return Ok(());
        }
        let token =
            token(headers, query).ok_or_else(|| Refused::plain(401, "Missing authorization parameter."))?;
        let accepted = match &self.only {
            Some(only) => token == only.expose_secret(),
            None => well_formed(token),
        };
        if accepted {
            Ok(())
        } else {
            Err(Refused::plain(401, "Token Authentication failed."))
        }
    }

    /// Refuses with 403 what needs a scope that the token lacks.
    pub(super) fn authorize(&self, scopes: &[Scope]) -> Result<(), Refused> {
        let lacks = |(name, _): &(&str, _)| self.missing_scopes.iter().any(|missing| missing == name);
        let Some((name, title)) = scopes.iter().map(|scope| scope.words()).find(lacks) else {
            return Ok(());
        };
        let message = format!("Token is missing required scope. Use one of: {name} ({title})");
        Err(Refused::plain(403, message))
    }
}

fn token<'a>(headers: &'a HeaderMap, query: &'a Query<'_>) -> Option<&'a str> {
    let header = headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some(header) = header else {
        return query.first("api-token");
    };
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Api-Token").then_some(token.trim())
}

/// Whether a token looks like `dt0c01.` and its public and secret parts, of 24 and 64 capitals and digits.
fn well_formed(token: &str) -> bool {
    let legal = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    token
        .strip_prefix("dt0c01.")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(public, secret)| legal(public, 24) && legal(secret, 64))
}

/// A request's target as it may be written down: a token in it is masked.
pub(super) fn masked(target: &str) -> std::borrow::Cow<'_, str> {
    let Some((path, query)) = target.split_once('?') else {
        return target.into();
    };
    // The name may be percent-encoded, so it is decoded for the comparison.
    let is_token = |pair: &&str| {
        let mut decoded = url::form_urlencoded::parse(pair.as_bytes());
        decoded
            .next()
            .is_some_and(|(name, _)| name.eq_ignore_ascii_case("api-token"))
    };
    if !query.split('&').any(|pair| is_token(&pair)) {
        return target.into();
    }
    let pairs: Vec<&str> = query
        .split('&')
        .map(|pair| if is_token(&pair) { "api-token=***" } else { pair })
        .collect();
    format!("{path}?{}", pairs.join("&")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> String {
        format!("dt0c01.{}.{}", "A1".repeat(12), "Z9".repeat(32))
    }

    fn door(missing: &[&str]) -> Door {
        let missing_scopes = missing.iter().map(|&scope| scope.to_owned()).collect();
        Door::of(&Access {
            required: true,
            missing_scopes,
            ..Access::default()
        })
        .unwrap()
    }

    fn refused(door: &Door, header: Option<&str>, query: &str, scope: Scope) -> Option<(u16, String)> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("authorization", header.parse().unwrap());
        }
        let refused = door
            .authenticate(&headers, &Query::parse(query))
            .and_then(|()| door.authorize(&[scope]))
            .err()?;
        let answer = refused.into_response();
        Some((
            answer.status().as_u16(),
            String::from_utf8(answer.body().to_vec()).unwrap(),
        ))
    }

    #[test]
    fn only_well_formed_tokens_come_in() {
        let (good, door) = (good(), door(&[]));
        let status = |header: Option<&str>, query: &str| {
            refused(&door, header, query, Scope::Read).map(|(status, _)| status)
        };
        for (header, query, want) in [
            (Some(format!("Api-Token {good}")), String::new(), None),
            (None, format!("api-token={good}"), None),
            (None, String::new(), Some(401)),
            (Some(format!("Bearer {good}")), String::new(), Some(401)),
            (
                Some(format!("Api-Token {}", good.to_lowercase())),
                String::new(),
                Some(401),
            ),
            (Some(format!("Api-Token {good}A")), String::new(), Some(401)),
            (Some(good.clone()), String::new(), Some(401)),
        ] {
            assert_eq!(status(header.as_deref(), &query), want, "{header:?} {query}");
        }
    }

    #[test]
    fn only_the_token_of_the_variable_comes_in_when_one_is_named() {
        // Any variable will do that is there wherever tests run.
        let path = std::env::var("PATH").unwrap();
        let access = Access {
            token_env: Some("PATH".to_owned()),
            ..Access::default()
        };
        let door = Door::of(&access).unwrap();
        let status = |token: &str| {
            let header = format!("Api-Token {token}");
            refused(&door, Some(&header), "", Scope::Read).map(|(status, _)| status)
        };
        assert_eq!(status(&path), None);
        assert_eq!(status(&good()), Some(401));
        assert!(!format!("{door:?}").contains(&path), "the token does not print");
    }

    #[test]
    fn refusals_read_as_recorded() {
        let (_, body) = refused(&door(&[]), None, "", Scope::Read).unwrap();
        assert_eq!(
            body,
            r#"{"error":{"code":401,"message":"Missing authorization parameter."}}"#
        );
        let header = format!("Api-Token {}", good());
        let door = door(&["entities.write"]);
        let (_, body) = refused(&door, Some(&header), "", Scope::Write).unwrap();
        assert_eq!(
            body,
            r#"{"error":{"code":403,"message":"Token is missing required scope. Use one of: entities.write (Write entities)"}}"#
        );
        assert_eq!(refused(&door, Some(&header), "", Scope::Read), None);
    }

    #[test]
    fn a_token_in_a_target_is_masked() {
        for (target, want) in [
            ("/api/v2/tags?key=a", "/api/v2/tags?key=a"),
            (
                "/api/v2/tags?api-token=dt0c01.X&key=a",
                "/api/v2/tags?api-token=***&key=a",
            ),
            (
                "/api/v2/tags?key=a&Api%2DToken=dt0c01.X",
                "/api/v2/tags?key=a&api-token=***",
            ),
        ] {
            assert_eq!(masked(target), want);
        }
    }
}
