//! The ranks of a LoRA adapter's target modules.

use std::collections::BTreeMap;

use graft_core::{LoraSpec, Ranks};

use crate::{Adapter, TargetModule, matches_target};

/// Bounds of ranks that nobody gave, as multiples of the spec's rank.
const BOUNDS: (f64, f64) = (0.5, 4.0);
/// Rank of a module in a preferred group, as a multiple of the others'.
const PREFERRED: f64 = 2.0;

/// The target modules of a spec, by index, with the rank of each. Ranks by sensitivity are equal here: what they become
/// depends on a training's examples, see [`ranks_by_sensitivity`].
pub(crate) fn ranks(spec: &LoraSpec, modules: &[TargetModule]) -> Vec<(usize, usize)> {
    let targets = modules.iter().enumerate().filter(|(_, module)| matches_target(&spec.targets, &module.name));
    match &spec.ranks {
        Ranks::Equal | Ranks::Sensitivity => targets.map(|(index, _)| (index, spec.rank)).collect(),
        Ranks::Pattern(ranks) => {
            let named = |name: &str| {
                let fitting = ranks.iter().filter(|(end, _)| ends_with(name, end));
                fitting.max_by_key(|(end, _)| end.len()).map_or(spec.rank, |(_, rank)| *rank)
            };
            targets.map(|(index, module)| (index, named(&module.name))).collect()
        }
        group => {
            let weight = |name: &str| if is_in(group, name, modules) { PREFERRED } else { 1.0 };
            let weights: Vec<(usize, f64)> = targets.map(|(index, module)| (index, weight(&module.name))).collect();
            allot(spec.rank, modules, &weights)
        }
    }
}

/// Ranks by sensitivity, by the names of modules whose rank is not the spec's: each module's share of the parameters is
/// proportional to the norm of the loss's gradient by its weight, within bounds (after GoRA, He et al. 2025,
/// arXiv:2502.12171). All together have at most as many parameters as with equal ranks.
///
/// `probe` is a new adapter, whose `B` is zero, and `gradient` the gradient of its parameters. It suffices: the gradient by
/// `B` is `s·G·Aᵀ`, where `G` is that by the weight, and `A` is random with the variance `1/(3·in)`, so the expectation of its
/// squared norm is `s²·rank/(3·in)·‖G‖²`.
#[must_use]
pub fn ranks_by_sensitivity(
    spec: &LoraSpec,
    modules: &[TargetModule],
    probe: &Adapter,
    gradient: &[f32],
) -> BTreeMap<String, usize> {
    let mut of_probe = probe.params().clone();
    of_probe.data_mut().copy_from_slice(gradient);
    let by_b: BTreeMap<&str, f64> = of_probe
        .iter()
        .filter_map(|(name, param)| {
            let squares = param.data.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            Some((name.strip_suffix(".lora_B.weight")?, squares.sqrt()))
        })
        .collect();
    let weight = |module: &TargetModule| {
        let norm = by_b.get(module.name.as_str()).copied().unwrap_or(0.0) * (module.inputs as f64).sqrt();
        // A rank costs `inputs + outputs` parameters.
        norm / cost(module) as f64
    };
    let weights: Vec<(usize, f64)> =
        ranks(spec, modules).into_iter().map(|(index, _)| (index, weight(&modules[index]))).collect();
    let ranks = allot(spec.rank, modules, &weights).into_iter().filter(|(_, rank)| *rank != spec.rank);
    ranks.map(|(index, rank)| (modules[index].name.clone(), rank)).collect()
}

