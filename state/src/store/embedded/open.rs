//! Opening the embedded store: what to believe.
//!
//! The log is read and checked from end to end. The index is opened as it is if its files have the fingerprint that the
//! head remembers; otherwise, after a crash or damage, it is checked entry by entry. Then:
//!
//! | log | index | what is done |
//! |---|---|---|
//! | good | at the same commit | nothing |
//! | good | behind | the rest of the log is applied to the index |
//! | good | missing or bad | the index is moved aside and made anew from the log |
//! | cut short or bad | at the newest commit there is a trace of | the log is moved aside and made anew from the index |
//! | any, without a head | not at the same commit | [`StoreError::Damaged`]; nothing is changed |
//! | cut short or bad | anything else | [`StoreError::Damaged`]; nothing is changed |
//!
//! Opening an index can change its files. Where it is the only hope, a copy of it is tried first.

use std::{
    cell::Cell,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, RwLock},
};

use super::{EmbeddedStore, HEAD, INDEX, LOG, View, WRITER_LOCK, Writer};
use crate::store::{
    Change, Entry, PAGE, StoreError, StoreWarning,
    head::Head,
    log::{self, Log, Position, Report, Tail, sync_dir},
    paged,
    replay::Replay,
    sled::{self, Checked, Index},
};

/// What is known of a store while it is being opened.
struct Opening<'a> {
    dir: &'a Path,
    /// The head, or what is wrong with it.
    head: Result<Head, &'static str>,
    /// None if there is no log.
    report: Option<Report>,
    warnings: Vec<StoreWarning>,
}

/// An index that can be used, and what it holds.
struct Usable {
    index: Index,
    checked: Checked,
}

/// Why an index cannot be used.
struct Unusable {
    reason: String,
    /// How far it says it has come, if it can say so.
    sequence: Option<u64>,
}

/// What a store needs to work.
struct Parts {
    log: Log,
    view: View,
    position: Position,
    bytes: u64,
}

pub(super) fn open(dir: &Path) -> Result<EmbeddedStore, StoreError> {
    fs::create_dir_all(dir).map_err(StoreError::io("create the directory", dir))?;
    let lock = writer_lock(dir)?;
    let log_path = dir.join(LOG);
    let report = match File::open(&log_path) {
        Ok(file) => Some(log::read(&log_path, &file, &mut |_| Ok(()))?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(StoreError::io("open", log_path)(error)),
    };
    let head = Head::read(&dir.join(HEAD))?;
    Opening { dir, head, report, warnings: Vec::new() }.finish(lock)
}

fn writer_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(WRITER_LOCK);
    let mut options = File::options();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(StoreError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path)(error)),
    }
}

