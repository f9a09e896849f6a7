//! From bytes to text: the digest of a file, gzip, byte order mark, encoding, and the lines to leave out.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encoding_rs::{Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;

use super::position::{Position, is_break};
use super::transcoder::Transcoder;

/// Bytes read at a time.
pub(super) const CHUNK: usize = 64 * 1024;

/// How much of a text is looked at to detect format and delimiter, in bytes.
const SAMPLE: u64 = 64 * 1024;

/// The longest row, in bytes. A row is the only thing that is held as a whole, so this bounds the memory; a row of this
/// size is a quote or a bracket that was never closed.
const RECORD_LIMIT: usize = 64 * 1024 * 1024;

type Stream = Box<dyn BufRead + Send>;

/// A text that is ready to be read: UTF-8 without a byte order mark, though bytes that are not UTF-8 may be in it.
pub(super) struct Text {
    /// The text from `position` on.
    pub reader: Stream,
    /// The beginning of `reader`'s text.
    pub sample: Vec<u8>,
    /// Whether the sample is all there is.
    pub whole: bool,
    /// Where `reader` stands.
    pub position: Position,
    /// What it was decoded from.
    pub encoding: &'static str,
    /// Whether it was compressed.
    pub gzip: bool,
    /// The longest row, in bytes.
    pub limit: usize,
}

/// The digest of the bytes that were read so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Digest(Arc<Mutex<blake3::Hasher>>);

impl Digest {
    /// The digest as lower-case hexadecimal digits, as `b3sum` prints it.
    pub(super) fn hex(&self) -> String {
        self.lock().finalize().to_hex().to_string()
    }

    fn lock(&self) -> MutexGuard<'_, blake3::Hasher> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a text could not be opened, and how far it was read.
#[derive(Debug)]
pub(super) struct SourceError {
    /// The line that was reached.
    pub line: u64,
    /// What went wrong.
    pub error: io::Error,
}

/// How bytes are to be taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// The encoding that the user named.
    pub encoding: Option<&'static Encoding>,
    /// Whether the file's name says that it is gzip.
    pub gzip: bool,
    /// Lines to leave out.
    pub skip_lines: u64,
}

/// Makes a text of a file's bytes, and notes them in the digest as they are read.
pub(super) fn text(
    bytes: Box<dyn Read + Send>,
    reading: Reading,
    digest: &Digest,
) -> Result<Text, SourceError> {
    let mut position = Position::START;
    let mut sample = Vec::new();
    let noted = Noted {
        inner: bytes,
        digest: digest.clone(),
    };
    let opened = unzip(buffered(noted), reading.gzip)
        .and_then(|(bytes, gzip)| Ok((decode(bytes, reading.encoding)?, gzip)))
        .and_then(|((mut reader, encoding), gzip)| {
            skip(&mut reader, reading.skip_lines, &mut position)?;
            reader.by_ref().take(SAMPLE).read_to_end(&mut sample)?;
            Ok((reader, encoding, gzip))
        });
    match opened {
        Ok((reader, encoding, gzip)) => Ok(Text {
            reader: Box::new(Cursor::new(sample.clone()).chain(reader)),
            whole: (sample.len() as u64) < SAMPLE,
            sample,
            position,
            encoding: encoding.name(),
            gzip,
            limit: RECORD_LIMIT,
        }),
        Err(error) => {
            position.advance(&sample);
            Err(SourceError {
                line: position.line,
                error,
            })
        }
    }
}

/// What to say of bytes that are not text in the encoding that they were read as.
pub(super) fn not_text(place: &str, encoding: &str) -> String {
    let advice = if encoding == "UTF-8" {
        "if the file is in another encoding, name it, such as `encoding = \"windows-1252\"`"
    } else {
        "check the name of the encoding"
    };
    format!("{place} is not legal {encoding}; {advice}")
}

/// Decompresses when the name or the first bytes say gzip (RFC 1952, 2.3.1). Several members are read as one.
fn unzip(bytes: Stream, named: bool) -> io::Result<(Stream, bool)> {
    let (start, bytes) = peek(bytes)?;
    if named || start.starts_with(&[0x1F, 0x8B]) {
        Ok((buffered(Unzipped(MultiGzDecoder::new(bytes))), true))
    } else {
        Ok((bytes, false))
    }
}

/// Takes off a byte order mark and decodes what is not UTF-8. The mark wins over the name, as in the Encoding Standard.
fn decode(bytes: Stream, named: Option<&'static Encoding>) -> io::Result<(Stream, &'static Encoding)> {
    let (start, mut bytes) = peek(bytes)?;
    if start == [0xFF, 0xFE, 0, 0] || start == [0, 0, 0xFE, 0xFF] {
        let reason = "it is UTF-32, which no encoding label names; save it as UTF-8";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    let (encoding, mark) = Encoding::for_bom(&start).unwrap_or((named.unwrap_or(UTF_8), 0));
    bytes.consume(mark);
    if encoding == UTF_8 {
        Ok((bytes, encoding))
    } else {
        Ok((buffered(Transcoder::new(bytes, encoding)), encoding))
    }
}

/// The first four bytes, or fewer where there are no more, and a stream that begins with them.
fn peek(mut bytes: Stream) -> io::Result<(Vec<u8>, Stream)> {
    let mut start = Vec::new();
    bytes.by_ref().take(4).read_to_end(&mut start)?;
    Ok((start.clone(), Box::new(Cursor::new(start).chain(bytes))))
}

fn buffered(bytes: impl Read + Send + 'static) -> Stream {
    Box::new(BufReader::with_capacity(CHUNK, bytes))
}

/// Reads past some lines.
fn skip(reader: &mut Stream, lines: u64, position: &mut Position) -> io::Result<()> {
    while position.line <= lines {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        let n_bytes = bytes
            .iter()
            .position(|byte| is_break(*byte))
            .map_or(bytes.len(), |end| end + 1);
        position.advance(&bytes[..n_bytes]);
        reader.consume(n_bytes);
    }
    Ok(())
}

/// Hands bytes on and notes them in the digest.
struct Noted {
    inner: Box<dyn Read + Send>,
    digest: Digest,
}

impl Read for Noted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = loop {
            match self.inner.read(buffer) {
                // A signal in the middle of a read from a pipe; `csv` would take it for the end.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.digest.lock().update(&buffer[..n_bytes]);
        Ok(n_bytes)
    }
}

/// Says of a decompression error that it is one.
struct Unzipped<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Unzipped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        self.0.read(buffer).map_err(|error| match error.kind() {
            UnexpectedEof => io::Error::new(UnexpectedEof, "the gzip data is cut off"),
            InvalidData | InvalidInput => {
                io::Error::new(InvalidData, format!("the gzip data is damaged ({error})"))
            }
            _ => error,
        })
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            encoding,
            gzip,
            ..
        } = self;
        f.debug_struct("Text")
            .field("position", position)
            .field("encoding", encoding)
            .field("gzip", gzip)
            .finish_non_exhaustive()
    }
}
