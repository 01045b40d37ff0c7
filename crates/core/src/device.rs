use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The device that a run computes on: `auto`, `cpu`, `gpu` or `gpu:N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputeDevice {
    /// The first usable GPU if build and machine support one, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU of the machine, by index from 0.
    Gpu(usize),
}

impl ComputeDevice {
    /// Whether it is [`Auto`](Self::Auto).
    #[must_use]
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl fmt::Display for ComputeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(index) => write!(f, "gpu:{index}"),
        }
    }
}

impl FromStr for ComputeDevice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(0)),
            other => match other.strip_prefix("gpu:").and_then(|index| index.parse().ok()) {
                Some(index) => Ok(Self::Gpu(index)),
                None => Err(format!("`{other}` is none of `auto`, `cpu`, `gpu` and `gpu:N`")),
            },
        }
    }
}

impl Serialize for ComputeDevice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ComputeDevice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_survive_a_round_trip() {
        for (text, device) in [
            ("auto", ComputeDevice::Auto),
            ("cpu", ComputeDevice::Cpu),
            ("gpu", ComputeDevice::Gpu(0)),
            ("gpu:3", ComputeDevice::Gpu(3)),
        ] {
            assert_eq!(text.parse(), Ok(device));
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert!("gpu:".parse::<ComputeDevice>().is_err() && "cuda".parse::<ComputeDevice>().is_err());
    }
}
