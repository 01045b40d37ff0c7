use std::{collections::BTreeMap, ops::Range, rc::Rc, sync::Arc};

use graft_core::{AdapterSpec, Digest, Purpose, Targets, random};
use graft_ops::{Cpu, Device, Dropout, Inference, Lora, LoraRows, ParamSet, Shaped as _, Tape, Tensor};
use rand::RngExt as _;

use crate::{Error, Model, linear::Linear, ranks};

/// A target module: a linear layer of the base model that can carry LoRA weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetModule {
    /// Module path as Hugging Face names it, without `.weight`.
    pub name: String,
    /// Input features.
    pub inputs: usize,
    /// Output features.
    pub outputs: usize,
}

/// Trainable weights for one base model. An adapter is an argument of every computation, never part of the model.
#[derive(Clone, Debug)]
pub struct Adapter<D: Device = Cpu> {
    kind: AdapterKind,
    params: D::Params,
    /// For each target module, the indices of `A` and `B` in `params`.
    lora: Vec<Option<(usize, usize)>>,
    own: Option<Arc<Own<D>>>,
    /// Set while training with dropout: the rate and the seed of the current micro-batch.
    dropout: Option<Dropout>,
}

/// What an adapter that was made elsewhere may have beside LoRA. It is computed, but not trained.
#[derive(Debug)]
pub(crate) struct Own<D: Device = Cpu> {
    /// By target module.
    pub(crate) outputs: BTreeMap<usize, Outputs>,
    /// Token embeddings `(vocab, width)` in place of the model's.
    pub(crate) embedding: Option<D::Weight>,
    /// The output head `(vocab, width)`, likewise.
    pub(crate) head: Option<D::Weight>,
}

/// Changes to the outputs of a module; an empty vector stands for none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outputs {
    /// Factors (DoRA).
    pub(crate) gain: Vec<f32>,
    /// The bias of LoRA's `B`, times LoRA's factor.
    pub(crate) bias: Vec<f32>,
}

/// Kind of adapter, with the constants of its arithmetic.
#[derive(Clone, Debug, PartialEq)]
pub enum AdapterKind {
    /// LoRA with the factor `alpha / rank` (or `alpha / sqrt(rank)`).
    Lora {
        /// Factor of `B·A`.
        scale: f32,
    },
    /// Virtual tokens before the input.
    SoftPrompt {
        /// How many come before the (encoder's) input.
        tokens: usize,
    },
}

impl Adapter {
    /// A LoRA adapter from tensors for some target modules: index of the module, rank, `A (rank, in)` and
    /// `B (out, rank)`.
    #[must_use]
    pub fn lora(modules: &[TargetModule], scale: f32, weights: Vec<(usize, usize, Vec<f32>, Vec<f32>)>) -> Self {
        let mut params = ParamSet::default();
        let mut lora = vec![None; modules.len()];
        for (module, rank, a, b) in weights {
            let TargetModule { name, inputs, outputs } = &modules[module];
            let a = params.push(format!("{name}.lora_A.weight"), rank, *inputs, &a);
            let b = params.push(format!("{name}.lora_B.weight"), *outputs, rank, &b);
            lora[module] = Some((a, b));
        }
        Self { kind: AdapterKind::Lora { scale }, params, lora, own: None, dropout: None }
    }

    /// A soft prompt of `tokens` virtual tokens. `rows` may hold more, because PEFT stores a second, unused half for
    /// T5's decoder.
    #[must_use]
    pub fn soft_prompt(tokens: usize, width: usize, rows: &[f32]) -> Self {
        let mut params = ParamSet::default();
        params.push("prompt_embeddings".into(), rows.len() / width, width, rows);
        Self { kind: AdapterKind::SoftPrompt { tokens }, params, lora: Vec::new(), own: None, dropout: None }
    }

