//! The OAuth endpoints of service accounts: a token for client credentials, and its end (RFC 6749 and 7009).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;

use super::super::super::api::Asked;
use super::super::call::Setup;
use super::super::query::Query;
use super::super::refused::{JSON, Refused};
use super::super::switches::{OauthErrors, Switches, TokenLimit};
use super::tokens::{NoToken, Tokens};

/// Where tokens are asked for, whatever stands before it.
const TOKEN: &str = "/api/oauth/token";
/// Where they are given back.
const REVOKE: &str = "/api/oauth/revoke";

/// What is asked of the authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Token,
    Revoke,
}

impl Errand {
    /// What a path leads to, if it leads here at all.
    pub(super) fn of(path: &str) -> Option<Self> {
        let ends = |with: &str| path.ends_with(with);
        match () {
            () if ends(TOKEN) => Some(Self::Token),
            () if ends(REVOKE) => Some(Self::Revoke),
            () => None,
        }
    }
}

/// How many tokens a minute a client may ask for.
pub(super) fn limit(switches: &Switches) -> Option<u64> {
    match switches.token_limit {
        TokenLimit::Ten => Some(10),
        TokenLimit::Fifty => Some(50),
        TokenLimit::None => None,
    }
}

/// Something is wrong, in either form of an error.
struct Wrong {
    status: u16,
    /// The word of RFC 6749.
    error: &'static str,
    description: String,
    /// Seconds to stay away.
    wait: Option<u64>,
}

impl Wrong {
    fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            error,
            description: description.into(),
            wait: None,
        }
    }
}

/// Answers whoever has an errand here; their credentials are looked at first.
pub(super) fn answer(
    errand: Errand,
    asked: &Asked<'_>,
    setup: &Setup,
    tokens: &Tokens,
    now: i64,
) -> Response<Bytes> {
    if asked.method() != Method::POST {
        return Refused::no_method("POST").into_response(&setup.switches);
    }
    let done = match errand {
        Errand::Token => token(asked, setup, tokens, now),
        Errand::Revoke => revoke(asked, setup, tokens),
    };
    done.unwrap_or_else(|wrong| refusal(wrong, asked, setup))
}

