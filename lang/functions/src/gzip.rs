//! Compression with gzip.
//!
//! The stream is flushed before it is ended, as the tools do that results are compared with. Short text in which nothing
//! repeats has just one sensible encoding besides that, the fixed code, so for it the bytes are the same as there; they
//! are otherwise those of another compressor, and stand for the same text.

use std::collections::HashSet;

use flate2::{Compress, Compression, FlushCompress, Status};

/// The longest text, in bytes, that is looked through for repetitions.
const LONGEST_LITERAL: usize = 512;
/// The fewest bytes whose repetition is worth a reference.
const SHORTEST_MATCH: usize = 4;

/// The bytes compressed, with a header that names neither time nor system.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    if bytes.len() <= LONGEST_LITERAL && !repeats(bytes) {
        literals(bytes, &mut out);
    } else {
        deflate(bytes, &mut out);
    }
    // An empty last block, then what the text is checked with.
    out.extend([1, 0, 0, 0xff, 0xff]);
    out.extend(crc32fast::hash(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn repeats(bytes: &[u8]) -> bool {
    let mut seen = HashSet::new();
    bytes.windows(SHORTEST_MATCH).any(|window| !seen.insert(window))
}

/// A block of literals in the fixed code and an empty stored block, which fills up the last byte.
fn literals(bytes: &[u8], out: &mut Vec<u8>) {
    let mut bits = Bits { out, buffer: 0, count: 0 };
    if !bytes.is_empty() {
        bits.put(0b010, 3);
        for byte in bytes {
            let byte = u32::from(*byte);
            // Codes are written from their highest bit on.
            if byte < 144 { bits.put_code(0x30 + byte, 8) } else { bits.put_code(0x190 + byte - 144, 9) }
        }
        bits.put_code(0, 7);
    }
    bits.put(0b000, 3);
    bits.fill();
    out.extend([0, 0, 0xff, 0xff]);
}

struct Bits<'a> {
    out: &'a mut Vec<u8>,
    buffer: u32,
    count: u32,
}

impl Bits<'_> {
    fn put(&mut self, value: u32, width: u32) {
        self.buffer |= value << self.count;
        self.count += width;
        while self.count >= 8 {
            self.out.push(self.buffer as u8);
            self.buffer >>= 8;
            self.count -= 8;
        }
    }

    fn put_code(&mut self, code: u32, width: u32) {
        self.put(code.reverse_bits() >> (32 - width), width);
    }

    fn fill(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }
}

fn deflate(bytes: &[u8], out: &mut Vec<u8>) {
    let mut compress = Compress::new(Compression::default(), false);
    loop {
        out.reserve(bytes.len() / 2 + 4096);
        let consumed = usize::try_from(compress.total_in()).unwrap_or(bytes.len()).min(bytes.len());
        let status = compress
            .compress_vec(&bytes[consumed..], out, FlushCompress::Sync)
            .expect("compressing has no errors but those of wrong use");
        // Room that is left over tells that nothing is held back.
        let all_written = compress.total_in() == bytes.len() as u64 && out.len() < out.capacity();
        if all_written || status == Status::StreamEnd {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::gzip;

    #[test]
    fn what_is_compressed_reads_back() {
        let noise: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for bytes in [&b""[..], b"hello", "é日本".as_bytes(), &[b'a'; 100_000], &noise] {
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(gzip(bytes).as_slice()).read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }
}
