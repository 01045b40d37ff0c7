//! Which agent is told of the active version, and when. Pure: rows, the wanted bundle and the time in, other rows out.

use graft_core::{Digest, Timestamp, agents::BUNDLE_FORMAT};
use graft_store::{Agent, AgentState};
use serde::Serialize;
use utoipa::ToSchema;

/// How long an agent may take to hold a version, in milliseconds.
const PATIENCE: Timestamp = 30_000;
/// How often it is told of one: once, and three times more.
const ATTEMPTS: u32 = 4;
/// Milliseconds before it is told again; doubled each time.
const BACKOFF: Timestamp = 1_000;
/// How many take a version at once.
const BATCH: usize = 100;
/// Milliseconds without a word after which an agent counts as away. An agent speaks at least once a minute.
const AWAY: Timestamp = 120_000;
/// Of how many agents of a wave one may fail before later waves have to wait.
const ONE_OF: usize = 10;

/// The bundle that all agents are to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WantedVersion)]
pub struct Wanted {
    /// Name of the version.
    pub version: String,
    /// SHA-256 of its bundle.
    pub digest: Digest,
}

/// The agents that get a version at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Wave {
    /// Its number.
    pub wave: u32,
    /// Agents that are not away.
    pub present: usize,
    /// Agents that said nothing for two minutes.
    pub away: usize,
    /// Those present that hold the active version.
    pub synced: usize,
    /// Those present that failed to take it.
    pub failed: usize,
    /// Those away that went silent after they were told of it.
    pub lost: usize,
    /// Whether its agents are told of the active version: all before it have it.
    pub open: bool,
}

/// Whether an agent has said nothing for so long that nobody waits for it.
pub(super) fn is_away(agent: &Agent, now: Timestamp) -> bool {
    agent.seen_at < now - AWAY
}

/// The waves in their order.
pub(super) fn waves(agents: &[Agent], now: Timestamp) -> Vec<Wave> {
    let mut numbers: Vec<u32> = agents.iter().map(|agent| agent.wave).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (mut open, mut all) = (true, Vec::new());
    for number in numbers {
        let of_wave = || agents.iter().filter(|agent| agent.wave == number);
        let here = |state| of_wave().filter(|agent| agent.state == state && !is_away(agent, now)).count();
        let away = of_wave().filter(|agent| is_away(agent, now)).count();
        let is_lost = |agent: &&Agent| agent.state != AgentState::Synced && agent.attempt > 0 && is_away(agent, now);
        let lost = of_wave().filter(is_lost).count();
        let (synced, failed) = (here(AgentState::Synced), here(AgentState::Failed));
        let present = of_wave().count() - away;
        all.push(Wave { wave: number, present, away, synced, failed, lost, open });
        // Whom a version kills can't say so.
        open &= synced + failed == present && failed * ONE_OF <= present && lost <= synced;
    }
    all
}

/// Takes the agents one step on. `nonce` makes a word that nobody guesses.
pub(super) fn step(agents: &mut [Agent], wanted: &Wanted, now: Timestamp, nonce: &mut dyn FnMut() -> String) {
    for agent in agents.iter_mut() {
        aim(agent, wanted, now);
    }
    let open: Vec<u32> = waves(agents, now).into_iter().filter(|wave| wave.open).map(|wave| wave.wave).collect();
    let syncing = agents.iter().filter(|agent| agent.state == AgentState::Syncing).count();
    // A time that is further ahead is of a clock that was ahead.
    let is_due = |due_at: Timestamp| due_at <= now || due_at > now + (BACKOFF << ATTEMPTS);
    let waits = |agent: &&mut Agent| agent.state == AgentState::Pending && is_due(agent.due_at) && !is_away(agent, now);
    let due = agents.iter_mut().filter(waits).filter(|agent| open.contains(&agent.wave));
    for agent in due.take(BATCH.saturating_sub(syncing)) {
        agent.state = AgentState::Syncing;
        agent.attempt += 1;
        agent.nonce = Some(nonce());
        agent.due_at = now + PATIENCE;
    }
}

