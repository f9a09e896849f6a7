//! What an error of the HTTP client says about the request: did it leave, and may it have had its effect?

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::wire::SendError;

/// Classifies an error of sending, or of reading the answer. URLs are cut from its text, for queries name entities.
pub(super) fn classify(error: reqwest::Error, timeout: Duration) -> SendError {
    let error = error.without_url();
    if error.is_connect() {
        return match causes(&error).into_iter().find_map(tls) {
            Some(tls) => handshake(tls),
            None => SendError::NotSent(format!("can't connect: {}", innermost(&error))),
        };
    }
    if error.is_timeout() {
        return SendError::TimedOut(format!("no answer within {timeout:?}"));
    }
    if error.is_builder() {
        return SendError::Fatal(format!("the request can't be built: {}", innermost(&error)));
    }
    SendError::Broken(format!("the connection broke: {}", innermost(&error)))
}

/// A failed handshake: nothing was sent, and a server that is not trusted stays so.
fn handshake(error: &rustls::Error) -> SendError {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(_) => SendError::Fatal(format!(
            "the server's certificate is not trusted: {error}; check the URL and the clock, or name the authority in `ca_cert`"
        )),
        Tls::InvalidMessage(_) => SendError::Fatal(format!(
            "the server does not speak TLS: {error}; check scheme and port of the URL"
        )),
        Tls::PeerIncompatible(_) | Tls::AlertReceived(_) | Tls::NoApplicationProtocol => SendError::Fatal(
            format!("the server refuses the TLS handshake: {error}; TLS 1.2 or newer is needed"),
        ),
        _ => SendError::NotSent(format!("the TLS handshake failed: {error}")),
    }
}

fn tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref()
}

/// The error and all that caused it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error)).collect()
}

/// What caused an error. `io::Error` hides the error that it wraps from `source`, so it is asked for.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The last cause says what happened; those above it only say that sending failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::script::write;
    use crate::transport::wire_faults::{RawServer, Then};
    use crate::transport::{HttpExec, Options, TimeSpan};
    use crate::wire::Exec as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    use std::io::{Read as _, Write as _};
    use std::path::PathBuf;

    /// For `localhost`, valid from 2020 to 2120, signed by itself; the key guards nothing.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBZTCCAQygAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA10YWdmZXJy
eSB0ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAYMRYwFAYD
VQQDDA10YWdmZXJyeSB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtRs3
aNXXkYgGkmUjhJwNsKSUmSyoXDQzRxmVRfdZ76bXOHNipBGSkB+6+0fa2dYB24W1
7CCgdxPblN7yRiZ+G6NFMEMwFAYDVR0RBA0wC4IJbG9jYWxob3N0MAwGA1UdEwEB
/wQCMAAwHQYDVR0OBBYEFEqOUkhMowXms3aCUBVqZPB929lOMAoGCCqGSM49BAMC
A0cAMEQCIDjlw1ZSamTAUcn30qSQGvf8reJOIhEvmm/pmtO+Y+gpAiBb0bTomlsq
NA/9rhU/DAJz6403zze37mB4UqwMbouQ7g==
-----END CERTIFICATE-----
";
    const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi5io5fY1L86dVtbG