/// The mean rank of each kind of module and of each third of the blocks, for people.
#[must_use]
pub fn describe_ranks(spec: &LoraSpec, modules: &[TargetModule]) -> String {
    let mut kinds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut thirds: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, rank) in ranks(spec, modules) {
        let name = modules[index].name.as_str();
        kinds.entry(name.rsplit('.').next().unwrap_or(name)).or_default().push(rank);
        thirds.entry(third(name, modules).unwrap_or_default()).or_default().push(rank);
    }
    let mean = |ranks: &[usize]| format!("{:.1}", ranks.iter().sum::<usize>() as f64 / ranks.len() as f64);
    let kinds: Vec<String> = kinds.iter().map(|(kind, ranks)| format!("{kind} {}", mean(ranks))).collect();
    let thirds: Vec<String> = thirds
        .iter()
        .map(|(third, ranks)| format!("{} {}", ["first", "middle", "last"][*third], mean(ranks)))
        .collect();
    format!("{}; thirds of the blocks: {}", kinds.join(", "), thirds.join(", "))
}

/// The first name of a pattern that fits no target module.
pub(crate) fn unknown<'s>(spec: &'s LoraSpec, modules: &[TargetModule]) -> Option<&'s str> {
    let Ranks::Pattern(ranks) = &spec.ranks else { return None };
    let is_known = |end: &str| {
        modules.iter().any(|module| matches_target(&spec.targets, &module.name) && ends_with(&module.name, end))
    };
    ranks.keys().map(String::as_str).find(|end| !is_known(end))
}