fn token(asked: &Asked<'_>, setup: &Setup, tokens: &Tokens, now: i64) -> Result<Response<Bytes>, Wrong> {
    let client = client(asked.headers());
    let name = client.as_ref().map_or("", |(id, _)| id);
    tokens
        .count(name, now)
        .map_err(|why| refused(&why, asked, tokens))?;
    check_client(client.as_ref(), setup)?;
    let form = form(asked)?;
    match form.first("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "Only client_credentials is supported.";
            return Err(Wrong::new(400, "unsupported_grant_type", description));
        }
        None => return Err(Wrong::new(400, "invalid_request", "grant_type is missing.")),
    }
    let token = tokens.issue(now).map_err(|why| refused(&why, asked, tokens))?;
    let body = json!({"access_token": token, "expires_in": tokens.life(), "token_type": "Bearer"});
    let mut answer = Response::new(Bytes::from(body.to_string()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// A token that is not known is given back as well as any other.
fn revoke(asked: &Asked<'_>, setup: &Setup, tokens: &Tokens) -> Result<Response<Bytes>, Wrong> {
    check_client(client(asked.headers()).as_ref(), setup)?;
    let form = form(asked)?;
    let token = form
        .first("token")
        .ok_or_else(|| Wrong::new(400, "invalid_request", "token is missing."))?;
    tokens.revoke(token);
    Ok(Response::new(Bytes::new()))
}

/// Client and secret of a Basic header.
fn client(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let (id, secret) = str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn check_client(client: Option<&(String, String)>, setup: &Setup) -> Result<(), Wrong> {
    let known = client.is_some_and(|(id, secret)| setup.door.knows(id, secret));
    if known || !setup.door.required() {
        return Ok(());
    }
    Err(Wrong::new(401, "invalid_client", "Client authentication failed."))
}

fn form<'a>(asked: &Asked<'a>) -> Result<Query<'a>, Wrong> {
    let media = asked.headers().get(header::CONTENT_TYPE);
    let media = media.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    let body = str::from_utf8(asked.body()).ok();
    body.filter(|_| essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        .map(Query::parse)
        .ok_or_else(|| Wrong::new(400, "invalid_request", "The body must be a form."))
}

fn refused(why: &NoToken, asked: &Asked<'_>, tokens: &Tokens) -> Wrong {
    match why {
        NoToken::TooOften(wait) => {
            let limit = tokens.limit();
            let description = format!(
                "Resource {} is limited to {limit} requests every 1 minutes.",
                asked.path
            );
            Wrong {
                wait: Some(*wait),
                ..Wrong::new(429, "rate_limited", description)
            }
        }
        NoToken::TooMany => Wrong::new(403, "access_denied", "Access Token limit reached."),
    }
}

fn refusal(wrong: Wrong, asked: &Asked<'_>, setup: &Setup) -> Response<Bytes> {
    let Wrong {
        status,
        error,
        description,
        wait,
    } = wrong;
    let refused = match status {
        429 => Refused::rate_limited(asked.path, limit(&setup.switches).unwrap_or_default(), 1),
        _ => Refused::new(status, "UNEXPECTED_ERROR", &*description),
    };
    let refused = match wait {
        Some(seconds) => refused.retry_after(seconds),
        None => refused,
    };
    let mut answer = refused.into_response(&setup.switches);
    if setup.switches.oauth_errors == OauthErrors::Oauth {
        let body = json!({"error": error, "error_description": description});
        *answer.body_mut() = Bytes::from(body.to_string());
        answer.headers_mut().remove("x-error-code");
    }
    if answer.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"MMS Public API\"");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::super::super::testing::{Got, send};
    use super::super::api::Atlas;
    use super::super::testing::{PROJECT, cloud};

    /// `public:private`
    const GOOD: &str = "Basic cHVibGljOnByaXZhdGU=";
    const GRANT: &str = "grant_type=client_credentials";

    async fn post(simulator: &Atlas, path: &str, authorization: &str, body: &str) -> Got {
        let form = "application/x-www-form-urlencoded";
        let headers = [("authorization", authorization), ("content-type", form)];
        send(simulator, "POST", &format!("/api/oauth/{path}"), &headers, body).await
    }

    async fn get(simulator: &Atlas, token: &str) -> Got {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", &*bearer),
            ("accept", "application/vnd.atlas.2023-01-01+json"),
        ];
        send(
            simulator,
            "GET",
            &format!("/api/atlas/v2/groups/{PROJECT}"),
            &headers,
            "",
        )
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_opens_the_api_until_it_expires_or_is_revoked() {
        let simulator = cloud("auth=on&token-life=3s");
        let issue = async || {
            let got = post(&simulator, "token", GOOD, GRANT).await;
            assert_eq!((got.status, got.header("cache-control")), (200, Some("no-store")));
            let body = got.json();
            assert_eq!(
                (&body["expires_in"], &body["token_type"]),
                (&json!(3), &json!("Bearer"))
            );
            body["access_token"].as_str().unwrap().to_owned()
        };
        let token = issue().await;
        assert_eq!(get(&simulator, &token).await.status, 200);
        tokio::time::advance(Duration::from_secs(3)).await;
        let expired = get(&simulator, &token).await;
        assert_eq!(
            (expired.status, expired.error()),
            (401, (401, "UNEXPECTED_ERROR".to_owned()))
        );
        assert!(
            expired
                .header("www-authenticate")
                .unwrap()
                .contains("invalid_token")
        );
        let token = issue().await;
        let revoked = post(
            &simulator,
            "revoke",
            GOOD,
            &format!("token={token}&token_type_hint=access_token"),
        )
        .await;
        assert_eq!((revoked.status, &*revoked.text), (200, ""));
        assert_eq!(get(&simulator, &token).await.status, 401);
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_in_either_form() {
        for (path, authorization, body, status, error) in [
            (
                "token",
                "Basic cHVibGljOnB1YmxpYw==",
                GRANT,
                401,
                "invalid_client",
            ),
            ("token", "", GRANT, 401, "invalid_client"),
            (
                "token",
                GOOD,
                "grant_type=password",
                400,
                "unsupported_grant_type",
            ),
            ("token", GOOD, "", 400, "invalid_request"),
            ("revoke", GOOD, "", 400, "invalid_request"),
            ("revoke", "Basic !", "token=x", 401, "invalid_client"),
        ] {
            let got = post(&cloud("auth=on&oauth-errors=oauth"), path, authorization, body).await;
            assert_eq!(
                (got.status, &got.json()["error"]),
                (status, &json!(error)),
                "{path} {body}"
            );
            assert!(got.json()["error_description"].is_string());
            let got = post(&cloud("auth=on"), path, authorization, body).await;
            assert_eq!(
                (got.status, &got.json()["error"]),
                (status, &json!(status)),
                "{path} {body}"
            );
        }
        let json = send(
            &cloud("auth=on"),
            "POST",
            "/api/oauth/token",
            &[("authorization", GOOD)],
            GRANT,
        )
        .await;
        assert_eq!(json.status, 400, "the media type is no form");
        let get = send(
            &cloud("auth=on"),
            "GET",
            "/api/oauth/token",
            &[("authorization", GOOD)],
            "",
        )
        .await;
        assert_eq!(get.status, 405);
    }

    #[tokio::test(start_paused = true)]
    async fn the_eleventh_request_for_a_token_is_refused_as_recorded() {
        for (options, limit) in [("", 10), ("token-limit=50", 50)] {
            let simulator = cloud(&format!("auth=on&{options}"));
            let mut refused = None;
            for n in 0..=limit {
                let got = post(&simulator, "token", GOOD, GRANT).await;
                assert_eq!(got.status, if n < limit { 200 } else { 429 });
                refused = Some(got);
            }
            let refused = refused.unwrap();
            assert_eq!(
                refused.text,
                format!(
                    r#"{{"detail":"Resource /api/oauth/token is limited to {limit} requests every 1 minutes.","error":429,"errorCode":"RATE_LIMITED","parameters":["/api/oauth/token",{limit},1],"reason":"Too Many Requests"}}"#
                )
            );
            let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
            tokio::time::advance(Duration::from_secs(wait)).await;
            assert_eq!(post(&simulator, "token", GOOD, GRANT).await.status, 200);
        }
    }

    #[tokio::test]
    async fn the_hundred_and_first_token_is_denied() {
        let simulator = cloud("auth=on&token-limit=none&oauth-errors=oauth");
        for _ in 0..100 {
            assert_eq!(post(&simulator, "token", GOOD, GRANT).await.status, 200);
        }
        let got = post(&simulator, "token", GOOD, GRANT).await;
        let want: Value =
            json!({"error": "access_denied", "error_description": "Access Token limit reached."});
        assert_eq!((got.status, got.json()), (403, want));
    }

    #[tokio::test]
    async fn no_token_is_written_down() {
        use super::super::testing::cloud_in;
        let dir = tempfile::tempdir().unwrap();
        let simulator = cloud_in(dir.path(), "auth=on");
        let got = post(&simulator, "token", GOOD, GRANT).await.json();
        get(&simulator, got["access_token"].as_str().unwrap()).await;
        drop(simulator);
        let text = std::fs::read_to_string(dir.path().join("state")).unwrap();
        assert_eq!(text.lines().count(), 3);
        for secret in ["canary", "private", "cHVibGlj", "Bearer"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
