use std::{ops::Range, rc::Rc};

use graft_core::{AdapterSpec, Digest, Targets};
use graft_ops::{Dropout, Lora, LoraRows, Matrix, Param, ParamSet, Tape, Tensor, Weight, linear_groups};

use crate::Error;

/// A linear layer that can carry LoRA weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Module path as Hugging Face names it, without `.weight`.
    pub name: String,
    /// Input features.
    pub inputs: usize,
    /// Output features.
    pub outputs: usize,
}

/// Small trainable weights for one base model; an argument of every computation, never part of the model.
#[derive(Clone, Debug)]
pub struct Adapter {
    kind: AdapterKind,
    params: ParamSet,
    /// For each site, the indices of `A` and `B` in `params`.
    lora: Vec<Option<(usize, usize)>>,
    /// Set while training with dropout: rate and the seed of the present pass.
    dropout: Option<Dropout>,
}

/// What kind of adapter it is, with the numbers its arithmetic needs.
#[derive(Clone, Debug, PartialEq)]
pub enum AdapterKind {
    /// LoRA with `alpha / rank` (or `alpha / sqrt(rank)`) as factor.
    Lora {
        /// Factor on `B·A`.
        scale: f32,
    },
    /// Virtual tokens before the input.
    SoftPrompt {
        /// How many come before the (encoder's) input.
        tokens: usize,
    },
}

impl Adapter {
    /// A LoRA adapter from tensors for some of the model's sites: index of the site, rank, `A (rank, in)` and
    /// `B (out, rank)`.
    #[must_use]
    pub fn lora(sites: &[Site], scale: f32, weights: Vec<(usize, usize, Vec<f32>, Vec<f32>)>) -> Self {
        let mut params = ParamSet::default();
        let mut lora = vec![None; sites.len()];
        for (site, rank, a, b) in weights {
            let Site { name, inputs, outputs } = &sites[site];
            let a = params.push(format!("{name}.lora_A.weight"), rank, *inputs, &a);
            let b = params.push(format!("{name}.lora_B.weight"), *outputs, rank, &b);
            lora[site] = Some((a, b));
        }
        Self { kind: AdapterKind::Lora { scale }, params, lora, dropout: None }
    }

    /// A soft prompt: `tokens` rows before the input, and as many more as the file format wants (T5 stores a second,
    /// unused half for its decoder).
    #[must_use]
    pub fn soft_prompt(tokens: usize, width: usize, rows: &[f32]) -> Self {
        let mut params = ParamSet::default();
        params.push("prompt_embeddings".into(), rows.len() / width, width, rows);
        Self { kind: AdapterKind::SoftPrompt { tokens }, params, lora: Vec::new(), dropout: None }
    }

    /// A fresh adapter: `A` uniform as in PEFT (Kaiming with a = √5), `B` zero, so it starts as the bare base.
    /// Soft prompts start from `rows`, which the caller takes from the embeddings the spec names.
    ///
    /// # Errors
    /// A target that matches no layer.
    pub fn fresh(spec: &AdapterSpec, sites: &[Site], seed: u64, width: usize, rows: &[f32]) -> Result<Self, Error> {
        let spec = match spec {
            AdapterSpec::Lora(spec) => spec,
            AdapterSpec::SoftPrompt(spec) => return Ok(Self::soft_prompt(spec.tokens, width, rows)),
        };
        let mut weights = Vec::new();
        for (index, site) in sites.iter().enumerate().filter(|(_, site)| matches_target(&spec.targets, &site.name)) {
            let bound = 1.0 / (site.inputs as f32).sqrt();
            let mut random = SplitMix(seed ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let a = (0..spec.rank * site.inputs).map(|_| (random.unit() * 2.0 - 1.0) * bound).collect();
            weights.push((index, spec.rank, a, vec![0.0; site.outputs * spec.rank]));
        }
        if let Targets::Named(names) = &spec.targets {
            let missing = names.iter().find(|name| {
                !sites.iter().any(|site| matches_target(&Targets::Named(vec![(*name).clone()]), &site.name))
            });
            if let Some(name) = missing {
                return Err(Error::NoSuchTarget { name: name.clone(), known: layer_kinds(sites) });
            }
        }
        Ok(Self::lora(sites, spec.scaling(), weights))
    }

    /// Digest of all that it changes a model by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut parts = vec![format!("{:?}", self.kind).into_bytes()];
        for (name, param) in self.params.iter() {
            parts.push(format!("{name} {} {}", param.rows, param.cols).into_bytes());
        }
        parts.push(self.params.data().iter().flat_map(|number| number.to_le_bytes()).collect());
        Digest::of_parts(parts.iter().map(Vec::as_slice))
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> &AdapterKind {
        &self.kind
    }

    /// All trainable tensors.
    #[must_use]
    pub fn params(&self) -> &ParamSet {
        &self.params
    }

    /// All trainable tensors.
    pub fn params_mut(&mut self) -> &mut ParamSet {
        &mut self.params
    }

    /// Bytes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        4 * self.params.data().len()
    }

    /// Drops this share of LoRA's inputs from now on, by masks that follow from `seed`; `None` for evaluation.
    pub fn set_dropout(&mut self, dropout: Option<Dropout>) {
        self.dropout = dropout.filter(|d| d.rate > 0.0);
    }

    /// Whether any trainable weight sits at one of these sites.
    #[must_use]
    pub fn touches(&self, mut sites: std::ops::Range<usize>) -> bool {
        sites.any(|site| self.lora.get(site).is_some_and(Option::is_some))
    }