    /// A new adapter. LoRA is initialized as in PEFT: `A` Kaiming-uniform with a = √5, `B` zero, so the output is first
    /// that of the base model. A soft prompt is initialized with `rows`, which the caller takes from the embeddings
    /// that the spec names.
    ///
    /// # Errors
    /// A target name that matches no module.
    pub fn fresh(
        spec: &AdapterSpec,
        modules: &[TargetModule],
        seed: u64,
        width: usize,
        rows: &[f32],
    ) -> Result<Self, Error> {
        let spec = match spec {
            AdapterSpec::Lora(spec) => spec,
            AdapterSpec::SoftPrompt(spec) => return Ok(Self::soft_prompt(spec.tokens, width, rows)),
        };
        let mut weights = Vec::new();
        for (index, rank) in ranks::ranks(spec, modules) {
            let module = &modules[index];
            let bound = 1.0 / (module.inputs as f32).sqrt();
            let mut random = random(seed, Purpose::Lora, [index as u64, 0]);
            let a = (0..rank * module.inputs).map(|_| random.random_range(-bound..bound)).collect();
            weights.push((index, rank, a, vec![0.0; module.outputs * rank]));
        }
        if let Targets::Named(names) = &spec.targets {
            let missing = names.iter().find(|name| {
                !modules.iter().any(|module| matches_target(&Targets::Named(vec![(*name).clone()]), &module.name))
            });
            if let Some(name) = missing {
                return Err(Error::NoSuchTarget { name: name.clone(), known: layer_kinds(modules) });
            }
        }
        if let Some(name) = ranks::unknown(spec, modules) {
            return Err(Error::NoSuchTarget { name: name.to_owned(), known: layer_kinds(modules) });
        }
        Ok(Self::lora(modules, spec.scaling(), weights))
    }

    /// Number of trainable parameters of an adapter with this spec; with ranks by sensitivity, at most so many.
    #[must_use]
    pub fn parameters(spec: &AdapterSpec, model: &Model) -> usize {
        match spec {
            AdapterSpec::Lora(lora) => {
                let modules = model.target_modules();
                let size = |(index, rank)| rank * ranks::cost(&modules[index]);
                ranks::ranks(lora, modules).into_iter().map(size).sum()
            }
            AdapterSpec::SoftPrompt(prompt) => prompt.tokens * model.width(),
        }
    }

    /// Digest of everything that determines what the adapter computes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut parts = vec![format!("{:?}", self.kind).into_bytes()];
        for (name, param) in self.params.iter() {
            parts.push(format!("{name} {} {}", param.rows, param.cols).into_bytes());
        }
        parts.push(self.weight_bytes());
        Digest::of_parts(parts.iter().map(Vec::as_slice))
    }

    /// All its weights, as bytes for a digest.
    #[must_use]
    pub fn weight_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.params.data().iter().flat_map(|number| number.to_le_bytes()).collect();
        if let Some(own) = &self.own {
            let outputs = own.outputs.values().flat_map(|outputs| outputs.gain.iter().chain(&outputs.bias));
            bytes.extend(outputs.flat_map(|number| number.to_le_bytes()));
            own.embedding.iter().chain(&own.head).for_each(|table| bytes.extend_from_slice(&table.stored_bytes()));
        }
        bytes
    }

    /// Adds what only adapters made elsewhere have.
    pub(crate) fn with_own(mut self, own: Own) -> Self {
        let Own { outputs, embedding, head } = &own;
        if !outputs.is_empty() || embedding.is_some() || head.is_some() {
            self.own = Some(Arc::new(own));
        }
        self
    }

    /// Its kind.
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

    /// Size in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let tables = self.own.iter().flat_map(|own| own.embedding.iter().chain(&own.head));
        4 * self.params.data().len() + tables.map(graft_ops::Weight::bytes).sum::<usize>()
    }

    /// Copies the adapter to a device.
    #[must_use]
    pub fn upload<E: Device>(&self, device: &E) -> Adapter<E> {
        let Self { kind, params, lora, own, dropout } = self;
        let own = own.as_ref().map(|own| {
            let up = |table: &Option<graft_ops::Weight>| table.as_ref().map(|table| device.weight(table));
            Arc::new(Own { outputs: own.outputs.clone(), embedding: up(&own.embedding), head: up(&own.head) })
        });
        Adapter { kind: kind.clone(), params: device.params(params), lora: lora.clone(), own, dropout: *dropout }
    }
}

impl<D: Device> Adapter<D> {
    /// All trainable tensors, on the device.
    #[must_use]
    pub fn device_params(&self) -> &D::Params {
        &self.params
    }

    /// All trainable tensors, on the device.
    pub fn device_params_mut(&mut self) -> &mut D::Params {
        &mut self.params
    }

    /// Sets the dropout of LoRA's inputs; `None` for evaluation.
    pub fn set_dropout(&mut self, dropout: Option<Dropout>) {
        self.dropout = dropout.filter(|d| d.rate > 0.0);
    }

    /// Whether any of these target modules has trainable weights.
    #[must_use]
    pub fn touches(&self, mut modules: std::ops::Range<usize>) -> bool {
        modules.any(|module| self.lora.get(module).is_some_and(Option::is_some))
    }

    /// Number of virtual tokens before the input; 0 for LoRA.
    #[must_use]
    pub fn virtual_tokens(&self) -> usize {
        match self.kind {
            AdapterKind::SoftPrompt { tokens } => tokens,
            AdapterKind::Lora { .. } => 0,
        }
    }

