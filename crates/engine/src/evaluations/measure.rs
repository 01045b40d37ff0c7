//! Answers to held-out examples and their scores.

use std::time::Instant;

use graft_core::Digest;
use graft_store::Version;
use graft_tasks::score::Scores;
use serde_json::Value;

use super::{
    Evaluations, Tell,
    evaluate::{calibrate, contestant_scores, kept_answers, score_answers},
};
use crate::{
    Result, Serving, now,
    serving::{Answer, AnswerOptions, apart},
    versions::{BaselineScores, Evaluation, Measured, strongest},
};

impl Evaluations<'_> {
    /// Answers the held-out examples of a version's dataset with the version, the contestants and (if
    /// `with_base`) the bare base model, and scores the answers.
    ///
    /// # Errors
    /// The version can't be loaded, or has no dataset; the model fails.
    pub(super) async fn measure_with(
        self,
        serving: &Serving,
        version: &Version,
        with_base: bool,
        tell: Tell<'_>,
    ) -> Result<Measured> {
        let data = self.dataset_of(version).await?;
        let chosen = self.engine.versions().adapter(&version.task, Some(&version.name)).await?;
        let deployment = serving.deploy(chosen.clone()).await?;
        let judged = (deployment.card(), &deployment.definition().scoring);
        let options = AnswerOptions::default();
        let clock = Instant::now();
        let answers =
            serving.answer_examples(&deployment, &data.eval, &options, "answers of the adapter", tell).await?;
        let seconds = clock.elapsed().as_secs_f64();
        let given = written(&answers);
        let adapter = score_answers(judged, &data.eval, &given);
        let base = if with_base && chosen.contestant().is_none() && !data.eval.is_empty() {
            let options = AnswerOptions { max_tokens: Some(deployment.longest(&data.eval)?), ..options };
            let bare = serving.deploy_bare(&chosen).await?;
            let answers =
                serving.answer_examples(&bare, &data.eval, &options, "answers of the base model", tell).await?;
            Some(score_answers(judged, &data.eval, &written(&answers)))
        } else {
            Evaluation::of(version).filter(|old| old.adapter.truth == adapter.truth).and_then(|old| old.base)
        };
        let (calibration, fields) = calibrate(judged, &data.eval, &answers, &adapter);
        let sure = |answer: &Option<Answer>| answer.as_ref().map_or(0.0, |answer| calibration.apply(answer.raw.answer));
        let confidences = Some(answers.iter().map(sure).collect());
        let (card, task, sides) = (judged.0.clone(), deployment.definition().clone(), (data.train, data.eval.clone()));
        let rules = self.engine.tasks().newest_baseline(&task).await?;
        let fitted = move || Ok(contestant_scores((&card, &task.scoring), &sides.0, &sides.1, rules.as_ref()));
        let contestants = apart(fitted).await?;
        let baseline = strongest(&contestants).cloned();
        let from_parser = self.taken_from_parser(&version.task, judged, &data.eval).await?;
        let (worst, right) = kept_answers(judged, &data.eval, &given, &adapter);
        let evaluation = Evaluation {
            dataset: data.digest.clone(),
            at: now(),
            base,
            baseline: baseline.map(|best| BaselineScores { name: best.name, scores: best.scores }),
            contestants,
            from_parser,
            calibration,
            fields,
            confidences,
            seconds_per_answer: seconds / data.eval.len().max(1) as f64,
            worst,
            right,
            adapter,
        };
        Ok(Measured { evaluation, answers: Some(given) })
    }

    /// Scores a version on the held-out examples of another dataset of its task.
    pub(super) async fn score_with(
        self,
        serving: &Serving,
        version: &Version,
        dataset: &Digest,
        tell: Tell<'_>,
    ) -> Result<Scores> {
        let data = self.engine.store.dataset(&version.task, dataset).await?;
        let deployment = serving.deployment(&version.task, Some(&version.name)).await?;
        let what = format!("answers of version {}", version.name);
        let answers = serving.answer_examples(&deployment, &data.eval, &AnswerOptions::default(), &what, tell).await?;
        let judged = (deployment.card(), &deployment.definition().scoring);
        Ok(score_answers(judged, &data.eval, &written(&answers)))
    }
}

fn written(answers: &[Option<Answer>]) -> Vec<Option<Value>> {
    answers.iter().map(|answer| answer.as_ref().map(|answer| answer.written.clone())).collect()
}