    /// Number of virtual tokens before the input.
    #[must_use]
    pub fn virtual_tokens(&self) -> usize {
        match self.kind {
            AdapterKind::SoftPrompt { tokens } => tokens,
            AdapterKind::Lora { .. } => 0,
        }
    }

    /// The virtual tokens' rows that are used.
    pub(crate) fn prompt(&self) -> Option<Param<'_>> {
        match self.kind {
            AdapterKind::SoftPrompt { tokens } => Some(self.params.get(0).first_rows(tokens)),
            AdapterKind::Lora { .. } => None,
        }
    }

    /// The LoRA weights at a site.
    pub(crate) fn at(&self, site: usize) -> Option<Lora<'_>> {
        let (a, b) = (*self.lora.get(site)?)?;
        let AdapterKind::Lora { scale } = self.kind else { return None };
        let dropout = self.dropout.map(|d| Dropout { seed: d.seed ^ ((site as u64) << 40), ..d });
        Some(Lora { a: self.params.get(a), b: self.params.get(b), scale, dropout })
    }
}

/// Consecutive rows of a pass, and the adapter they belong to.
pub(crate) type Group<'a> = (Range<usize>, Option<&'a Adapter>);

/// Whose adapter works on which rows.
#[derive(Clone, Copy)]
pub(crate) enum Adapters<'a> {
    /// One, or none, for all rows: with gradients, as in training.
    One(Option<&'a Adapter>),
    /// Each group of rows has its own; without gradients.
    Many {
        /// Groups of all rows.
        all: &'a [Group<'a>],
        /// Groups of the rows that are left after only the wanted ones were selected.
        wanted: &'a [Group<'a>],
    },
}

impl<'a> From<Option<&'a Adapter>> for Adapters<'a> {
    fn from(adapter: Option<&'a Adapter>) -> Self {
        Self::One(adapter)
    }
}

impl<'a> Adapters<'a> {
    /// A linear layer with what the adapters add at a site.
    pub(crate) fn linear(self, tape: &mut Tape<'a>, x: &Tensor, weight: &'a Weight, site: usize) -> Tensor {
        let [y] = self.linears(tape, x, [weight], site);
        y
    }

    /// Linear layers of the same input, at sites that follow each other.
    pub(crate) fn linears<const N: usize>(
        self,
        tape: &mut Tape<'a>,
        x: &Tensor,
        weights: [&'a Weight; N],
        first_site: usize,
    ) -> [Tensor; N] {
        let mut site = first_site..;
        match self {
            Self::One(adapter) => weights.map(|weight| {
                let lora = site.next().and_then(|site| adapter?.at(site));
                tape.linear(x, weight, lora)
            }),
            Self::Many { all, .. } => {
                let layers = weights.map(|weight| {
                    let site = site.next().unwrap_or(first_site);
                    let lora = |(rows, adapter): &Group<'a>| {
                        Some(LoraRows { rows: rows.clone(), lora: (*adapter)?.at(site)? })
                    };
                    (weight, all.iter().filter_map(lora).collect())
                });
                linear_groups(x.value(), &layers).map(Tensor::constant)
            }
        }
    }

    /// The same for the wanted rows alone.
    pub(crate) fn of_wanted(self) -> Self {
        match self {
            Self::One(_) => self,
            Self::Many { wanted, .. } => Self::Many { all: wanted, wanted },
        }
    }

    /// Writes soft prompts over the rows at `places`, each with its own group's.
    pub(crate) fn place(self, tape: &mut Tape<'a>, x: Matrix, places: Rc<[usize]>) -> Tensor {
        if places.is_empty() {
            return Tensor::constant(x);
        }
        match self {
            Self::One(adapter) => match adapter.and_then(Adapter::prompt) {
                Some(prompt) => tape.place(x, prompt, places),
                None => Tensor::constant(x),
            },
            Self::Many { all, .. } => {
                let mut x = x;
                for (rows, prompt) in all.iter().filter_map(|(rows, a)| Some((rows, a.as_ref()?.prompt()?))) {
                    for place in places.iter().filter(|place| rows.contains(place)) {
                        let start = place * prompt.cols;
                        x.data_mut()[start..start + prompt.data.len()].copy_from_slice(prompt.data);
                    }
                }
                Tensor::constant(x)
            }
        }
    }
}

/// Whether a layer is among the targets; names match as in PEFT: the whole path, or its end after a dot.
#[must_use]
pub fn matches_target(targets: &Targets, name: &str) -> bool {
    match targets {
        Targets::AllLinear => true,
        Targets::Decoder => !name.starts_with("encoder."),
        Targets::Named(names) => names
            .iter()
            .any(|end| name == end || name.strip_suffix(end.as_str()).is_some_and(|rest| rest.ends_with('.'))),
    }
}

/// The distinct last components of the sites' names.
fn layer_kinds(sites: &[Site]) -> String {
    let mut kinds: Vec<&str> = sites.iter().filter_map(|site| site.name.rsplit('.').next()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.join(", ")
}

/// SplitMix64 (Steele et al. 2014): small, seedable, good enough for initialisation.
struct SplitMix(u64);

impl SplitMix {
    /// Uniform in `[0, 1)`.
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_match_as_in_peft() {
        let named = |name: &str| Targets::Named(vec![name.into()]);
        assert!(matches_target(&named("q_proj"), "model.layers.0.self_attn.q_proj"));
        assert!(matches_target(&named("self_attn.q_proj"), "model.layers.0.self_attn.q_proj"));
        assert!(!matches_target(&named("proj"), "model.layers.0.self_attn.q_proj"));
        assert!(!matches_target(&named("q"), "model.layers.0.self_attn.q_proj"));
    }
}