C5JdcwyuIa9MCmJPE4EfyRNLzaKhRANCAAS1Gzdo1deRiAaSZSOEnA2wpJSZLKhc
NDNHGZVF91nvptc4c2KkEZKQH7r7R9rZ1gHbhbXsIKB3E9uU3vJGJn4b
-----END PRIVATE KEY-----
";
    /// Of an authority that has signed nothing.
    const OTHER: &str = "\
-----BEGIN CERTIFICATE-----
MIIBWzCCAQGgAwIBAgIBAjAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFhbm90aGVy
IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHDEa
MBgGA1UEAwwRYW5vdGhlciBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAASYQ6UuQXWq+rdmiyKWobEQANHxc8nKwRY1G1fDGbGYX6LPg18DC+VNw+fX
wNS4H4aKHzhpqspGmtkyyDJbaMl7ozIwMDAPBgNVHRMBAf8EBTADAQH/MB0GA1Ud
DgQWBBS51kLJnxiYsCA7H0muqwJozL9CMTAKBggqhkjOPQQDAgNIADBFAiBmg1n6
4MUMN5bgdj0NKqJkskiwbvL4y1B5i18E/ci+RwIhAKOkOfLBy1OIaL9U010YPnF/
Uawn3yAOeFn1Rc5DzZCZ
-----END CERTIFICATE-----
";

    async fn error_of(url: &str, options: &Options) -> SendError {
        let exec = HttpExec::new(&url.parse().expect(url), options).expect("a client");
        exec.send(write("/?secret=canary")).await.expect_err("no answer")
    }

    /// A TLS server that answers one connection, and its port.
    fn tls_server() -> (u16, std::thread::JoinHandle<()>) {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
        let provider = rustls::crypto::ring::default_provider().into();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(vec![certificate], key)
            })
            .expect("a configuration");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let server = std::thread::spawn(move || {
            let (socket, _) = listener.accept().expect("a client");
            let connection = rustls::ServerConnection::new(config.into()).expect("a connection");
            let mut stream = rustls::StreamOwned::new(connection, socket);
            // Where the handshake fails there is nobody to answer.
            if stream.read(&mut [0; 4096]).is_ok() {
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).expect("the client waits for it");
            }
        });
        (port, server)
    }

    /// Options that trust an authority. Naming one lets these tests run where the system has none.
    fn trusting(authority: &str) -> (tempfile::TempDir, Options) {
        let folder = tempfile::tempdir().expect("a folder");
        let path: PathBuf = folder.path().join("ca.pem");
        std::fs::write(&path, authority).expect("a file");
        let options = Options {
            ca_cert: Some(path),
            ..Options::default()
        };
        (folder, options)
    }

    #[tokio::test]
    async fn a_refused_connection_was_never_sent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let error = error_of(&format!("http://{address}"), &Options::default()).await;
        assert!(matches!(error, SendError::NotSent(_)), "{error:?}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_that_is_cut_off_or_garbled_is_broken() {
        for (bytes, then) in [
            ("", Then::Reset),
            ("", Then::Close),
            ("HTTP/1.1 200 OK\r\ncontent-", Then::Reset),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", Then::Close),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", Then::Reset),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}",
                Then::Close,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{}",
                Then::Close,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}",
                Then::Close,
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
                Then::Close,
            ),
            ("SSH-2.0-OpenSSH_9.9\r\n", Then::Close),
        ] {
            let server = RawServer::new(bytes, then).await;
            let error = error_of(server.url("").as_str(), &Options::default()).await;
            assert!(
                matches!(error, SendError::Broken(_)),
                "{bytes:?} {then:?}: {error:?}"
            );
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_server_that_stalls_or_drips_times_out() {
        for (bytes, then) in [
            ("", Then::Stay),
            ("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", Then::Stay),
            ("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", Then::Drip),
            ("HTTP/1.1 200 OK\r\nx-slow: ", Then::Drip),
        ] {
            let server = RawServer::new(bytes, then).await;
            let options = Options {
                timeout: "200ms".parse::<TimeSpan>().expect("a time"),
                ..Options::default()
            };
            let begun = std::time::Instant::now();
            let error = error_of(server.url("").as_str(), &options).await;
            assert!(
                matches!(error, SendError::TimedOut(_)),
                "{bytes:?} {then:?}: {error:?}"
            );
            assert!(
                begun.elapsed() >= Duration::from_millis(190),
                "{:?}",
                begun.elapsed()
            );
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    }

    #[tokio::test]
    async fn a_certificate_of_an_unknown_authority_or_another_name_is_fatal() {
        for (host, authority) in [("localhost", OTHER), ("127.0.0.1", CERTIFICATE)] {
            let (_folder, options) = trusting(authority);
            let (port, server) = tls_server();
            let error = error_of(&format!("https://{host}:{port}"), &options).await;
            server.join().expect("the server does not panic");
            assert!(matches!(error, SendError::Fatal(_)), "{host}: {error:?}");
            assert!(error.to_string().contains("not trusted"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_certificate_of_an_authority_that_the_job_names_is_trusted() {
        let (_folder, trusting) = trusting(CERTIFICATE);
        let (port, server) = tls_server();
        let url = format!("https://localhost:{port}").parse().expect("a URL");
        let exec = HttpExec::new(&url, &trusting).expect("a client");
        let answer = exec.send(write("/")).await.expect("an answer");
        server.join().expect("the server does not panic");
        assert_eq!(answer.status, 204);
    }

    #[tokio::test]
    async fn plain_http_behind_an_https_url_is_fatal_and_never_tried_without_tls() {
        let (_folder, trusting) = trusting(CERTIFICATE);
        // It answers with HTTP to whatever comes.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let url = format!("https://localhost:{port}");
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
                .await
                .expect("the client listens");
            stream
        };
        let (error, _stream) = tokio::join!(error_of(&url, &trusting), serve);
        assert!(
            matches!(&error, SendError::Fatal(why) if why.contains("does not speak TLS")),
            "{error:?}"
        );
    }
}
