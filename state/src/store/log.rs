//! The redo log: every commit, in order, in an append-only file with checksums.
//!
//! A file begins with a header of [`HEADER`] bytes: magic, format, the sequence number it starts from, how many frames
//! hold the entries there were at that point, checksum. Frames follow, each with a header of [`FRAME`] bytes: marker,
//! length of the payload, sequence number, the sum of all entries after it ([`Sum`]), checksum of the payload, checksum
//! of the header. The payload is a batch: for each change a byte for its kind, the lengths of key and value, key and
//! value. Numbers are little-endian.
//!
//! A commit is a single write followed by a single flush of data. So when a process is killed, the file ends with a
//! *prefix* of a frame; when the machine stops, the last frame may have whole blocks of zeros instead. Both are a *torn*
//! end: nobody was told that the commit was durable, and it is cut off. Anything else that does not check is *damage*,
//! in the last frame too, and the log alone must not decide what to do about it.
//!
//! Invariant: sequence numbers go up by one. The file never shrinks except at a torn end or after a write that failed;
//! it is replaced as a whole, by rename, when it holds much that is out of date.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{Change, StoreError};
use crate::digest::Digest;

/// The length of the file's header, in bytes.
pub(super) const HEADER: u64 = 32;
/// The length of a frame's header, in bytes.
const FRAME: usize = 40;
const MAGIC: &[u8; 8] = b"PLUMBLOG";
const FORMAT: u32 = 1;
const MARKER: [u8; 4] = [0xA7, b'P', b'L', b'F'];
/// The largest payload, in bytes.
const LIMIT: usize = 1 << 30;
/// A disk writes whole blocks of this many bytes; blocks that never arrived read as zeros.
const BLOCK: u64 = 512;
/// How many zeros at the end of a file count as a block that never arrived.
const BLOCK_END: usize = 16;
/// The size of the frames that hold the entries a file starts from, in bytes.
const CHUNK: usize = 1 << 20;

/// The sum of the hashes of all entries, modulo 2^128: tells whether two sets of entries are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sum(u128);

impl Sum {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_add(hash(key, value));
    }

    pub(super) fn subtract(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_sub(hash(key, value));
    }
}

fn hash(key: &[u8], value: &[u8]) -> u128 {
    let Digest(bytes) = Digest::of_entry(key, value);
    u128::from_le_bytes(*bytes.first_chunk().expect("a digest is longer than sixteen bytes"))
}

/// A point in the sequence of commits, and what there is then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Position {
    /// The number of the commit; zero before the first.
    pub sequence: u64,
    /// The sum of all entries after it.
    pub sum: Sum,
}

impl Position {
    pub(super) fn encode(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sum.0.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (sequence, sum) = bytes.split_at_checked(8)?;
        Some(Self {
            sequence: u64::from_le_bytes(sequence.try_into().ok()?),
            sum: Sum(u128::from_le_bytes(sum.try_into().ok()?)),
        })
    }
}

/// How a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// With a whole frame.
    Whole,
    /// In the middle of a frame that nobody was told is durable.
    Torn,
    /// Something does not check.
    Damaged {
        /// What, as a sentence without an end.
        finding: String,
        /// The newest commit that there are traces of.
        newest: u64,
    },
}

/// What reading a log found.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// The sequence number that the file starts from.
    pub base: u64,
    /// The last commit that checks, all before it included.
    pub position: Position,
    /// Where its frame ends.
    pub end: u64,
    /// What comes after.
    pub tail: Tail,
}

impl Report {
    pub(super) fn is_damaged(&self) -> bool {
        matches!(self.tail, Tail::Damaged { .. })
    }
}

/// A change found in a log: the key, and where its value is in the file, or none if it is deleted.
pub(super) struct Logged<'a> {
    pub key: &'a [u8],
    pub value: Option<(u64, &'a [u8])>,
}

/// A whole frame that checks.
pub(super) struct Frame<'a> {
    pub position: Position,
    payload: &'a [u8],
    /// Where the payload begins in the file.
    offset: u64,
}

