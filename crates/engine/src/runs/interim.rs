//! Scores of an adapter during its training: it answers held-out examples, and the answers are scored, as in an evaluation.

use std::{
    sync::{Arc, mpsc},
    time::Instant,
};

use graft_contestants::Parser;
use graft_core::{AdapterSpec, Digest, InterimScores, TaskCard, json};
use graft_nn::{Adapter, Generator, Model};
use graft_predict::{Batcher, Completion, LabelBias, Limits, Template, Update, Vocabulary};
use graft_tasks::{cards::Task, pounds::Tables};
use graft_train::{Row, RunDir, Scorer, ScorerOrder, ScoringError, label_bias};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Result, Serving,
    evaluations::score_pairs,
    serving::{self, with_rules},
};

/// So many examples are answered whatever that costs: fewer say nothing.
const LEAST: usize = 16;
/// Work of a prompt's token, relative to one of a forward pass in training, which is in bf16 where the CPU has it. Measured on
/// two cores with AVX512-BF16, as the next one.
const PROMPT_WORK: usize = 2;
/// Work of an answer's token: each is a step of the model of its own.
const TOKEN_WORK: usize = 8;

/// What a trainer, which may be on another machine without a database, needs to score answers: `data/scoring.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ScoringFile {
    /// The task's definition, with the rules of comparison.
    task: Task,
    /// Of the home that trains, where rules answer beside the adapter.
    tables: Option<Tables>,
}

impl ScoringFile {
    pub(crate) fn new(task: &Task, card: &TaskCard, tables: impl FnOnce() -> Result<Tables>) -> Self {
        // Tables with an error (for example during an edit) must not prevent a training.
        let tables = serving::rules_may_help(card).then(tables).and_then(Result::ok);
        Self { task: task.clone(), tables }
    }

    pub(crate) fn write(&self, dir: &RunDir) -> Result<()> {
        let path = dir.scoring();
        let failed = |source| Error::Io { doing: "write", path: path.clone(), source };
        path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
        Ok(graft_formats::atomic::bytes(&path, json::pretty(self).as_bytes())?)
    }

    fn read(dir: &RunDir) -> Result<Option<Self>> {
        let path = dir.scoring();
        match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { doing: "read", path, source }),
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|source| {
                let line = source.line();
                graft_train::Error::Json { path, line, source }.into()
            }),
        }
    }
}

/// What scores the answers of a training's adapter; `None` if the run wants none, or has no held-out examples.
///
/// # Errors
/// A file of the run is damaged; the answer form can't be enforced with the model's tokenizer.
pub fn interim_scorer(order: &ScorerOrder<'_>) -> std::result::Result<Option<Scorer>, ScoringError> {
    let spec = order.spec;
    let file = if spec.eval.score_examples == 0 { None } else { ScoringFile::read(order.dir)? };
    let Some(ScoringFile { task, tables }) = file else { return Ok(None) };
    let rows = order.dir.rows("eval")?;
    let vocabulary = |prompter: &graft_nn::Prompter| {
        Ok(Arc::new(Vocabulary::new(Arc::new(order.files.tokenizer.clone()), &[prompter.end()])?))
    };
    let template = Template::new(order.files, order.model.has_encoder(), &spec.task, vocabulary)?;
    let biases = label_bias(spec, &order.dir.rows("train")?);
    let label_bias = LabelBias::new(&biases, template.guide().codec())?.map(Arc::new);
    let max_tokens = template.longest(rows.iter().map(|row| &row.output))?;
    let parser = tables.and_then(|tables| Parser::of(&task, &tables).ok().flatten());
    let answering = Answering {
        model: Arc::clone(order.model),
        card: spec.task.clone(),
        // A program or a service must not delay the training.
        parser: parser.filter(|parser| !parser.is_outside()),
        task,
        template,
        label_bias,
        max_tokens,
        rows: Vec::new(),
    };
    answering.scorer(rows, order)
}

struct Answering {
    model: Arc<Model>,
    card: TaskCard,
    task: Task,
    parser: Option<Parser>,
    template: Template,
    label_bias: Option<Arc<LabelBias>>,
    max_tokens: usize,
    rows: Vec<Row>,
}

