use graft_core::{ComputeDevice, Precision};
use graft_ops::{Bf16, Cpu};

use crate::Error;

/// The device that a training computes on.
pub(crate) enum Compute {
    /// The CPU.
    Cpu(Products),
    /// A GPU, initialized.
    #[cfg(feature = "cuda")]
    Gpu(graft_gpu::Gpu),
}

/// How the CPU computes products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Products {
    /// The CPU with its instructions for products.
    pub(crate) cpu: Cpu,
    /// Whether the run used another arithmetic before, so that its last bits differ from an uninterrupted run.
    pub(crate) changed: bool,
}

impl Products {
    /// The arithmetic for a spec. A run that already used one (`before`) keeps it if this machine supports it.
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

    /// Its name in a checkpoint; `None` for f32.
    pub(crate) fn name(self) -> Option<String> {
        match self.cpu {
            Cpu::F32 => None,
            Cpu::Bf16(way) => Some(way.name().to_owned()),
        }
    }

    /// A note for people.
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

/// The meaning of `auto` on this machine.
fn automatic() -> Option<Bf16> {
    Bf16::found()
}

/// Opens the device of a spec; `before` is how products were computed before.
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

/// Opens the device of a spec; this build has only the CPU.
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

/// Describes the GPUs, with a hint if something is missing.
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

/// Describes the GPUs: this build uses none.
#[cfg(not(feature = "cuda"))]
#[must_use]
pub fn gpus() -> (String, Option<String>) {
    ("not used: this build of Graft was made without `--features cuda`".into(), None)
}

/// Number of GPUs that this build can use on this machine.
#[must_use]
pub fn gpu_count() -> usize {
    #[cfg(feature = "cuda")]
    return graft_gpu::find().map_or(0, |all| all.len());
    #[cfg(not(feature = "cuda"))]
    0
}