impl<'a> Frame<'a> {
    /// The changes in order; none where the payload does not follow the format, which checksums rule out.
    pub(super) fn changes(&self) -> impl Iterator<Item = Logged<'a>> + use<'a> {
        let (mut rest, end) = (self.payload, self.offset + self.payload.len() as u64);
        std::iter::from_fn(move || {
            let (&kind, after) = rest.split_first()?;
            let (key_length, after) = take_length(after)?;
            let (value_length, after) = take_length(after)?;
            let (key, after) = after.split_at_checked(key_length)?;
            let at = end - after.len() as u64;
            let (value, after) = after.split_at_checked(value_length)?;
            rest = after;
            Some(Logged { key, value: (kind == 1).then_some((at, value)) })
        })
    }

    /// The changes in order, as a batch has them.
    pub(super) fn to_changes(&self) -> Vec<Change> {
        let change = |logged: Logged<'_>| match logged.value {
            Some((_, value)) => Change::Put(logged.key.to_vec(), value.to_vec()),
            None => Change::Delete(logged.key.to_vec()),
        };
        self.changes().map(change).collect()
    }
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, rest))
}

/// A frame's header, checked.
#[derive(Clone, Copy)]
struct FrameHeader {
    length: u32,
    position: Position,
    checksum: u32,
}

impl FrameHeader {
    fn encode(self) -> [u8; FRAME] {
        let mut bytes = [0; FRAME];
        bytes[..4].copy_from_slice(&MARKER);
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..32].copy_from_slice(&self.position.encode());
        bytes[32..36].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..36]);
        bytes[36..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; FRAME] = bytes.first_chunk()?;
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if bytes[..4] != MARKER || crc32fast::hash(&bytes[..36]) != number(36) {
            return None;
        }
        Some(Self { length: number(4), position: Position::decode(&bytes[8..32])?, checksum: number(32) })
    }
}