    /// The embeddings `(tokens, width)` of the virtual tokens.
    pub(crate) fn prompt(&self) -> Option<D::Param<'_>> {
        match self.kind {
            AdapterKind::SoftPrompt { tokens } => Some(D::rows(D::param(&self.params, 0), 0..tokens)),
            AdapterKind::Lora { .. } => None,
        }
    }

    /// Whether it can be trained further: DoRA, biases and tables of its own are only computed.
    #[must_use]
    pub fn is_trainable(&self) -> bool {
        self.own.is_none()
    }

    /// Its own token embeddings.
    pub(crate) fn embedding(&self) -> Option<&D::Weight> {
        self.own.as_ref()?.embedding.as_ref()
    }

    /// Its own output head.
    pub(crate) fn head(&self) -> Option<&D::Weight> {
        self.own.as_ref()?.head.as_ref()
    }

    /// Changes the outputs of a linear layer for some rows of its input.
    fn adjust(&self, device: &D, layer: &Linear<D>, y: &mut D::Matrix, rows: Range<usize>) {
        if let Some(Outputs { gain, bias }) = self.own.as_ref().and_then(|own| own.outputs.get(&layer.module)) {
            let part = |all: &[f32]| layer.rows.start.min(all.len())..layer.rows.end.min(all.len());
            device.adjust(y, rows, &gain[part(gain)], &bias[part(bias)]);
        }
    }

    /// The LoRA weights of a linear layer, for its rows of the target module.
    pub(crate) fn at(&self, linear: &Linear<D>) -> Option<Lora<D::Param<'_>>> {
        let module = linear.module;
        let (a, b) = (*self.lora.get(module)?)?;
        let AdapterKind::Lora { scale } = self.kind else { return None };
        let dropout = self.dropout.map(|d| Dropout { seed: d.seed ^ ((module as u64) << 40), ..d });
        let b = D::rows(D::param(&self.params, b), linear.rows.clone());
        Some(Lora { a: D::param(&self.params, a), b, scale, dropout })
    }
}

/// Consecutive packed rows and the adapter that applies to them.
pub(crate) type Group<'a, D> = (Range<usize>, Option<&'a Adapter<D>>);

/// Assigns adapters to rows.
pub(crate) trait Adapt<'a, D: Device>: Copy {
    /// Products of the same input with the weights of several linear layers (such as q, k and v), with LoRA terms and
    /// without biases.
    fn products<const N: usize>(
        self,
        tape: &mut Tape<'a, D>,
        x: &Tensor<D>,
        layers: [&'a Linear<D>; N],
    ) -> [Tensor<D>; N];

    /// Several linear layers with the same input: (rows, in) to (rows, out) each.
    fn linears<const N: usize>(
        self,
        tape: &mut Tape<'a, D>,
        x: &Tensor<D>,
        layers: [&'a Linear<D>; N],
    ) -> [Tensor<D>; N] {
        let mut own = layers.iter();
        self.products(tape, x, layers).map(|y| match own.next() {
            Some(layer) => layer.with_bias(tape, y),
            None => y,
        })
    }

    /// A linear layer with the LoRA terms of its target module: `(rows, in)` to `(rows, out)`.
    fn linear(self, tape: &mut Tape<'a, D>, x: &Tensor<D>, layer: &'a Linear<D>) -> Tensor<D> {
        let [y] = self.linears(tape, x, [layer]);
        y
    }

    /// Embeddings of tokens, one per row, from the model's table or an adapter's own.
    fn gather(self, device: &D, table: &D::Weight, tokens: &[u32]) -> D::Matrix;

    /// Writes a soft prompt over the rows that start at each of `places`, from the adapter of its group.
    fn place(self, tape: &mut Tape<'a, D>, x: D::Matrix, places: Option<Rc<[usize]>>) -> Tensor<D>;

    /// The same adapters for the wanted rows only.
    fn of_wanted(self) -> Self;
}

/// The same adapter, or none, for all rows, with gradients, as in training.
impl<'a, D: Device> Adapt<'a, D> for Option<&'a Adapter<D>> {
    fn products<const N: usize>(
        self,
        tape: &mut Tape<'a, D>,
        x: &Tensor<D>,
        layers: [&'a Linear<D>; N],
    ) -> [Tensor<D>; N] {
        layers.map(|layer| {
            let y = tape.linear(x, &layer.weight, self.and_then(|adapter| adapter.at(layer)));
            let Some(adapter) = self.filter(|adapter| !adapter.is_trainable()) else { return y };
            let device = tape.device();
            let mut y = y.into_matrix(device);
            let rows = 0..y.rows();
            adapter.adjust(device, layer, &mut y, rows);
            Tensor::constant(y)
        })
    }

    fn gather(self, device: &D, table: &D::Weight, tokens: &[u32]) -> D::Matrix {
        device.gather(self.and_then(Adapter::embedding).unwrap_or(table), tokens)
    }

    fn place(self, tape: &mut Tape<'a, D>, x: D::Matrix, places: Option<Rc<[usize]>>) -> Tensor<D> {
        match self.and_then(Adapter::prompt).zip(places) {
            Some((prompt, places)) => tape.place(x, prompt, tape.device().indices(places)),
            None => Tensor::constant(x),
        }
    }

    fn of_wanted(self) -> Self {
        self
    }
}

/// One adapter per group of rows, without gradients, as in batched generation.
pub(crate) struct Groups<'a, D: Device> {
    /// Groups of all rows.
    pub(crate) all: &'a [Group<'a, D>],
    /// Groups of the rows that remain after the last block has selected the wanted ones.
    pub(crate) wanted: &'a [Group<'a, D>],
}

