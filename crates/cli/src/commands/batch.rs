use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use graft_engine::{
    BatchRequest, Engine, Error,
    records::{Batch as BatchRow, BatchState},
};
use serde_json::json;
use tokio::{runtime::Handle, task::block_in_place};

use super::{import::TableColumns, predict::read};
use crate::{
    failure::{Failure, Result},
    output::{Reply, Table},
};

/// Answer large files in the background.
///
/// A batch is a file that is answered part by part. Workers answer parts while nothing trains; `graft batch work` answers
/// them on as many machines as you start it on, if they share the database. Killing any of them loses nothing.
#[derive(Debug, Subcommand)]
pub(crate) enum Batch {
    /// Submit a file.
    Submit(Submit),
    /// List batches, newest first.
    List {
        /// Only of this task.
        #[arg(long)]
        task: Option<String>,
    },
    /// Show the progress of a batch.
    Show {
        /// Name of the batch.
        id: String,
    },
    /// Write the answers of a batch to a file: one JSON line for each input, in the order of the inputs.
    Results {
        /// Name of the batch.
        id: String,
        /// File to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// Also while parts are missing: write the parts that are done.
        #[arg(long)]
        partial: bool,
    },
    /// Stop a batch; the parts that are done keep their answers.
    Stop {
        /// Name of the batch.
        id: String,
    },
    /// Continue a batch that was stopped or has failed.
    Resume {
        /// Name of the batch.
        id: String,
    },
    /// Remove a batch that has ended, with its inputs and answers.
    Remove {
        /// Name of the batch.
        id: String,
    },
    /// Answer parts of batches, one after the other.
    Work {
        /// Only of this batch.
        id: Option<String>,
        /// Exit when no part is left.
        #[arg(long)]
        once: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The inputs: JSON lines with a text and a ts or id, a table (.csv, .tsv, .xlsx), a Slack export, or a text file with
    /// one message per line.
    file: PathBuf,
    /// Task; needed if several tasks have versions.
    #[arg(long)]
    task: Option<String>,
    /// Version [default: the active version, also if another one becomes active meanwhile].
    #[arg(long, value_name = "NAME")]
    version: Option<String>,
    /// Inputs per part: what is answered again if a process is killed.
    #[arg(long, default_value_t = BatchRequest::PART_LINES as u64, value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    part_lines: u64,
    /// Maximum tokens of one answer.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_tokens: Option<u64>,
    #[command(flatten)]
    table: TableColumns,
}

pub(crate) async fn run(engine: &Engine, command: Batch) -> Result<Reply> {
    let batches = engine.batches();
    match command {
        Batch::Submit(command) => {
            let inputs = read(&command.file, command.table)?;
            let request = BatchRequest {
                task: command.task,
                version: command.version,
                source: command.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                part_lines: usize::try_from(command.part_lines).unwrap_or(usize::MAX),
                max_tokens: command.max_tokens,
            };
            let batch = batches.submit(&request, &inputs).await?;
            let text = format!(
                "Batch {}: {} inputs in {} parts, answered by {} of {}. A worker answers it (`graft worker`, `graft serve`), \
                 or `graft batch work`.",
                batch.id, batch.lines, batch.parts, batch.version, batch.task
            );
            Ok(Reply::new(json!({"batch": batch}), text))
        }
        Batch::List { task } => {
            let list = batches.list(task.as_deref()).await?;
            let mut table = Table::new(["batch", "task", "version", "state", "answered", "not valid"]);
            for batch in &list {
                let done = format!("{} of {}", batch.answered, batch.lines);
                let (state, invalid) = (batch.state.name().to_owned(), batch.invalid.to_string());
                table.row([batch.id.clone(), batch.task.clone(), batch.version.clone(), state, done, invalid]);
            }
            let text = table.or("No batches yet: `graft batch submit FILE`.");
            Ok(Reply::new(json!({"batches": list}), text))
        }
        Batch::Show { id } => Ok(shown(&batches.get(&id).await?)),
        Batch::Stop { id } => Ok(shown(&batches.stop(&id).await?)),
        Batch::Resume { id } => Ok(shown(&batches.resume(&id).await?)),
        Batch::Remove { id } => {
            batches.remove(&id).await?;
            Ok(Reply::new(json!({"removed": id}), format!("Batch {id} is removed.")))
        }
        Batch::Results { id, output, partial } => {
            let batch = batches.get(&id).await?;
            if batch.state != BatchState::Done && !partial {
                let what = format!("write all answers of batch {id}: {} of {} are there", batch.answered, batch.lines);
                return Err(Failure::usage(what, "wait until it is done, or add `--partial`"));
            }
            let written = block_in_place(|| write(engine, &batch, &output))?;
            let text = format!("{written} answers of {} in {}.", batch.version, output.display());
            Ok(Reply::new(json!({"output": output, "answers": written, "of": batch.lines}), text))
        }
        Batch::Work { id, once } => {
            if let Some(id) = &id {
                batches.get(id).await?;
            }
            let say: graft_engine::Say = Arc::new(|_, line| eprintln!("{line}"));
            let answered = batches.work(id.as_deref(), once, &say).await?;
            Ok(Reply::new(json!({"answered": answered}), format!("Answered {answered} inputs.")))
        }
    }
}

/// Writes the answers part by part; nothing half-written is visible.
fn write(engine: &Engine, batch: &BatchRow, output: &Path) -> std::result::Result<usize, Error> {
    let failed = |source| Error::Io { doing: "write", path: output.to_owned(), source };
    graft_formats::atomic::staged(output, |fresh| {
        let mut file = BufWriter::new(File::create(fresh).map_err(failed)?);
        let mut written = 0;
        for part in 1..=batch.parts {
            let answers = Handle::current().block_on(engine.batches().answers(&batch.id, part))?;
            let Some(lines) = answers else { continue };
            written += lines.lines().count();
            file.write_all(lines.as_bytes()).map_err(failed)?;
        }
        file.flush().map_err(failed)?;
        Ok(written)
    })
}

fn shown(batch: &BatchRow) -> Reply {
    let BatchRow { id, task, version, source, state, lines, parts, answered, invalid, .. } = batch;
    let mut text = format!(
        "Batch {id} is {}: {answered} of {lines} inputs of {source} answered by {version} of {task}, {invalid} of them not \
         valid; {} of {parts} parts are done, {} are being answered.",
        state.name(),
        batch.parts_done,
        batch.parts_running
    );
    if let Some(failure) = &batch.failure {
        text += &format!("\nIt failed: {failure}\nMend the cause, then: graft batch resume {id}");
    }
    if *state == BatchState::Done {
        text += &format!("\ngraft batch results {id} --output answers.jsonl");
    }
    Reply::new(json!({"batch": batch}), text)
}