impl Answering {
    /// Chooses the examples to answer: as many as the settings and the budget of work allow, the same ones for a seed.
    fn scorer(mut self, rows: Vec<Row>, order: &ScorerOrder<'_>) -> std::result::Result<Option<Scorer>, ScoringError> {
        let spec = order.spec;
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by_cached_key(|&place| {
            let key = format!("{} {}", spec.optim.seed, rows[place].id);
            Digest::of(key.as_bytes()).to_string()
        });
        places.truncate(spec.eval.score_examples);
        let shared = if self.model.has_encoder() { 0 } else { self.template.prompter().shared().len() };
        let (mut work, mut longest, mut chosen) = ((PROMPT_WORK * shared) as u64, 0, Vec::new());
        for place in places {
            let row = &rows[place];
            let prompt = self.template.prompter().prompt(&row.input)?.len() - shared;
            let answer = self.template.prompter().answer(&row.answer)?.len();
            let its = (PROMPT_WORK * prompt + TOKEN_WORK * answer) as u64;
            if chosen.len() >= LEAST && work + its > order.budget {
                break;
            }
            work += its;
            longest = longest.max(prompt.min(self.model.context()));
            chosen.push(place);
        }
        if chosen.is_empty() {
            return Ok(None);
        }
        chosen.sort_unstable();
        let virtual_tokens = match &spec.adapter {
            AdapterSpec::SoftPrompt(prompt) => prompt.tokens,
            AdapterSpec::Lora(_) => 0,
        };
        // The instruction once, and what each answer that is written at once takes.
        let each = virtual_tokens + longest + self.max_tokens + 1;
        let at_once = chosen.len().min(Serving::SIDE_BY_SIDE);
        let most = Limits::default().cache_bytes / self.model.session_row_bytes().max(1);
        let needed = virtual_tokens + shared + each;
        let cache_rows = (virtual_tokens + shared + at_once * each).min(most).max(needed);
        self.rows = chosen.into_iter().map(|place| rows[place].clone()).collect();
        let score = Box::new(move |generator, adapter| Ok(self.score(generator, adapter)?));
        Ok(Some(Scorer { work, rows: cache_rows, score }))
    }

    fn score(&self, generator: Box<dyn Generator>, adapter: Adapter) -> Result<InterimScores> {
        let clock = Instant::now();
        let answers = self.answers(generator, Arc::new(adapter))?;
        let pairs: Vec<(Value, Option<Value>)> = self.rows.iter().map(|row| row.output.clone()).zip(answers).collect();
        let scores = score_pairs((&self.card, &self.task.scoring), &pairs);
        Ok(InterimScores {
            examples: pairs.len(),
            accuracy: scores.all_right().map_or(0.0, |metric| metric.value),
            f1: scores.f1(&self.card).map(|metric| metric.value),
            seconds: clock.elapsed().as_secs_f64(),
        })
    }

    /// The answer to each example; none where an input leaves no room for one.
    fn answers(&self, generator: Box<dyn Generator>, adapter: Arc<Adapter>) -> Result<Vec<Option<Value>>> {
        let limits = Limits { slots: Serving::SIDE_BY_SIDE, ..Limits::default() };
        let mut batcher = Batcher::on(generator, Arc::clone(&self.model), limits);
        let (send, receive) = mpsc::channel();
        let mut requests = Vec::with_capacity(self.rows.len());
        for (place, row) in self.rows.iter().enumerate() {
            let send = send.clone();
            let tell = Box::new(move |update| match update {
                Update::Done(done) => send.send((place, done)).is_ok(),
                Update::Waiting | Update::Written(_) => true,
            });
            let mut request = self.template.request(Some(Arc::clone(&adapter)), &row.input, tell)?;
            (request.max_tokens, request.stream) = (self.max_tokens, place as u64);
            request.label_bias.clone_from(&self.label_bias);
            requests.push(request);
        }
        // The longest first, so that none is left to be written alone.
        requests.sort_by_key(|request| std::cmp::Reverse(request.prompt.len()));
        requests.into_iter().for_each(|request| batcher.submit(request, Instant::now()));
        while !batcher.is_idle() {
            batcher.step(Instant::now());
        }
        let mut answers = vec![None; self.rows.len()];
        for (place, done) in receive.try_iter() {
            answers[place] = match done {
                Ok(done) => Some(self.settled(place, *done).answer),
                Err(graft_predict::Error::Model(graft_nn::Error::TooLong { .. })) => None,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(answers)
    }

    /// What was completed, with the task's rules beside it.
    fn settled(&self, place: usize, done: Completion) -> Completion {
        let codec = self.template.guide().codec();
        let task = (&self.card, &self.task.scoring);
        with_rules(self.parser.as_ref(), task, codec, &self.rows[place].input, done)
    }
}