/// Whether a module's name is this one, or ends in a dot and this one, as PEFT matches names.
pub(crate) fn ends_with(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Parameters of a module at rank 1: a row of `A` and a column of `B`.
pub(crate) fn cost(module: &TargetModule) -> usize {
    module.inputs + module.outputs
}

/// Ranks in proportion to weights, within bounds, of together at most as many parameters as if all had the rank `equal`.
/// Each step raises the rank that is the lowest for its weight (the method of D'Hondt), as long as the parameters suffice.
fn allot(equal: usize, modules: &[TargetModule], weights: &[(usize, f64)]) -> Vec<(usize, usize)> {
    let least = ((equal as f64 * BOUNDS.0) as usize).max(1);
    let most = |module: &TargetModule| {
        // A higher rank than that of the weight adds nothing.
        ((equal as f64 * BOUNDS.1) as usize).min(module.inputs.min(module.outputs)).max(equal)
    };
    if !weights.iter().any(|(_, weight)| weight.is_finite() && *weight > 0.0) {
        return weights.iter().map(|(index, _)| (*index, equal)).collect();
    }
    let mut left: usize = weights.iter().map(|(index, _)| (equal - least) * cost(&modules[*index])).sum();
    let mut ranks = vec![least; weights.len()];
    loop {
        let mut next: Option<(f64, usize)> = None;
        for (at, (index, weight)) in weights.iter().enumerate() {
            let module = &modules[*index];
            let wanted = weight.max(0.0) / (ranks[at] + 1) as f64;
            let fits = ranks[at] < most(module) && cost(module) <= left;
            if fits && next.is_none_or(|(best, _)| wanted > best) {
                next = Some((wanted, at));
            }
        }
        let Some((_, at)) = next else { break };
        ranks[at] += 1;
        left -= cost(&modules[weights[at].0]);
    }
    weights.iter().zip(ranks).map(|((index, _), rank)| (*index, rank)).collect()
}

/// The stack of blocks that a module is in, and the number of its block.
fn block(name: &str) -> Option<(&str, usize)> {
    let mut start = 0;
    for part in name.split('.') {
        if let Ok(number) = part.parse() {
            return Some((&name[..start], number));
        }
        start += part.len() + 1;
    }
    None
}

/// The third of its stack that a module's block is in: 0, 1 or 2.
fn third(name: &str, modules: &[TargetModule]) -> Option<usize> {
    let (stack, number) = block(name)?;
    let numbers = modules.iter().filter_map(|module| block(&module.name)).filter(|(other, _)| *other == stack);
    let blocks = numbers.map(|(_, number)| number).max()? + 1;
    Some(3 * number / blocks)
}

/// Whether a module is in a preferred group.
fn is_in(group: &Ranks, name: &str, modules: &[TargetModule]) -> bool {
    let is_attention = name.contains("attn") || name.contains("Attention");
    match group {
        Ranks::First => third(name, modules) == Some(0),
        Ranks::Middle => third(name, modules) == Some(1),
        Ranks::Last => third(name, modules) == Some(2),
        Ranks::Attention => is_attention,
        Ranks::Mlp => !is_attention,
        Ranks::Equal | Ranks::Sensitivity | Ranks::Pattern(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use graft_core::Targets;

    use super::*;

    /// Modules of six blocks.
    fn modules() -> Vec<TargetModule> {
        let kinds = [("self_attn.q_proj", 64, 64), ("self_attn.k_proj", 64, 16), ("mlp.down_proj", 256, 64)];
        let of = |block: usize, (kind, inputs, outputs): (&str, usize, usize)| TargetModule {
            name: format!("model.layers.{block}.{kind}"),
            inputs,
            outputs,
        };
        (0..6).flat_map(|block| kinds.map(|kind| of(block, kind))).collect()
    }

    fn spec(ranks: Ranks) -> LoraSpec {
        LoraSpec { rank: 8, alpha: 16.0, dropout: 0.0, rslora: false, targets: Targets::AllLinear, ranks }
    }

    fn parameters(ranks: &[(usize, usize)]) -> usize {
        ranks.iter().map(|(index, rank)| rank * cost(&modules()[*index])).sum()
    }

    #[test]
    fn preferred_groups_get_twice_the_rank_of_others_at_equal_size() {
        let modules = modules();
        let equal = parameters(&ranks(&spec(Ranks::Equal), &modules));
        for group in [Ranks::First, Ranks::Middle, Ranks::Last, Ranks::Attention, Ranks::Mlp] {
            let found = ranks(&spec(group.clone()), &modules);
            let mean = |inside: bool| {
                let of = |(index, _): &&(usize, usize)| is_in(&group, &modules[*index].name, &modules) == inside;
                let some: Vec<f64> = found.iter().filter(of).map(|(_, rank)| *rank as f64).collect();
                some.iter().sum::<f64>() / some.len() as f64
            };
            let ratio = mean(true) / mean(false);
            assert!((1.6..2.4).contains(&ratio), "{group}: {ratio}");
            let all = parameters(&found);
            assert!(all <= equal && all + 320 > equal, "{group}: {all} of {equal} parameters");
        }
    }

    #[test]
    fn patterns_match_as_in_peft_and_the_longest_name_counts() {
        let modules = modules();
        let found = |pattern: &str| ranks(&spec(pattern.parse().unwrap()), &modules);
        let by_name = found("q_proj=4,1.self_attn.q_proj=32,proj=9");
        let rank = |name: &str| by_name.iter().find(|(index, _)| modules[*index].name.ends_with(name)).unwrap().1;
        assert_eq!((rank("0.self_attn.q_proj"), rank("1.self_attn.q_proj"), rank("0.self_attn.k_proj")), (4, 32, 8));
        assert_eq!(unknown(&spec("q_proj=4,proj=9".parse().unwrap()), &modules), Some("proj"));
        assert_eq!(unknown(&spec("q_proj=4,1.mlp.down_proj=9".parse().unwrap()), &modules), None);
    }

    #[test]
    fn useless_gradients_leave_ranks_equal() {
        let modules = modules();
        for weight in [0.0, f64::NAN] {
            let weights: Vec<(usize, f64)> = (0..modules.len()).map(|index| (index, weight)).collect();
            assert!(allot(8, &modules, &weights).iter().all(|(_, rank)| *rank == 8));
        }
        // One module alone has a gradient: it gets what the bounds allow.
        let weights: Vec<(usize, f64)> = (0..modules.len()).map(|index| (index, f64::from(index == 2))).collect();
        let found = allot(8, &modules, &weights);
        assert_eq!(found[2].1, 32);
        assert!(found.iter().all(|(_, rank)| *rank >= 4));
    }
}
