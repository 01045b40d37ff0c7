//! Splits attention ranges into tiles for the kernels of `kernels/attention.cu`.

use std::{cell::OnceCell, collections::BTreeMap, ops::Range, rc::Rc};

use graft_ops::AttentionRange;

use crate::memory::{Buffer, Machine};

/// Query rows and keys of a tile.
const TILE: usize = 64;
/// Approximate number of query rows that a tile of keys processes in one part.
const ROWS_OF_PART: usize = 512;

/// Ranges with at most this many queries are processed row by row over a KV cache.
const SHORT: usize = 8;

/// Attention ranges on the device; tiles are copied to it on first use.
#[derive(Debug)]
pub struct Ranges {
    host: Rc<[AttentionRange]>,
    pub(crate) ranges: Buffer,
    query_tiles: OnceCell<Items>,
    keys: OnceCell<Keys>,
    steps: OnceCell<[Items; 2]>,
}

/// Work items on the device, with their number.
#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) buffer: Buffer,
    pub(crate) count: usize,
}

/// Tiles of keys, for the gradient.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) tiles: Items,
    pub(crate) visits: Buffer,
    pub(crate) folds: Items,
    /// Number of parts that the folds sum.
    pub(crate) part_count: usize,
}

/// Tiles of keys, as the kernels' structures.
#[derive(Debug, Default, PartialEq)]
struct Layout {
    /// `KeyTile`: 5 numbers each.
    key_tiles: Vec<i32>,
    /// `Visit`: 2 numbers each.
    visits: Vec<i32>,
    /// `Fold`: 4 numbers each.
    folds: Vec<i32>,
    parts: usize,
}

impl Ranges {
    pub(crate) fn upload(machine: &Rc<Machine>, host: Rc<[AttentionRange]>) -> Self {
        let ranges = machine.upload(&numbers_of(&host));
        let (query_tiles, keys, steps) = Default::default();
        Self { host, ranges, query_tiles, keys, steps }
    }

    fn items(&self, numbers: &[i32], each: usize) -> Items {
        Items { buffer: self.ranges.machine().upload(numbers), count: numbers.len() / each }
    }

    /// Tiles of queries.
    pub(crate) fn query_tiles(&self) -> &Items {
        self.query_tiles.get_or_init(|| self.items(&tiles_of(&self.host, |_| TILE), 2))
    }

    /// Tiles of keys.
    pub(crate) fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| {
            let layout = Layout::of(&self.host);
            Keys {
                tiles: self.items(&layout.key_tiles, 5),
                visits: self.items(&layout.visits, 2).buffer,
                folds: self.items(&layout.folds, 4),
                part_count: layout.parts,
            }
        })
    }

    /// Single queries of short ranges, and tiles of queries of the others.
    pub(crate) fn steps(&self) -> &[Items; 2] {
        self.steps.get_or_init(|| {
            let is_short = |range: &AttentionRange| range.queries.len() <= SHORT;
            let single = tiles_of(&self.host, |range| if is_short(range) { 1 } else { usize::MAX });
            let tiles = tiles_of(&self.host, |range| if is_short(range) { usize::MAX } else { TILE });
            [self.items(&single, 2), self.items(&tiles, 2)]
        })
    }
}

/// `Range`: 8 numbers each.
fn numbers_of(ranges: &[AttentionRange]) -> Vec<i32> {
    let pair = |range: &Range<usize>| [range.start, range.len()];
    let one = |range: &AttentionRange| {
        let [[q, nq], [p, np], [k, nk]] = [&range.queries, &range.prefix, &range.keys].map(pair);
        [q, nq, p, np, k, nk, usize::from(range.causal), 0].map(|n| n as i32)
    };
    ranges.iter().flat_map(one).collect()
}

/// `QueryTile`: 2 numbers each. A range's queries are split into tiles of `size`; a range with `usize::MAX` gets none.
fn tiles_of(ranges: &[AttentionRange], size: impl Fn(&AttentionRange) -> usize) -> Vec<i32> {
    let mut tiles = Vec::new();
    for (index, range) in ranges.iter().enumerate() {
        let size = size(range);
        let count = if size == usize::MAX { 0 } else { range.queries.len() };
        tiles.extend((0..count).step_by(size).flat_map(|first| [index as i32, first as i32]));
    }
    tiles
}

