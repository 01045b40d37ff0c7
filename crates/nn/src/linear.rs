use std::ops::Range;

use graft_formats::Tensors;
use graft_ops::{Cpu, Device, Shaped as _, Tape, Tensor};

use crate::{Error, TargetModule, model::load};

/// A frozen linear layer. Its weight may be a range of rows of a target module's weight.
#[derive(Debug)]
pub(crate) struct Linear<D: Device = Cpu> {
    /// `(out, in)`.
    pub(crate) weight: D::Weight,
    /// `(1, out)`.
    bias: Option<D::Weight>,
    /// Its target module.
    pub(crate) module: usize,
    /// Its rows in the target module's weight.
    pub(crate) rows: Range<usize>,
}

impl Linear {
    pub(crate) fn upload<E: Device>(&self, device: &E) -> Linear<E> {
        let Self { weight, bias, module, rows } = self;
        let bias = bias.as_ref().map(|bias| device.weight(bias));
        Linear { weight: device.weight(weight), bias, module: *module, rows: rows.clone() }
    }
}

impl<D: Device> Linear<D> {
    /// `y` with the bias added to each row.
    pub(crate) fn with_bias(&self, tape: &mut Tape<'_, D>, y: Tensor<D>) -> Tensor<D> {
        let Some(bias) = &self.bias else { return y };
        let rows = tape.device().gather(bias, &vec![0; y.value().rows()]);
        tape.add(&y, Tensor::constant(rows))
    }
}

/// Reads linear layers and lists them as target modules.
pub(crate) struct Loader<'t> {
    pub(crate) tensors: &'t Tensors,
    pub(crate) modules: Vec<TargetModule>,
}

impl<'t> Loader<'t> {
    pub(crate) fn new(tensors: &'t Tensors) -> Self {
        Self { tensors, modules: Vec::new() }
    }

    fn module(&mut self, name: &str, outputs: usize, inputs: usize) -> usize {
        self.modules.push(TargetModule { name: name.to_owned(), inputs, outputs });
        self.modules.len() - 1
    }

    /// A layer `(outputs, inputs)` without a bias.
    pub(crate) fn one(&mut self, name: &str, outputs: usize, inputs: usize) -> Result<Linear, Error> {
        let weight = load::matrix(self.tensors, &format!("{name}.weight"), outputs, inputs)?;
        Ok(Linear { weight, bias: None, module: self.module(name, outputs, inputs), rows: 0..outputs })
    }

    /// Layers with the same input, each its own target module.
    pub(crate) fn each<const N: usize>(
        &mut self,
        names: &[String; N],
        outputs: [usize; N],
        inputs: usize,
        bias: bool,
    ) -> Result<[Linear; N], Error> {
        let mut all = Vec::with_capacity(N);
        for (name, outputs) in names.iter().zip(outputs) {
            let mut linear = self.one(name, outputs, inputs)?;
            if bias {
                linear.bias = Some(load::row(self.tensors, &format!("{name}.bias"), outputs)?);
            }
            all.push(linear);
        }
        Ok(array(all))
    }

    /// Layers that are consecutive rows of one target module's weight.
    pub(crate) fn parts<const N: usize>(
        &mut self,
        name: &str,
        outputs: [usize; N],
        inputs: usize,
    ) -> Result<[Linear; N], Error> {
        let all: usize = outputs.iter().sum();
        let stored = load::stored(self.tensors, &format!("{name}.weight"), all, inputs)?;
        let (module, mut first) = (self.module(name, all, inputs), 0);
        Ok(outputs.map(|outputs| {
            let rows = first..first + outputs;
            first += outputs;
            Linear { weight: load::weight(stored.part(rows.clone())), bias: None, module, rows }
        }))
    }
}

fn array<T, const N: usize>(all: Vec<T>) -> [T; N] {
    match all.try_into() {
        Ok(all) => all,
        Err(_) => unreachable!("one was pushed for each name"),
    }
}