/// What follows for one agent from what is wanted, without telling it anything.
fn aim(agent: &mut Agent, wanted: &Wanted, now: Timestamp) {
    if agent.digest.as_ref() != Some(&wanted.digest) {
        agent.version = Some(wanted.version.clone());
        agent.digest = Some(wanted.digest.clone());
        begin(agent, now);
    }
    if agent.held.as_ref() == Some(&wanted.digest) {
        agent.state = AgentState::Synced;
        (agent.nonce, agent.problem) = (None, None);
    } else if agent.format < BUNDLE_FORMAT {
        agent.state = AgentState::Failed;
        let form = agent.format;
        agent.problem = Some(format!("it reads bundles of form {form}, not {BUNDLE_FORMAT}: update Graft there"));
    } else if agent.state == AgentState::Synced {
        begin(agent, now);
    } else if agent.state == AgentState::Syncing && agent.due_at < now {
        fail(agent, format!("it said nothing for {} s", PATIENCE / 1000), now);
    }
}

/// Lets an agent be told of its version from the beginning.
pub(super) fn begin(agent: &mut Agent, now: Timestamp) {
    agent.state = AgentState::Pending;
    (agent.attempt, agent.due_at) = (0, now);
    (agent.nonce, agent.problem) = (None, None);
}

/// Notes that an attempt failed: the agent is told again in a moment, or never.
pub(super) fn fail(agent: &mut Agent, problem: String, now: Timestamp) {
    agent.problem = Some(problem);
    agent.nonce = None;
    if agent.attempt >= ATTEMPTS {
        agent.state = AgentState::Failed;
    } else {
        agent.state = AgentState::Pending;
        agent.due_at = now + (BACKOFF << agent.attempt.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str) -> Wanted {
        Wanted { version: name.to_owned(), digest: Digest::of(name.as_bytes()) }
    }

    fn agent(name: &str, wave: u32) -> Agent {
        Agent {
            task: "t".into(),
            name: name.into(),
            wave,
            graft: "0.1.0".into(),
            format: BUNDLE_FORMAT,
            state: AgentState::Pending,
            version: None,
            digest: None,
            nonce: None,
            attempt: 0,
            due_at: 0,
            held_version: None,
            held: None,
            problem: None,
            created_by: "token".into(),
            created_at: 0,
            seen_at: 0,
            synced_at: None,
        }
    }

    fn step_at(agents: &mut [Agent], version: &str, now: Timestamp) -> Vec<AgentState> {
        let mut count = 0;
        step(agents, &wanted(version), now, &mut || {
            count += 1;
            format!("{now}/{count}")
        });
        agents.iter().map(|agent| agent.state).collect()
    }

    fn hold(agent: &mut Agent, version: &str) {
        agent.held = Some(wanted(version).digest);
    }

    use AgentState::{Failed, Pending, Synced, Syncing};

    #[test]
    fn who_says_nothing_is_told_four_times_and_then_failed() {
        let mut agents = [agent("a", 1)];
        assert_eq!(step_at(&mut agents, "v1", 0), [Syncing]);
        let first = agents[0].nonce.clone();
        assert_eq!(step_at(&mut agents, "v1", 30_000), [Syncing], "it may take 30 s");
        let (mut now, mut told) = (30_001, vec![0]);
        while agents[0].state != Failed {
            agents[0].seen_at = now;
            if step_at(&mut agents, "v1", now) == [Syncing] && *told.last().unwrap() != agents[0].due_at {
                told.push(agents[0].due_at);
            }
            now += 500;
            assert!(now < 300_000, "{agents:?}");
        }
        assert_eq!(agents[0].attempt, 4);
        assert_ne!(agents[0].nonce, first);
        assert!(agents[0].problem.as_deref().unwrap().contains("said nothing for 30 s"));
        // A new version is another chance.
        assert_eq!(step_at(&mut agents, "v2", now), [Syncing]);
        assert_eq!((agents[0].attempt, agents[0].problem.as_deref()), (1, None));
    }

    #[test]
    fn retries_wait_one_two_and_four_seconds() {
        let mut one = agent("a", 1);
        for (attempt, wait) in [(1, 1_000), (2, 2_000), (3, 4_000)] {
            one.attempt = attempt;
            fail(&mut one, "no room".into(), 50);
            assert_eq!((one.state, one.due_at), (Pending, 50 + wait));
        }
        one.attempt = 4;
        fail(&mut one, "no room".into(), 50);
        assert_eq!(one.state, Failed);
    }

    #[test]
    fn a_hundred_take_a_version_at_once() {
        let mut agents: Vec<Agent> = (0..250).map(|i| agent(&format!("a{i:03}"), 1)).collect();
        let syncing = |states: &[AgentState]| states.iter().filter(|state| **state == Syncing).count();
        assert_eq!(syncing(&step_at(&mut agents, "v1", 0)), 100);
        agents[..40].iter_mut().for_each(|agent| hold(agent, "v1"));
        let states = step_at(&mut agents, "v1", 1);
        assert_eq!((syncing(&states), states[39], states[139], states[140]), (100, Synced, Syncing, Pending));
    }

    #[test]
    fn a_wave_waits_for_those_before_it_but_not_for_who_is_away() {
        let mut agents = vec![agent("a", 1), agent("b", 1), agent("c", 2), agent("d", 3)];
        assert_eq!(step_at(&mut agents, "v1", 0), [Syncing, Syncing, Pending, Pending]);
        hold(&mut agents[0], "v1");
        let later = 130_000;
        for here in [0, 2, 3] {
            agents[here].seen_at = later;
        }
        assert_eq!(step_at(&mut agents, "v1", later), [Synced, Pending, Syncing, Pending], "b is away");
        hold(&mut agents[2], "v1");
        assert_eq!(step_at(&mut agents, "v1", later), [Synced, Pending, Synced, Syncing]);
        // It comes back.
        agents[1].seen_at = later + 2_000;
        assert_eq!(step_at(&mut agents, "v1", later + 2_000)[1], Syncing);
    }

    #[test]
    fn a_wave_that_fails_stops_the_roll_out_and_one_in_ten_does_not() {
        let mut agents: Vec<Agent> = (0..10).map(|i| agent(&format!("a{i}"), 1)).collect();
        agents.push(agent("z", 2));
        step_at(&mut agents, "v1", 0);
        agents[..8].iter_mut().for_each(|agent| hold(agent, "v1"));
        agents[8..10].iter_mut().for_each(|agent| agent.state = Failed);
        assert_eq!(step_at(&mut agents, "v1", 1)[10], Pending, "two of ten");
        assert_eq!((waves(&agents, 1)[0].failed, waves(&agents, 1)[1].open), (2, false));
        hold(&mut agents[8], "v1");
        assert_eq!(step_at(&mut agents, "v1", 2)[10], Syncing, "one of ten");
    }

    #[test]
    fn a_wave_whose_agents_went_silent_stops_the_roll_out() {
        let mut agents = vec![agent("a", 1), agent("b", 1), agent("c", 1), agent("z", 2)];
        assert_eq!(step_at(&mut agents, "v1", 0)[..3], [Syncing; 3]);
        let later = 130_000;
        agents[3].seen_at = later;
        assert_eq!(step_at(&mut agents, "v1", later)[3], Pending, "it killed all three");
        let wave = |agents: &[Agent]| waves(agents, later)[0].clone();
        assert_eq!((wave(&agents).lost, wave(&agents).present), (3, 0));
        // Half of them hold it, and the rest may be away for another reason.
        agents.push(agent("d", 1));
        for here in [0, 1] {
            agents[here].seen_at = later;
            hold(&mut agents[here], "v1");
        }
        assert_eq!(step_at(&mut agents, "v1", later)[3], Syncing, "{:?}", wave(&agents));
        // The next version is told to those who are there.
        step_at(&mut agents, "v2", later);
        assert_eq!(wave(&agents).lost, 0);
    }

    #[test]
    fn who_reads_older_bundles_only_is_not_told() {
        let mut agents = [agent("a", 1)];
        agents[0].format = BUNDLE_FORMAT - 1;
        assert_eq!(step_at(&mut agents, "v1", 0), [Failed]);
        assert!(agents[0].problem.as_deref().unwrap().contains("update Graft"));
        agents[0].format = BUNDLE_FORMAT;
        begin(&mut agents[0], 1);
        assert_eq!(step_at(&mut agents, "v1", 1), [Syncing]);
    }
}