impl Opening<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn finish(mut self, lock: File) -> Result<EmbeddedStore, StoreError> {
        let parts = self.parts()?;
        let head = Head { sequence: parts.position.sequence, bytes: parts.bytes, index: None };
        head.write(&self.path(HEAD))?;
        let Parts { log, view, position, bytes } = parts;
        let writer = Writer { log, position, bytes, unflushed: 0, _lock: lock };
        Ok(EmbeddedStore {
            dir: self.dir.to_owned(),
            view: RwLock::new(Arc::new(view)),
            pending: RwLock::default(),
            writer: Mutex::new(Some(writer)),
            warnings: Mutex::new(self.warnings),
        })
    }

    fn parts(&mut self) -> Result<Parts, StoreError> {
        let newest = self.newest_trace();
        match self.report.clone() {
            None if newest == 0 && !self.path(INDEX).exists() => self.fresh(),
            Some(report) if report.position.sequence >= newest && !report.is_damaged() => {
                if let Err(finding) = self.head {
                    self.compare_without_head(&report, finding)?;
                }
                match self.usable_index(report.position.sequence)? {
                    Some(usable) if usable.checked.position.sequence > report.position.sequence => {
                        self.log_from_index(usable)
                    }
                    usable => self.index_from_log(&report, usable),
                }
            }
            report => self.rescue(report, newest),
        }
    }

    /// A directory without a store gets an empty one.
    fn fresh(&mut self) -> Result<Parts, StoreError> {
        let position = Position::default();
        Head { sequence: 0, bytes: 0, index: None }.write(&self.path(HEAD))?;
        let log = Log::create(&self.path(LOG), position, std::iter::empty())?;
        let view = self.new_index(position, std::iter::empty())?;
        Ok(Parts { log, view, position, bytes: 0 })
    }

    /// The newest commit that the head or the log has a trace of.
    fn newest_trace(&self) -> u64 {
        let of_head = self.head.as_ref().map_or(0, |head| head.sequence);
        let of_log = self.report.as_ref().map_or(0, |report| match report.tail {
            Tail::Damaged { newest, .. } => newest.max(report.position.sequence),
            Tail::Whole | Tail::Torn => report.position.sequence,
        });
        of_head.max(of_log)
    }

    /// A log that was cut short between two frames looks good, and so does an index that lost its end. Without a head to
    /// say how far they went, they have to agree.
    fn compare_without_head(&self, report: &Report, finding: &str) -> Result<(), StoreError> {
        let reason = match self.try_copy_of_index() {
            Ok(checked) if checked.position == report.position => return Ok(()),
            Ok(checked) => {
                let (index, log) = (checked.position.sequence, report.position.sequence);
                format!("it ends at commit {index}, the log at commit {log}")
            }
            Err(reason) => reason,
        };
        Err(damaged(self.dir, vec![finding.to_owned(), format!("the index: {reason}")]))
    }

    /// Opens and checks a copy of the index, so that the index itself stays as it is.
    fn try_copy_of_index(&self) -> Result<Checked, String> {
        let index = self.path(INDEX);
        if !index.exists() {
            return Err("it is missing".to_owned());
        }
        let copy = self.path("index.copy");
        let tried = copy_dir(&index, &copy).map_err(|error| error.to_string()).and_then(|()| {
            let copied = Index::open(&copy)?;
            let checked = copied.check()?;
            copied.close().map(|_| checked)
        });
        // The copy was made to be thrown away.
        let _ = fs::remove_dir_all(&copy);
        tried
    }

    /// Opens the index beside a good log, if it can be believed. One that cannot is moved aside; one that a crash left
    /// behind the log is no damage, and is dropped.
    fn usable_index(&mut self, logged: u64) -> Result<Option<Usable>, StoreError> {
        let path = self.path(INDEX);
        if !path.exists() {
            return Ok(None);
        }
        // Opening changes the files of the index. Whoever is killed while it does must not find them damaged next time.
        if let Ok(Head { sequence, bytes, index: Some(_) }) = self.head {
            Head { sequence, bytes, index: None }.write(&self.path(HEAD))?;
        }
        let Unusable { reason, sequence } = match self.open_index() {
            Ok(usable) => return Ok(Some(usable)),
            Err(unusable) => unusable,
        };
        let crashed = self.head.as_ref().is_ok_and(|head| head.index.is_none());
        // A process that is killed while sled writes leaves files that sled may not read.
        if crashed && sequence.is_none_or(|sequence| sequence <= logged) {
            fs::remove_dir_all(&path).map_err(StoreError::io("remove", path))?;
            return Ok(None);
        }
        let message = format!(
            "The index in {} was damaged ({reason}). It was made anew from the log; all {logged} commits are there.",
            path.display()
        );
        self.set_aside(&path, message)?;
        Ok(None)
    }

    /// Opens the index and makes sure that it is whole: by its fingerprint, or entry by entry.
    fn open_index(&self) -> Result<Usable, Unusable> {
        let unusable = |reason: String| Unusable { reason, sequence: None };
        let path = self.path(INDEX);
        let closed = self.head.as_ref().ok().and_then(|head| Some((head, head.index.as_ref()?)));
        let as_closed = match closed {
            Some((head, fingerprint)) => {
                let now = sled::fingerprint(&path).map_err(|error| unusable(error.to_string()))?;
                (now == *fingerprint).then_some(head)
            }
            None => None,
        };
        let index = Index::open(&path).map_err(unusable)?;
        let position = index.position().map_err(unusable)?;
        if let (Some(head), Some(position)) = (as_closed, position)
            && position.sequence == head.sequence
        {
            return Ok(Usable { index, checked: Checked { position, bytes: head.bytes } });
        }
        // An index without a position was made by a process that ended at once.
        let sequence = Some(position.unwrap_or_default().sequence);
        let checked = index.check().map_err(|reason| Unusable { reason, sequence })?;
        Ok(Usable { index, checked })
    }

    /// The log is good; the index is brought up to it, or made anew.
    fn index_from_log(&mut self, report: &Report, usable: Option<Usable>) -> Result<Parts, StoreError> {
        let path = self.path(LOG);
        let log = Log::open(&path, report)?;
        let position = report.position;
        if let Some(Usable { index, checked }) = usable {
            match self.catch_up(report, &index, checked)? {
                Ok(bytes) => return Ok(Parts { log, view: View::Index(index), position, bytes }),
                Err(reason) => {
                    drop(index);
                    let index = self.path(INDEX);
                    let message = format!(
                        "The index in {} does not fit the log ({reason}). It was made anew from the log.",
                        index.display()
                    );
                    self.set_aside(&index, message)?;
                }
            }
        }
        let (replay, _) = Replay::read(&path)?;
        let bytes = Cell::new(0);
        let entries = paged(&[], |from| replay.page(from, PAGE)).inspect(|entry| {
            if let Ok((key, value)) = entry {
                bytes.set(bytes.get() + (key.len() + value.len()) as u64);
            }
        });
        let view = self.new_index(position, entries)?;
        Ok(Parts { log, view, position, bytes: bytes.get() })
    }

    /// Applies what the log has and the index does not. The inner error says why the index cannot be brought up.
    fn catch_up(
        &self,
        report: &Report,
        index: &Index,
        checked: Checked,
    ) -> Result<Result<u64, String>, StoreError> {
        let from = checked.position.sequence;
        if from == report.position.sequence {
            let same = checked.position.sum == report.position.sum;
            return Ok(if same { Ok(checked.bytes) } else { Err("the same commit differs".to_owned()) });
        }
        if from < report.base {
            return Ok(Err("it ends before the log begins".to_owned()));
        }
        let path = self.path(LOG);
        let file = File::open(&path).map_err(StoreError::io("open", &path))?;
        let mut result = Ok(());
        log::read(&path, &file, &mut |frame| {
            if frame.position.sequence > from && result.is_ok() {
                result = index.apply(&frame.to_changes(), frame.position);
            }
            Ok(())
        })?;
        // The sum of the log's last frame is compared with that of the entries that are there now.
        Ok(result.and_then(|()| index.check()).map(|checked| checked.bytes))
    }

    /// An index with these entries; if sled cannot make one, the log is read instead.
    fn new_index(
        &mut self,
        position: Position,
        entries: impl Iterator<Item = Result<Entry, StoreError>>,
    ) -> Result<View, StoreError> {
        match try_new_index(&self.path(INDEX), position, entries) {
            Ok(index) => Ok(View::Index(index)),
            Err(reason) => {
                self.warnings.push(index_left(self.dir, &reason));
                Ok(View::Replay(Replay::read(&self.path(LOG))?.0))
            }
        }
    }

    /// The index is ahead of what is left of the log.
    fn log_from_index(&mut self, usable: Usable) -> Result<Parts, StoreError> {
        let Usable { index, checked } = usable;
        let path = self.path(LOG);
        let newest = checked.position.sequence;
        // An index that was opened by its fingerprint has not been read yet; it is before anything is moved.
        let Checked { position, bytes } = index.check().map_err(|reason| {
            damaged(
                self.dir,
                vec![cut_short_of(self.report.as_ref(), newest), format!("the index: {reason}")],
            )
        })?;
        let message = format!(
            "The log {} was damaged or cut short. It was made anew from the index; all {newest} commits are there.",
            path.display()
        );
        if path.exists() {
            self.set_aside(&path, message)?;
        } else {
            self.warnings.push(StoreWarning { message, kept: None });
        }
        let dir = self.dir;
        let failed = |reason| damaged(dir, vec![format!("the index: {reason}")]);
        let entries = paged(&[], |from| index.page(from, PAGE).map_err(failed));
        let log = Log::create(&path, position, entries)?;
        Ok(Parts { log, view: View::Index(index), position, bytes })
    }

    /// The log cannot be believed. Tries a copy of the index, and if that has everything, the index.
    fn rescue(&mut self, report: Option<Report>, newest: u64) -> Result<Parts, StoreError> {
        let finding = match &report {
            Some(Report { tail: Tail::Damaged { finding, .. }, .. }) => finding.clone(),
            report => cut_short_of(report.as_ref(), newest),
        };
        let dir = self.dir;
        let refuse = |reason: String| damaged(dir, vec![finding.clone(), format!("the index: {reason}")]);
        if let Err(head) = self.head {
            // Nothing tells how far the index should have come.
            return Err(damaged(dir, vec![finding, head.to_owned()]));
        }
        let checked = self.try_copy_of_index().map_err(refuse)?;
        if checked.position.sequence < newest {
            return Err(refuse(format!(
                "it ends at commit {}, there were {newest}",
                checked.position.sequence
            )));
        }
        let index = Index::open(&self.path(INDEX)).map_err(refuse)?;
        self.log_from_index(Usable { index, checked })
    }

    /// Moves damaged files out of the way, to where nothing is yet.
    fn set_aside(&mut self, path: &Path, message: String) -> Result<(), StoreError> {
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = (0..)
            .map(|n| match n {
                0 => self.dir.join(format!("{name}.damaged-{time}")),
                n => self.dir.join(format!("{name}.damaged-{time}-{n}")),
            })
            .find(|place| !place.exists())
            .expect("there are more numbers than files");
        fs::rename(path, &place).map_err(StoreError::io("move aside", path))?;
        sync_dir(&place)?;
        self.warnings.push(StoreWarning { message, kept: Some(place) });
        Ok(())
    }
}