fn encode_header(base: u64, frames: u64) -> [u8; HEADER as usize] {
    let mut bytes = [0; HEADER as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..20].copy_from_slice(&base.to_le_bytes());
    bytes[20..28].copy_from_slice(&frames.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The base and the number of frames that hold its entries.
fn decode_header(bytes: &[u8], path: &Path) -> Result<Option<(u64, u64)>, StoreError> {
    let (Some(magic), Some(checksum)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<4>()) else {
        return Ok(None);
    };
    let checks = magic == MAGIC && crc32fast::hash(&bytes[..28]) == u32::from_le_bytes(*checksum);
    let number = |at: usize| bytes[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let format = bytes[8..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    match format {
        Some(found) if checks && found > FORMAT => {
            Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT })
        }
        Some(FORMAT) if checks => Ok(number(12).zip(number(20))),
        _ => Ok(None),
    }
}

/// Reads a log from its beginning, shows each frame that checks to `visit`, and says how the file ends.
///
/// # Errors
/// The file cannot be read, or has a newer format. What does not check is in the report.
pub(super) fn read(
    path: &Path,
    file: &File,
    visit: &mut dyn FnMut(&Frame<'_>) -> Result<(), StoreError>,
) -> Result<Report, StoreError> {
    let failed = |error| StoreError::io("read", path)(error);
    let length = file.metadata().map_err(failed)?.len();
    let mut reader = BufReader::with_capacity(256 << 10, file);
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut header = Vec::new();
    reader.by_ref().take(HEADER).read_to_end(&mut header).map_err(failed)?;
    let mut report = Report { base: 0, position: Position::default(), end: HEADER, tail: Tail::Whole };
    let damaged = |finding: String, newest| Tail::Damaged { finding, newest };
    let header = if header.len() == HEADER as usize { decode_header(&header, path)? } else { None };
    let Some((base, frames)) = header else {
        report.tail =
            damaged("the header of the log does not check".to_owned(), newest(file, 0).map_err(failed)?);
        return Ok(report);
    };
    report.base = base;
    report.position.sequence = base;
    let mut payload = Vec::new();
    let mut number = 0;
    while report.end < length || number < frames {
        match next(&mut reader, length - report.end, &mut payload).map_err(failed)? {
            Next::Frame(header) => {
                let wanted = if number < frames { base } else { report.position.sequence + 1 };
                if header.position.sequence != wanted {
                    let found = header.position.sequence;
                    let finding = format!("the log has commit {found} where commit {wanted} should be");
                    report.tail = damaged(finding, newest(file, report.end).map_err(failed)?);
                    break;
                }
                let offset = report.end + FRAME as u64;
                visit(&Frame { position: header.position, payload: &payload, offset })?;
                report.position = header.position;
                report.end = offset + u64::from(header.length);
                number += 1;
            }
            Next::Short if number >= frames => {
                report.tail = Tail::Torn;
                break;
            }
            Next::Bad if number >= frames && lost_block(file, report.end, length).map_err(failed)? => {
                report.tail = Tail::Torn;
                break;
            }
            Next::Short | Next::Bad => {
                let newest = newest(file, report.end).map_err(failed)?.max(report.position.sequence + 1);
                let after = report.position.sequence;
                report.tail = damaged(format!("the log does not check after commit {after}"), newest);
                break;
            }
        }
    }
    Ok(report)
}

enum Next {
    Frame(FrameHeader),
    /// The file ends before the frame does.
    Short,
    /// A checksum is wrong.
    Bad,
}

fn next(reader: &mut impl Read, left: u64, payload: &mut Vec<u8>) -> io::Result<Next> {
    if left < FRAME as u64 {
        return Ok(Next::Short);
    }
    let mut header = [0; FRAME];
    reader.read_exact(&mut header)?;
    let Some(header) = FrameHeader::decode(&header) else { return Ok(Next::Bad) };
    if u64::from(header.length) > left - FRAME as u64 {
        return Ok(Next::Short);
    }
    payload.clear();
    reader.take(u64::from(header.length)).read_to_end(payload)?;
    let checks = crc32fast::hash(payload) == header.checksum;
    Ok(if checks { Next::Frame(header) } else { Next::Bad })
}

/// Whether the file has, from `from` on, a whole block of zeros and no frame header after it: what a machine that stops
/// leaves of its last write.
fn lost_block(file: &File, from: u64, length: u64) -> io::Result<bool> {
    if newest_with(file, from + 1)?.is_some() {
        return Ok(false);
    }
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(from))?;
    let first = from.next_multiple_of(BLOCK);
    let mut rest = Vec::new();
    reader.take((length - from).min(LIMIT as u64)).read_to_end(&mut rest)?;
    if rest.iter().all(|byte| *byte == 0) {
        return Ok(true);
    }
    let aligned = rest.get((first - from) as usize..).unwrap_or_default();
    // A short piece of zeros at the end may just as well be data.
    let lost = |block: &[u8]| block.len() >= BLOCK_END && block.iter().all(|byte| *byte == 0);
    Ok(aligned.chunks(BLOCK as usize).any(lost))
}

/// The newest commit that a frame header from `from` on names; zero if there is none.
fn newest(file: &File, from: u64) -> io::Result<u64> {
    Ok(newest_with(file, from)?.unwrap_or(0))
}

fn newest_with(file: &File, from: u64) -> io::Result<Option<u64>> {
    let mut reader = file;
    reader.seek(SeekFrom::Start(from))?;
    let mut window = Vec::new();
    let mut newest = None;
    loop {
        let before = window.len();
        reader.take(CHUNK as u64).read_to_end(&mut window)?;
        let last = window.len() == before;
        for (at, _) in window.windows(MARKER.len()).enumerate().filter(|(_, bytes)| *bytes == MARKER) {
            if let Some(header) = FrameHeader::decode(&window[at..]) {
                newest = newest.max(Some(header.position.sequence));
            }
        }
        if last {
            return Ok(newest);
        }
        // A header may lie across the border of two chunks.
        window.drain(..window.len().saturating_sub(FRAME - 1));
    }
}

/// A log that can be appended to.
pub(super) struct Log {
    file: File,
    path: PathBuf,
    end: u64,
    stopped: bool,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens the log after it was read, and cuts off a torn end.
    pub(super) fn open(path: &Path, report: &Report) -> Result<Self, StoreError> {
        let file = File::options().read(true).write(true).open(path).map_err(StoreError::io("open", path))?;
        if report.tail != Tail::Whole {
            file.set_len(report.end).map_err(StoreError::io("cut the torn end of", path))?;
            file.sync_data().map_err(StoreError::io("flush", path))?;
        }
        Ok(Self { file, path: path.to_owned(), end: report.end, stopped: false, buffer: Vec::new() })
    }

    /// Writes a new log that starts from entries at a position, and puts it in place of whatever is there.
    pub(super) fn create(
        path: &Path,
        position: Position,
        entries: impl Iterator<Item = Result<super::Entry, StoreError>>,
    ) -> Result<Self, StoreError> {
        let fresh = path.with_extension("log.new");
        match Self::write_new(&fresh, path, position, entries) {
            Ok(log) => Ok(log),
            Err(error) => {
                // What was half written must not fill the disk.
                let _ = fs::remove_file(&fresh);
                Err(error)
            }
        }
    }

    fn write_new(
        fresh: &Path,
        path: &Path,
        position: Position,
        entries: impl Iterator<Item = Result<super::Entry, StoreError>>,
    ) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("write", fresh)(error);
        let mut options = File::options();
        let file = options.create(true).truncate(true).read(true).write(true).open(fresh).map_err(failed)?;
        let mut log = Self { file, path: path.to_owned(), end: HEADER, stopped: false, buffer: Vec::new() };
        log.file.write_all(&[0; HEADER as usize]).map_err(failed)?;
        let mut sum = Sum::default();
        let mut frames = 0;
        let mut chunk = Vec::new();
        let mut bytes = 0;
        for entry in entries {
            let (key, value) = entry?;
            sum.add(&key, &value);
            bytes += key.len() + value.len();
            chunk.push(Change::Put(key, value));
            if bytes >= CHUNK {
                log.write_frame(position, &chunk).map_err(failed)?;
                frames += 1;
                bytes = 0;
                chunk.clear();
            }
        }
        if !chunk.is_empty() {
            log.write_frame(position, &chunk).map_err(failed)?;
            frames += 1;
        }
        if sum != position.sum {
            return Err(StoreError::Damaged {
                path: path.parent().unwrap_or(path).to_owned(),
                findings: vec!["the entries are not those that the log was written for".to_owned()],
                help: "the log was left as it is; close the store and open it again to have it checked"
                    .to_owned(),
            });
        }
        log.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        log.file.write_all(&encode_header(position.sequence, frames)).map_err(failed)?;
        log.file.sync_all().map_err(failed)?;
        fs::rename(fresh, path).map_err(StoreError::io("rename the new log to", path))?;
        sync_dir(path)?;
        Ok(log)
    }

    /// The length of the file, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.end
    }

    /// Appends a commit and waits until it is on stable storage.
    ///
    /// # Errors
    /// The file is as it was; if even that cannot be made sure, nothing more is written to it.
    pub(super) fn append(&mut self, position: Position, changes: &[Change]) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped { path: self.path.clone() });
        }
        let bytes = changes.iter().map(encoded_length).sum();
        if bytes > LIMIT {
            return Err(StoreError::TooLarge { bytes, limit: LIMIT });
        }
        let start = self.end;
        if let Err(error) = self.write_frame(position, changes) {
            self.end = start;
            self.stopped = self.file.set_len(start).is_err();
            return Err(StoreError::io("write to", &self.path)(error));
        }
        if let Err(error) = self.file.sync_data() {
            // After a flush that failed nobody knows what is on disk.
            self.stopped = true;
            let _ = self.file.set_len(start);
            return Err(StoreError::io("flush", &self.path)(error));
        }
        Ok(())
    }

    fn write_frame(&mut self, position: Position, changes: &[Change]) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.resize(FRAME, 0);
        for change in changes {
            encode(change, &mut self.buffer);
        }
        let payload = &self.buffer[FRAME..];
        let length = u32::try_from(payload.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let header = FrameHeader { length, position, checksum: crc32fast::hash(payload) };
        self.buffer[..FRAME].copy_from_slice(&header.encode());
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&self.buffer)?;
        self.end += self.buffer.len() as u64;
        // One large batch must not hold its memory for ever.
        self.buffer.shrink_to(CHUNK);
        Ok(())
    }
}

fn encoded_length(change: &Change) -> usize {
    match change {
        Change::Put(key, value) => 9 + key.len() + value.len(),
        Change::Delete(key) => 9 + key.len(),
    }
}

fn encode(change: &Change, out: &mut Vec<u8>) {
    let (kind, key, value) = match change {
        Change::Put(key, value) => (1, key, &value[..]),
        Change::Delete(key) => (0, key, &[][..]),
    };
    out.push(kind);
    // A batch is at most LIMIT bytes long, so its parts fit as well.
    out.extend_from_slice(&(key.len() as u32).to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(value);
}

/// Makes names in the directory of a file durable.
pub(super) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::io("flush the directory", dir))?;
    }
    Ok(())
}
