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
        let middle = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
        (middle(sorted.len().saturating_sub(1) / 2) + middle(sorted.len() / 2)) / 2.0
    }

    /// Ratios of these numbers to others, round by round.
    pub(super) fn over(&self, others: &Self) -> Self {
        Self(self.0.iter().zip(&others.0).map(|(a, b)| a / b).collect())
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
    rows: Vec<Row>,
}

struct Row {
    name: String,
    better: Better,
    ours: Rounds,
    theirs: Rounds,
    /// Our share of the speed that the f32 product alone would allow.
    share: Rounds,
}

impl Versus {
    pub(super) fn new(peer: &'static str) -> Self {
        Self { peer, rows: Vec::new() }
    }

    /// Adds one round's numbers to the row of this name.
    pub(super) fn add(&mut self, name: &str, better: Better, ours: f64, theirs: f64) {
        let row = self.row(name, better);
        row.ours.push(ours);
        row.theirs.push(theirs);
    }

    /// Adds one round's share of the f32 floor to the row of this name.
    pub(super) fn share(&mut self, name: &str, better: Better, share: f64) {
        self.row(name, better).share.push(100.0 * share);
    }

    fn row(&mut self, name: &str, better: Better) -> &mut Row {
        let place = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            let new = || Rounds::default();
            self.rows.push(Row { name: name.to_owned(), better, ours: new(), theirs: new(), share: new() });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    pub(super) fn print(&self) {
        println!("\n| | graft | {} | ratio | graft's share of the f32 floor, % |\n|---|---|---|---|---|", self.peer);
        for Row { name, better, ours, theirs, share } in &self.rows {
            let ratio = match better {
                Better::More => ours.over(theirs),
                Better::Less => theirs.over(ours),
            };
            println!("| {name} | {} | {} | {} | {} |", ours.shown(), theirs.shown(), ratio.shown(), share.shown());
        }
    }
}