fn try_new_index(
    path: &Path,
    position: Position,
    entries: impl Iterator<Item = Result<Entry, StoreError>>,
) -> Result<Index, String> {
    let index = Index::open(path)?;
    let put = |(key, value)| Change::Put(key, value);
    index.fill(entries.map(|entry| entry.map(put).map_err(|error| error.to_string())), position)?;
    Ok(index)
}

fn cut_short_of(report: Option<&Report>, newest: u64) -> String {
    match report {
        Some(report) => cut_short(report.position.sequence, newest),
        None => "the log is missing".to_owned(),
    }
}

pub(super) fn cut_short(found: u64, known: u64) -> String {
    format!("the log ends at commit {found}, there were {known}")
}

pub(super) fn damaged(dir: &Path, findings: Vec<String>) -> StoreError {
    let help = format!(
        "nothing was changed, and the objects themselves are not affected. Restore {} from a backup, or move it away \
         and take in a state file",
        dir.display()
    );
    StoreError::Damaged { path: dir.to_owned(), findings, help }
}

pub(super) fn damaged_for_reader(dir: &Path, finding: String) -> StoreError {
    let help =
        "a command that changes state, such as `plumb apply`, mends it if the index is whole".to_owned();
    StoreError::Damaged { path: dir.to_owned(), findings: vec![finding], help }
}

pub(super) fn index_left(dir: &Path, reason: &str) -> StoreWarning {
    let message = format!(
        "The index in {} failed ({reason}). The log has everything and is used instead; the index is made anew when the \
         state is opened again.",
        dir.join(INDEX).display()
    );
    StoreWarning { message, kept: None }
}

pub(super) fn not_rewritten(dir: &Path, error: &StoreError) -> StoreWarning {
    let path = dir.join(LOG);
    StoreWarning { message: format!("The log {} stays long: {error}.", path.display()), kept: None }
}

fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(to);
    let mut left = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = left.pop() {
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let target = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                left.push((entry.path(), target));
            } else {
                fs::copy(entry.path(), target)?;
            }
        }
    }
    Ok(())
}
