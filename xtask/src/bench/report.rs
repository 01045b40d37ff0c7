//! Medians with their spread, and ratios.

/// Numbers of one kind from several rounds.
#[derive(Default)]
pub(super) struct Rounds(Vec<f64>);

impl Rounds {
    pub(super) fn push(&mut self, number: f64) {
        self.0.push(number);
    }

    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Median (least – most).
    pub(super) fn shown(&self) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match self.0.len() {
            0 => "–".to_owned(),
            1 => plain(least),
            _ => format!("{} ({} – {})", plain(self.median()), plain(least), plain(most)),
        }
    }
}

/// Three figures that count.
pub(super) fn plain(number: f64) -> String {
    match number.abs() {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// Whether more or less of something is better.
#[derive(Clone, Copy)]
pub(super) enum Better {
    More,
    Less,
}

/// A table of two sides with the ratio that says how much better ours is.
pub(super) struct Versus {
    peer: &'static str,
    rows: Vec<(String, Better, Rounds, Rounds)>,
}

impl Versus {
    pub(super) fn new(peer: &'static str) -> Self {
        Self { peer, rows: Vec::new() }
    }

    /// Adds one round's numbers to the row of this name.
    pub(super) fn add(&mut self, name: &str, better: Better, ours: f64, theirs: f64) {
        let place = self.rows.iter().position(|row| row.0 == name).unwrap_or_else(|| {
            self.rows.push((name.to_owned(), better, Rounds::default(), Rounds::default()));
            self.rows.len() - 1
        });
        self.rows[place].2.push(ours);
        self.rows[place].3.push(theirs);
    }

    pub(super) fn print(&self) {
        println!("\n| | graft | {} | ratio |\n|---|---|---|---|", self.peer);
        for (name, better, ours, theirs) in &self.rows {
            let ratio = match better {
                Better::More => ours.median() / theirs.median(),
                Better::Less => theirs.median() / ours.median(),
            };
            println!("| {name} | {} | {} | {ratio:.2} |", ours.shown(), theirs.shown());
        }
    }
}
