//! Text of another encoding as UTF-8, in a stream, without hiding what can't be decoded.

use std::fmt;
use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Stands in the decoded text for each malformed sequence. No UTF-8 text holds this byte, so the row around it is seen
/// to be bad, where U+FFFD could as well have been written by the user.
const MALFORMED: u8 = 0xFF;

/// Bytes decoded at a time.
const CHUNK: usize = 64 * 1024;

/// Reads UTF-8 from a source in another encoding.
pub(super) struct Transcoder<R> {
    inner: R,
    decoder: Decoder,
    decoded: Vec<u8>,
    start: usize,
    end: usize,
    finished: bool,
}

impl<R: BufRead> Transcoder<R> {
    /// Decodes a source whose byte order mark was taken off before.
    pub(super) fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            decoded: vec![0; CHUNK],
            start: 0,
            end: 0,
            finished: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let encoded = self.inner.fill_buf()?;
        let last = encoded.is_empty();
        // The last byte is kept free for the mark.
        let space = CHUNK - 1;
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(encoded, &mut self.decoded[..space], last);
        self.inner.consume(read);
        self.start = 0;
        self.end = written;
        match result {
            DecoderResult::InputEmpty => self.finished = last,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                self.decoded[written] = MALFORMED;
                self.end += 1;
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.start == self.end && !self.finished {
            self.refill()?;
        }
        let n_bytes = buffer.len().min(self.end - self.start);
        buffer[..n_bytes].copy_from_slice(&self.decoded[self.start..self.start + n_bytes]);
        self.start += n_bytes;
        Ok(n_bytes)
    }
}

impl<R> fmt::Debug for Transcoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transcoder({})", self.decoder.encoding().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_1252};
    use std::io::BufReader;

    fn decode(encoding: &'static Encoding, bytes: &[u8]) -> Vec<u8> {
        // One byte at a time, so that sequences are cut everywhere.
        let mut text = Vec::new();
        Transcoder::new(BufReader::with_capacity(1, bytes), encoding)
            .read_to_end(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn encodings_become_utf_8() {
        for (encoding, bytes, text) in [
            (WINDOWS_1252, &b"caf\xe9 \x80"[..], "café €"),
            (SHIFT_JIS, b"\x93\xfa\x96\x7b", "日本"),
            (UTF_16LE, b"a\0\n\0\xe9\0\x3d\xd8\x00\xde", "a\né😀"),
            (UTF_16BE, b"\0a\0\n", "a\n"),
        ] {
            assert_eq!(decode(encoding, bytes), text.as_bytes(), "{}", encoding.name());
        }
    }

    #[test]
    fn a_malformed_sequence_leaves_a_mark_that_is_not_utf_8() {
        for (encoding, bytes, text) in [
            (SHIFT_JIS, &b"a\x93\nb"[..], &b"a\xff\nb"[..]),
            (UTF_16LE, b"a\0\x00\xd8b\0", b"a\xffb"),
            (UTF_16LE, b"a\0b", b"a\xff"),
        ] {
            assert_eq!(decode(encoding, bytes), text, "{}", encoding.name());
        }
    }

    #[test]
    fn a_text_longer_than_the_chunk_is_whole() {
        let text = "é".repeat(CHUNK);
        let (bytes, _, _) = WINDOWS_1252.encode(&text);
        let mut decoded = String::new();
        Transcoder::new(&bytes[..], WINDOWS_1252)
            .read_to_string(&mut decoded)
            .unwrap();
        assert!(decoded == text);
    }
}
