//! Recycles device memory: every training step needs the same few hundred buffers.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    rc::Rc,
};

use crate::{
    Address, Element, Error, Launch, Product, Runtime,
    runtime::{Argument, arguments, int},
};

/// A runtime, its recycled memory, and its first error. Operations don't return errors, because the device works
/// asynchronously. After an error they do nothing, and callers check for it before they use a result.
pub(crate) struct Machine {
    runtime: Box<dyn Runtime>,
    pub(crate) element: Element,
    pool: RefCell<Pool>,
    failure: RefCell<Option<Error>>,
    /// Limit of all buffers in bytes.
    limit: Cell<u64>,
    /// Whether weights are kept as operands of products.
    pub(crate) keep_operands: Cell<bool>,
}

#[derive(Default)]
struct Pool {
    free: BTreeMap<usize, Vec<Address>>,
    live: u64,
    recycled: u64,
    peak: u64,
}

/// A buffer in device memory. Dropping it recycles the memory.
pub(crate) struct Buffer {
    machine: Rc<Machine>,
    address: Address,
    bytes: usize,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.runtime.name())
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.bytes)
    }
}

/// Rounds a size up so that batches of slightly different length share buffers: to one of eight sizes per power of two.
fn class(bytes: usize) -> usize {
    let step = (bytes.next_power_of_two() / 16).max(512);
    bytes.max(1).next_multiple_of(step)
}

impl Machine {
    pub(crate) fn new(runtime: Box<dyn Runtime>, element: Element) -> Self {
        let (pool, failure) = (RefCell::default(), RefCell::default());
        Self { runtime, element, pool, failure, limit: Cell::new(u64::MAX), keep_operands: Cell::default() }
    }

    pub(crate) fn runtime(&self) -> &dyn Runtime {
        &*self.runtime
    }

    /// Records the first error.
    pub(crate) fn note<T>(&self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.failure.borrow_mut().get_or_insert(error).clone()).ok()
    }

    /// The first error since the last call; all results after it are invalid.
    pub(crate) fn take_failure(&self) -> Option<Error> {
        self.failure.borrow_mut().take()
    }

    fn failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// Peak since the last reset and current use, in bytes.
    pub(crate) fn used(&self) -> (u64, u64) {
        let pool = self.pool.borrow();
        (pool.peak, pool.live)
    }

    pub(crate) fn reset_peak(&self) {
        let mut pool = self.pool.borrow_mut();
        pool.peak = pool.live;
    }

    pub(crate) fn set_limit(&self, bytes: u64) {
        self.limit.set(bytes);
    }

    /// A buffer with arbitrary contents.
    pub(crate) fn take(self: &Rc<Self>, bytes: usize) -> Buffer {
        let size = class(bytes);
        let address = if self.failed() { 0 } else { self.note(self.find(size)).unwrap_or(0) };
        if address != 0 {
            let mut pool = self.pool.borrow_mut();
            pool.live += size as u64;
            pool.peak = pool.peak.max(pool.live);
        }
        Buffer { machine: Rc::clone(self), address, bytes: size }
    }

    fn find(&self, size: usize) -> Result<Address, Error> {
        let recycled = self.pool.borrow_mut().free.get_mut(&size).and_then(Vec::pop);
        if let Some(address) = recycled {
            self.pool.borrow_mut().recycled -= size as u64;
            return Ok(address);
        }
        let (live, recycled) = (self.pool.borrow().live, self.pool.borrow().recycled);
        if live + recycled + size as u64 > self.limit.get() {
            self.trim();
        }
        if live + size as u64 > self.limit.get() {
            return Err(Error::OutOfMemory { bytes: size as u64, free: self.limit.get().saturating_sub(live) });
        }
        match self.runtime.allocate(size) {
            Err(Error::OutOfMemory { .. }) => {
                // Recycled buffers of other sizes are freed to make room.
                self.trim();
                self.runtime.allocate(size)
            }
            other => other,
        }
    }

    /// Frees recycled memory.
    pub(crate) fn trim(&self) {
        let mut pool = self.pool.borrow_mut();
        pool.recycled = 0;
        for address in std::mem::take(&mut pool.free).into_values().flatten() {
            self.runtime.release(address);
        }
    }

    /// A buffer with these contents.
    pub(crate) fn upload<T: Word>(self: &Rc<Self>, words: &[T]) -> Buffer {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.bytes()).collect();
        self.upload_bytes(&bytes)
    }

    pub(crate) fn upload_bytes(self: &Rc<Self>, bytes: &[u8]) -> Buffer {
        let buffer = self.take(bytes.len());
        buffer.write(0, bytes);
        buffer
    }

    /// Launches a kernel; does nothing for zero blocks.
    pub(crate) fn launch(&self, kernel: &'static str, blocks: (usize, usize), threads: usize, arguments: &[u64]) {
        self.launch_shared(kernel, blocks, threads, 0, arguments);
    }

    /// The same with shared memory.
    pub(crate) fn launch_shared(
        &self,
        kernel: &'static str,
        (x, y): (usize, usize),
        threads: usize,
        shared: usize,
        arguments: &[u64],
    ) {
        if self.failed() || x == 0 || y == 0 {
            return;
        }
        let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let blocks = (size(x), size(y));
        let launch = Launch { kernel, blocks, threads: size(threads), shared: size(shared), arguments };
        self.note(self.runtime.launch(&launch));
    }

    /// Runs an element-wise kernel over `count` numbers.
    pub(crate) fn each(&self, kernel: &'static str, count: usize, arguments: &[u64]) {
        // A few blocks per multiprocessor; each thread processes elements at a fixed stride.
        self.launch(kernel, (count.div_ceil(256).min(4096), 1), 256, arguments);
    }

    /// Computes a product.
    pub(crate) fn multiply(&self, product: &Product) {
        let (m, n, k) = product.shape;
        if self.failed() || m == 0 || n == 0 {
            return;
        }
        if self.note(self.runtime.product(product)) == Some(false) {
            let kernel = self.element.kernel("product_bf16", "product_f32");
            let strides = |pitch: usize, transposed: bool| match (pitch as u64, transposed) {
                (pitch, false) => (pitch, 1),
                (pitch, true) => (1, pitch),
            };
            let (a_row, a_col) = strides(product.a.pitch, product.a.transposed);
            let (b_row, b_col) = strides(product.b.pitch, product.b.transposed);
            self.launch(
                kernel,
                (n.div_ceil(64), m.div_ceil(64)),
                256,
                arguments![
                    int(m),
                    int(n),
                    int(k),
                    product.a.address,
                    a_row,
                    a_col,
                    product.b.address,
                    b_row,
                    b_col,
                    product.c,
                    product.c_pitch as u64,
                    product.alpha,
                    product.beta,
                ],
            );
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.trim();
    }
}