impl Layout {
    fn of(ranges: &[AttentionRange]) -> Self {
        let mut layout = Self::default();
        for (keys, visits) in pieces(ranges) {
            for start in keys.clone().step_by(TILE) {
                let count = TILE.min(keys.end - start);
                layout.key_tile(ranges, start..start + count, &visits, start - keys.start);
            }
        }
        layout
    }

    /// Adds a tile of keys at `offset` from the start of its visits, split into parts by its amount of work.
    fn key_tile(&mut self, ranges: &[AttentionRange], keys: Range<usize>, visits: &[(usize, usize)], offset: usize) {
        let mut parts: Vec<&[(usize, usize)]> = Vec::new();
        let (mut from, mut rows) = (0, 0);
        for (at, (range, _)) in visits.iter().enumerate() {
            rows += ranges[*range].queries.len();
            if rows >= ROWS_OF_PART || at + 1 == visits.len() {
                parts.push(&visits[from..=at]);
                (from, rows) = (at + 1, 0);
            }
        }
        let single = parts.len() == 1;
        if !single {
            let numbers = [keys.start, keys.len(), self.parts, parts.len()];
            self.folds.extend(numbers.map(|n| n as i32));
        }
        for part in parts {
            let first = self.visits.len() / 2;
            self.visits.extend(part.iter().flat_map(|(range, position)| [*range as i32, (position + offset) as i32]));
            let place = if single { -1 } else { self.parts as i32 };
            self.parts += usize::from(!single);
            self.key_tiles.extend([keys.start as i32, keys.len() as i32, first as i32, part.len() as i32, place]);
        }
    }
}

/// Rows of keys with the ranges that attend to them, each with the first key's position in that range.
type Piece = (Range<usize>, Vec<(usize, usize)>);

/// Runs of keys that the same ranges attend to, with those ranges and the first key's position in each.
fn pieces(ranges: &[AttentionRange]) -> Vec<Piece> {
    /// Some rows of a range's keys: index of the range, rows, and position of the first.
    type Part = (usize, Range<usize>, usize);
    let parts_of = |(index, range): (usize, &AttentionRange)| -> [Part; 2] {
        [(index, range.prefix.clone(), 0), (index, range.keys.clone(), range.prefix.len())]
    };
    let parts: Vec<Part> =
        ranges.iter().enumerate().flat_map(parts_of).filter(|(_, rows, _)| !rows.is_empty()).collect();
    // Between two borders, every part contains all rows or none.
    let mut borders: Vec<usize> = parts.iter().flat_map(|(_, rows, _)| [rows.start, rows.end]).collect();
    borders.sort_unstable();
    borders.dedup();
    let mut runs: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (index, rows, position) in parts {
        let first = borders.partition_point(|border| *border < rows.start);
        for border in borders[first..].iter().take_while(|border| **border < rows.end) {
            runs.entry(*border).or_default().push((index, position + border - rows.start));
        }
    }
    let end = |start: usize| borders[borders.partition_point(|border| *border <= start)];
    runs.into_iter().map(|(start, visits)| (start..end(start), visits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_prefix_is_split_into_parts_and_own_keys_are_not() {
        let range = |queries: Range<usize>, prefix: Range<usize>| AttentionRange {
            keys: queries.clone(),
            queries,
            prefix,
            causal: true,
        };
        let ranges = [range(0..70, 0..0), range(70..470, 0..70), range(470..870, 0..70), range(870..880, 0..70)];
        assert_eq!(numbers_of(&ranges)[8..16], [70, 400, 0, 70, 70, 400, 1, 0]);
        assert_eq!(tiles_of(&ranges, |_| TILE)[..6], [0, 0, 0, 64, 1, 0]);
        let layout = Layout::of(&ranges);
        // All ranges attend to keys 0..64 and 64..70: two parts, the first with at least 512 rows.
        assert_eq!(layout.key_tiles[..20], [0, 64, 0, 3, 0, 0, 64, 3, 1, 1, 64, 6, 4, 3, 2, 64, 6, 7, 1, 3]);
        assert_eq!(layout.visits[..16], [0, 0, 1, 0, 2, 0, 3, 0, 0, 64, 1, 64, 2, 64, 3, 64]);
        assert_eq!(layout.folds, [0, 64, 0, 2, 64, 6, 2, 2]);
        // Only their own range attends to the other keys.
        assert_eq!(layout.key_tiles[20..30], [70, 64, 8, 1, -1, 134, 64, 9, 1, -1]);
    }
}
