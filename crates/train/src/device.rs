use graft_core::{ComputeDevice, Precision};
use graft_ops::{Bf16, Cpu};

use crate::Error;

/// What a training computes on.
pub(crate) enum Compute {
    /// The CPU.
    Cpu(Products),
    /// A GPU that was started.
    #[cfg(feature = "cuda")]
    Gpu(graft_gpu::Gpu),
}

/// How the CPU computes products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Products {
    /// With what.
    pub(crate) cpu: Cpu,
    /// Whether the run computed in another way until now, so that it ends with other last bits.
    pub(crate) changed: bool,
}

impl Products {
    /// Those of a spec. A run that `before` computed in some way goes on with it where this machine can.
    fn of(precision: Precision, before: Option<&Option<String>>) -> Result<Self, Error> {
        let same = before.map(|name| name.as_deref().map(Bf16::named));
        let way = match (precision, same) {
            (Precision::F32, _) | (Precision::Auto, Some(None)) => None,
            (_, Some(Some(Some(way)))) => Some(way),
            _ => bf16_of(precision),
        };
        if precision == Precision::Bf16 && way.is_none() {
            return Err(Error::NoBf16);
        }
        let changed = before.is_some_and(|name| name.as_deref() != way.map(Bf16::name));
        Ok(Self { cpu: way.map_or(Cpu::F32, Cpu::Bf16), changed })
    }

    /// What the way is called in a checkpoint; f32 has no name.
    pub(crate) fn name(self) -> Option<String> {
        match self.cpu {
            Cpu::F32 => None,
            Cpu::Bf16(way) => Some(way.name().to_owned()),
        }
    }

    /// What people should know.
    pub(crate) fn note(self) -> Option<String> {
        let now = match self.cpu {
            Cpu::F32 => "f32".to_owned(),
            Cpu::Bf16(way) => format!("bf16 ({way})"),
        };
        if self.changed {
            return Some(format!(
                "Computing products in {now}: not as before, so the result differs from an uninterrupted training's."
            ));
        }
        matches!(self.cpu, Cpu::Bf16(_)).then(|| format!("Computing products in {now}."))
    }
}

/// How a new training on this machine's CPU rounds to bf16, if it does.
#[must_use]
pub fn bf16_of(precision: Precision) -> Option<Bf16> {
    match precision {
        Precision::F32 => None,
        Precision::Bf16 => Bf16::found(),
        Precision::Auto => automatic(),
    }
}

/// What `auto` means on this machine.
fn automatic() -> Option<Bf16> {
    Bf16::found()
}

/// Opens the device that a spec names; `before` is how products were computed until now.
#[cfg(feature = "cuda")]
pub(crate) fn open(
    device: ComputeDevice,
    precision: Precision,
    before: Option<&Option<String>>,
) -> Result<Compute, Error> {
    use graft_gpu::{Cuda, Element, Gpu};
    let element = if precision == Precision::F32 { Element::F32 } else { Element::Bf16 };
    let start = |index| Cuda::open(index).map(|cuda| Compute::Gpu(Gpu::new(Box::new(cuda), element)));
    let cpu = || Products::of(precision, before).map(Compute::Cpu);
    match device {
        ComputeDevice::Cpu => cpu(),
        ComputeDevice::Auto => start(0).map_or_else(|_| cpu(), Ok),
        ComputeDevice::Gpu(index) => start(index).map_err(|e| Error::Model(graft_nn::Error::Device(e.into()))),
    }
}

/// Opens the device that a spec names; this build has only the CPU.
#[cfg(not(feature = "cuda"))]
pub(crate) fn open(
    device: ComputeDevice,
    precision: Precision,
    before: Option<&Option<String>>,
) -> Result<Compute, Error> {
    match device {
        ComputeDevice::Auto | ComputeDevice::Cpu => Products::of(precision, before).map(Compute::Cpu),
        ComputeDevice::Gpu(_) => Err(Error::NoGpuBuild),
    }
}

/// What there is to compute on beside the CPU, and what would help where something is missing.
#[cfg(feature = "cuda")]
#[must_use]
pub fn gpus() -> (String, Option<String>) {
    use graft_gpu::{Cuda, find};
    let started = find().and_then(|all| Ok((all, Cuda::open(0)?)));
    match started {
        Err(error) => (format!("none: failed to {error}"), Some(error.hint().into())),
        Ok((all, cuda)) => {
            let one = |found: &graft_gpu::Found| format!("{} ({} GiB)", found.name, found.memory >> 30);
            let found = all.iter().map(one).collect::<Vec<_>>().join(", ");
            match cuda.without_blas() {
                None => (format!("{found}, with cuBLAS"), None),
                Some(error) => {
                    (format!("{found}, without cuBLAS"), Some(format!("products are slow: failed to {error}")))
                }
            }
        }
    }
}

/// What there is to compute on beside the CPU: this build uses nothing else.
#[cfg(not(feature = "cuda"))]
#[must_use]
pub fn gpus() -> (String, Option<String>) {
    ("not used: this build of Graft was made without `--features cuda`".into(), None)
}

/// How many GPUs this build can use on this machine.
#[must_use]
pub fn gpu_count() -> usize {
    #[cfg(feature = "cuda")]
    return graft_gpu::find().map_or(0, |all| all.len());
    #[cfg(not(feature = "cuda"))]
    0
}