/// A number that is copied to the device unchanged.
pub(crate) trait Word: Copy {
    fn bytes(self) -> [u8; 4];
}

impl Word for f32 {
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Word for u32 {
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Word for i32 {
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Buffer {
    pub(crate) fn machine(&self) -> &Rc<Machine> {
        &self.machine
    }

    /// Its address.
    pub(crate) fn address(&self) -> Address {
        self.address
    }

    /// Address of a byte in it.
    pub(crate) fn at(&self, byte: usize) -> Address {
        self.address + byte as u64
    }

    /// Overwrites bytes from `start` on.
    pub(crate) fn write(&self, start: usize, bytes: &[u8]) {
        assert!(start + bytes.len() <= self.bytes, "more bytes than the buffer holds");
        if !self.machine.failed() && !bytes.is_empty() {
            self.machine.note(self.machine.runtime.upload(self.at(start), bytes));
        }
    }

    /// Overwrites the first bytes with zeros.
    pub(crate) fn clear(&self, bytes: usize) {
        if !self.machine.failed() && bytes > 0 {
            self.machine.note(self.machine.runtime.clear(self.address, bytes));
        }
    }

    /// Overwrites the first bytes with those of another buffer.
    pub(crate) fn copy_from(&self, other: &Self, bytes: usize) {
        if !self.machine.failed() && bytes > 0 {
            self.machine.note(self.machine.runtime.copy(self.address, other.address, bytes));
        }
    }

    /// The first numbers; zeros after an error.
    pub(crate) fn floats(&self, count: usize) -> Vec<f32> {
        self.floats_from(0, count)
    }

    /// Numbers from an index on; zeros after an error.
    pub(crate) fn floats_from(&self, first: usize, count: usize) -> Vec<f32> {
        let mut bytes = vec![0; 4 * count];
        if !self.machine.failed() && count > 0 {
            self.machine.note(self.machine.runtime.download(self.at(4 * first), &mut bytes));
        }
        bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }
}

impl Argument for &Buffer {
    fn word(self) -> u64 {
        self.address
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.address == 0 {
            return;
        }
        let mut pool = self.machine.pool.borrow_mut();
        pool.live -= self.bytes as u64;
        pool.recycled += self.bytes as u64;
        pool.free.entry(self.bytes).or_default().push(self.address);
    }
}
