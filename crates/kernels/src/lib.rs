//! f32 and quantized slice kernels.

mod dequant;
mod dtype;
mod map;

pub use dequant::dequantize;
pub use dtype::Dtype;
pub use map::{Map, map_file};