impl<D: Device> Clone for Groups<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Device> Copy for Groups<'_, D> {}

impl<'a, D: Inference> Adapt<'a, D> for Groups<'a, D> {
    fn products<const N: usize>(
        self,
        tape: &mut Tape<'a, D>,
        x: &Tensor<D>,
        layers: [&'a Linear<D>; N],
    ) -> [Tensor<D>; N] {
        let adapted = layers.map(|layer| {
            let lora =
                |(rows, adapter): &Group<'a, D>| Some(LoraRows { rows: rows.clone(), lora: (*adapter)?.at(layer)? });
            (&layer.weight, self.all.iter().filter_map(lora).collect())
        });
        let mut results = tape.device().linears(x.value(), &adapted);
        for (layer, y) in layers.iter().zip(&mut results) {
            for (rows, adapter) in self.all.iter().filter_map(|(rows, adapter)| Some((rows, (*adapter)?))) {
                adapter.adjust(tape.device(), layer, y, rows.clone());
            }
        }
        results.map(Tensor::constant)
    }

    fn gather(self, device: &D, table: &D::Weight, tokens: &[u32]) -> D::Matrix {
        let own = |adapter: Option<&'a Adapter<D>>| adapter.and_then(Adapter::embedding);
        if self.all.iter().all(|(_, adapter)| own(*adapter).is_none()) {
            return device.gather(table, tokens);
        }
        let mut all = device.zeros(tokens.len(), table.cols());
        for (rows, adapter) in self.all {
            let part = device.gather(own(*adapter).unwrap_or(table), &tokens[rows.clone()]);
            device.select_backward(&mut all, &part, &device.indices(rows.clone().collect()));
        }
        all
    }

    fn place(self, tape: &mut Tape<'a, D>, mut x: D::Matrix, places: Option<Rc<[usize]>>) -> Tensor<D> {
        for (rows, prompt) in self.all.iter().filter_map(|(rows, a)| Some((rows, a.as_ref()?.prompt()?))) {
            let own: Rc<[usize]> = places.iter().flat_map(|p| p.iter()).copied().filter(|p| rows.contains(p)).collect();
            tape.device().place(&mut x, &prompt, &tape.device().indices(own));
        }
        Tensor::constant(x)
    }

    fn of_wanted(self) -> Self {
        Self { all: self.wanted, ..self }
    }
}

/// Whether a module is among the targets. Names match as in PEFT: the whole path, or a suffix of it after a dot.
#[must_use]
pub fn matches_target(targets: &Targets, name: &str) -> bool {
    match targets {
        Targets::AllLinear => true,
        Targets::Decoder => !name.starts_with("encoder."),
        Targets::Named(names) => names.iter().any(|end| ranks::ends_with(name, end)),
    }
}

/// The distinct last components of the modules' names, for an error message.
fn layer_kinds(modules: &[TargetModule]) -> String {
    let mut kinds: Vec<&str> = modules.iter().filter_map(|module| module.name.rsplit('.').next()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_modules_match_as_in_peft() {
        let named = |name: &str| Targets::Named(vec![name.into()]);
        assert!(matches_target(&named("q_proj"), "model.layers.0.self_attn.q_proj"));
        assert!(matches_target(&named("self_attn.q_proj"), "model.layers.0.self_attn.q_proj"));
        assert!(!matches_target(&named("proj"), "model.layers.0.self_attn.q_proj"));
        assert!(!matches_target(&named("q"), "model.layers.0.self_attn.q_proj"));
    }
}
