//! What a GPU must be able to do for us: memory, copies, launches of our kernels, products.

use crate::{Element, Error};

/// Where a buffer lies in the device's memory; 0 is nowhere.
pub type Address = u64;

/// A device that runs this crate's kernels, in the order they are launched. NVIDIA's driver is one; the tests run the same
/// kernels on the host.
pub trait Runtime {
    /// What people know it as.
    fn name(&self) -> String;

    /// Bytes that are free now, and all there are.
    fn memory(&self) -> (u64, u64);

    /// Takes memory, with arbitrary contents.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where there is not that much.
    fn allocate(&self, bytes: usize) -> Result<Address, Error>;

    /// Gives memory back.
    fn release(&self, address: Address);

    /// Copies bytes to the device.
    ///
    /// # Errors
    /// What the device says.
    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Error>;

    /// Waits for all work and copies bytes from the device.
    ///
    /// # Errors
    /// What the device says, of earlier work too.
    fn download(&self, from: Address, bytes: &mut [u8]) -> Result<(), Error>;

    /// Copies within the device.
    ///
    /// # Errors
    /// What the device says.
    fn copy(&self, to: Address, from: Address, bytes: usize) -> Result<(), Error>;

    /// Fills memory with zeros.
    ///
    /// # Errors
    /// What the device says.
    fn clear(&self, at: Address, bytes: usize) -> Result<(), Error>;

    /// Runs a kernel.
    ///
    /// # Errors
    /// What the device says.
    fn launch(&self, launch: &Launch<'_>) -> Result<(), Error>;

    /// Computes a product with the vendor's library; `false` where there is none, and our own kernel must do it.
    ///
    /// # Errors
    /// What the library says.
    fn product(&self, product: &Product) -> Result<bool, Error>;
}

/// A launch of one of our kernels.
#[derive(Debug)]
pub struct Launch<'l> {
    /// Its name in `kernels/`.
    pub kernel: &'static str,
    /// Blocks in both directions.
    pub blocks: (u32, u32),
    /// Threads of a block.
    pub threads: u32,
    /// Bytes of shared memory beyond what the kernel declares.
    pub shared: u32,
    /// Its arguments in the low bytes of each word.
    pub arguments: &'l [u64],
}

/// `c (m, n) = alpha · a (m, k) · b (k, n) + beta · c`, all row-major; sums in f32.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// `(m, n, k)`.
    pub shape: (usize, usize, usize),
    /// Left.
    pub a: Factor,
    /// Right.
    pub b: Factor,
    /// The result, f32.
    pub c: Address,
    /// Numbers from a row of the result to the next.
    pub c_pitch: usize,
    /// Factor on the product.
    pub alpha: f32,
    /// Factor on what is there.
    pub beta: f32,
    /// What the factors' elements are.
    pub element: Element,
}

/// A factor of a product.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// Its first element.
    pub address: Address,
    /// Elements from a stored row to the next.
    pub pitch: usize,
    /// Whether it is stored as its transpose.
    pub transposed: bool,
}

/// Something a kernel takes as an argument.
pub(crate) trait Argument {
    /// Its bits in the low bytes.
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

/// An `int` there.
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

/// A size as a kernel's `int`.
pub(crate) fn int(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}
