//! The functions that this crate needs of a GPU: memory, copies, kernel launches, products.

use crate::{Element, Error};

/// An address in the device's memory; 0 is invalid.
pub type Address = u64;

/// A device that executes this crate's kernels, in launch order. NVIDIA's driver is one; the tests execute the same
/// kernels on the host.
pub trait Runtime {
    /// Name for people.
    fn name(&self) -> String;

    /// Free and total memory in bytes.
    fn memory(&self) -> (u64, u64);

    /// Allocates memory, with arbitrary contents.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if there is not enough.
    fn allocate(&self, bytes: usize) -> Result<Address, Error>;

    /// Frees memory.
    fn release(&self, address: Address);

    /// Copies bytes to the device.
    ///
    /// # Errors
    /// If the device fails.
    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Error>;

    /// Waits for all work and copies bytes from the device.
    ///
    /// # Errors
    /// If the device fails, also in earlier work.
    fn download(&self, from: Address, bytes: &mut [u8]) -> Result<(), Error>;

    /// Copies within the device.
    ///
    /// # Errors
    /// If the device fails.
    fn copy(&self, to: Address, from: Address, bytes: usize) -> Result<(), Error>;

    /// Fills memory with zeros.
    ///
    /// # Errors
    /// If the device fails.
    fn clear(&self, at: Address, bytes: usize) -> Result<(), Error>;

    /// Runs a kernel.
    ///
    /// # Errors
    /// If the device fails.
    fn launch(&self, launch: &Launch<'_>) -> Result<(), Error>;

    /// Computes a product with the vendor's library; returns `false` if there is none and our own kernel must compute
    /// it.
    ///
    /// # Errors
    /// If the library fails.
    fn product(&self, product: &Product) -> Result<bool, Error>;
}

/// A launch of a kernel.
#[derive(Debug)]
pub struct Launch<'l> {
    /// Its name in `kernels/`.
    pub kernel: &'static str,
    /// Blocks in both directions.
    pub blocks: (u32, u32),
    /// Threads of a block.
    pub threads: u32,
    /// Bytes of dynamic shared memory.
    pub shared: u32,
    /// Its arguments, in the low bytes of each word.
    pub arguments: &'l [u64],
}

/// `c (m, n) = alpha · a (m, k) · b (k, n) + beta · c`, all row-major; sums in f32.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// `(m, n, k)`.
    pub shape: (usize, usize, usize),
    /// Left factor.
    pub a: Factor,
    /// Right factor.
    pub b: Factor,
    /// The result, f32.
    pub c: Address,
    /// Distance of the result's rows in numbers.
    pub c_pitch: usize,
    /// Factor on the product.
    pub alpha: f32,
    /// Factor on the existing values.
    pub beta: f32,
    /// Element type of the factors.
    pub element: Element,
}

/// A factor of a product.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// Its first element.
    pub address: Address,
    /// Distance of stored rows in elements.
    pub pitch: usize,
    /// Whether it is stored transposed.
    pub transposed: bool,
}

/// A value that a kernel takes as an argument.
pub(crate) trait Argument {
    /// Its bits, in the low bytes.
    fn word(self) -> u64;
}

impl Argument for u64 {
    fn word(self) -> u64 {
        self
    }
}

impl Argument for u32 {
    fn word(self) -> u64 {
        u64::from(self)
    }
}

/// A C `int`.
impl Argument for i32 {
    fn word(self) -> u64 {
        u64::from(self.cast_unsigned())
    }
}

impl Argument for f32 {
    fn word(self) -> u64 {
        u64::from(self.to_bits())
    }
}

/// The arguments of a launch, in order.
macro_rules! arguments {
    ($($argument:expr),* $(,)?) => {
        &[$($crate::runtime::Argument::word($argument)),*]
    };
}
pub(crate) use arguments;

/// A size as a C `int`.
pub(crate) fn int(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}
