//! A GPU emulated on the host: the same CUDA C, compiled by the C++ compiler with `shim.h`.
#![expect(unsafe_code, reason = "calls into the compiled kernels; addresses are those of boxes kept here")]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::{CString, c_char, c_uint, c_void},
    path::PathBuf,
    process::Command,
    sync::OnceLock,
};

use graft_gpu::{Address, Cuda, Element, Error, Factor, Gpu, KERNELS, Launch, Product, Runtime, SOURCES};
use libloading::Library;

type Multiply = unsafe extern "C" fn(
    i32,
    *const i32,
    *const c_void,
    *const usize,
    *const c_void,
    *const usize,
    *mut f32,
    usize,
    f32,
    f32,
);
type Emulate = unsafe extern "C" fn(*const c_char, c_uint, c_uint, c_uint, *mut *mut c_void) -> i32;

/// The devices to test: the emulator, and the real GPU that `GRAFT_TEST_GPU` names, if any.
pub(crate) fn gpus(element: Element) -> Vec<Gpu> {
    let mut gpus = Vec::new();
    if let Ok(index) = std::env::var("GRAFT_TEST_GPU") {
        let cuda = Cuda::open(index.parse().unwrap()).unwrap();
        assert_eq!(cuda.without_blas(), None);
        return vec![Gpu::new(Box::new(cuda), element)];
    }
    match library() {
        Some(_) => gpus.push(Gpu::new(Box::new(Emulator::default()), element)),
        None => println!("SKIPPED: there is no C++ compiler (`c++`) to run the kernels on the host"),
    }
    gpus
}

/// Compiles the kernels once.
fn library() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/emulator");
            let text = |name: &str| std::fs::read_to_string(here.join(name)).unwrap();
            let entries: Vec<String> = KERNELS.iter().map(|kernel| format!("entry(\"{kernel}\", {kernel})")).collect();
            let entries = format!("#define ENTRIES {}\n", entries.join(", "));
            let source =
                [&text("shim.h"), &SOURCES.join("\n"), &entries, &text("launch.h")].map(String::as_str).join("\n");
            let folder = tempfile::tempdir().unwrap();
            let (from, to) = (folder.path().join("kernels.cpp"), folder.path().join("kernels.so"));
            std::fs::write(&from, source).unwrap();
            let options =
                ["-std=c++17", "-O2", "-w", "-fno-strict-aliasing", "-U_FORTIFY_SOURCE", "-shared", "-fPIC", "-o"];
            let compiled = Command::new("c++").args(options).arg(&to).arg(&from).output().ok()?;
            assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
            // SAFETY: the library was just built from our own sources.
            Some(unsafe { Library::new(&to) }.unwrap())
        })
        .as_ref()
}

#[derive(Default)]
struct Emulator {
    buffers: RefCell<BTreeMap<Address, Box<[u64]>>>,
}

impl Emulator {
    /// Checks that the memory is allocated, and returns a pointer to it.
    fn memory(&self, at: Address, bytes: usize) -> *mut u8 {
        let buffers = self.buffers.borrow();
        let (start, buffer) = buffers.range(..=at).next_back().unwrap();
        assert!(at + bytes as u64 <= start + 8 * buffer.len() as u64, "an access outside its buffer");
        at as *mut u8
    }

    /// Checks that a product's factor is allocated completely, and returns a pointer to it with its strides.
    fn factor(&self, product: &Product, factor: Factor, (rows, cols): (usize, usize)) -> (*const c_void, [usize; 2]) {
        let (stored_rows, stored_cols) = if factor.transposed { (cols, rows) } else { (rows, cols) };
        let size = if product.element == Element::Bf16 { 2 } else { 4 };
        let bytes = size * ((stored_rows - 1) * factor.pitch + stored_cols);
        let strides = if factor.transposed { [1, factor.pitch] } else { [factor.pitch, 1] };
        (self.memory(factor.address, bytes).cast_const().cast(), strides)
    }
}

impl Runtime for Emulator {
    fn name(&self) -> String {
        "emulator".into()
    }

    fn memory(&self) -> (u64, u64) {
        (1 << 30, 1 << 30)
    }

    fn allocate(&self, bytes: usize) -> Result<Address, Error> {
        // Filled with NaN, so that a read of unwritten memory shows.
        let buffer = vec![u64::MAX; bytes.div_ceil(8)].into_boxed_slice();
        let address = buffer.as_ptr() as Address;
        self.buffers.borrow_mut().insert(address, buffer);
        Ok(address)
    }

    fn release(&self, address: Address) {
        self.buffers.borrow_mut().remove(&address).unwrap();
    }

    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Error> {
        // SAFETY: `memory` checked the address.
        unsafe { self.memory(to, bytes.len()).copy_from(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    fn download(&self, from: Address, bytes: &mut [u8]) -> Result<(), Error> {
        // SAFETY: `memory` checked the address.
        unsafe { self.memory(from, bytes.len()).copy_to(bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    fn copy(&self, to: Address, from: Address, bytes: usize) -> Result<(), Error> {
        // SAFETY: `memory` checked both addresses.
        unsafe { self.memory(to, bytes).copy_from(self.memory(from, bytes), bytes) };
        Ok(())
    }

    fn clear(&self, at: Address, bytes: usize) -> Result<(), Error> {
        // SAFETY: `memory` checked the address.
        unsafe { self.memory(at, bytes).write_bytes(0, bytes) };
        Ok(())
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<(), Error> {
        // SAFETY: the library is never unloaded, and the type matches `launch.h`.
        let emulate = unsafe { library().unwrap().get::<Emulate>(b"emulate") }.unwrap();
        let name = CString::new(launch.kernel).unwrap();
        let mut pointers: Vec<*mut c_void> =
            launch.arguments.iter().map(|word| std::ptr::from_ref(word) as *mut c_void).collect();
        let (x, y) = launch.blocks;
        assert!(launch.shared <= 96 << 10 && launch.threads <= 1024 && y <= 65_535);
        // The library has global fibers and shared memory, so launches are serialized.
        static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let turn = TURN.lock();
        // SAFETY: the kernel gets the same arguments as on a GPU.
        let status = unsafe { emulate(name.as_ptr(), x, y, launch.threads, pointers.as_mut_ptr()) };
        drop(turn);
        assert_eq!(status, 0, "there is no kernel `{}`", launch.kernel);
        Ok(())
    }

    fn product(&self, product: &Product) -> Result<bool, Error> {
        let (m, n, k) = product.shape;
        if m * n * k < 1 << 12 {
            // Small products use our own kernel.
            return Ok(false);
        }
        let (a, a_strides) = self.factor(product, product.a, (m, k));
        let (b, b_strides) = self.factor(product, product.b, (k, n));
        let c = self.memory(product.c, 4 * ((m - 1) * product.c_pitch + n)).cast();
        let shape = [m as i32, n as i32, k as i32];
        let is_bf16 = i32::from(product.element == Element::Bf16);
        // SAFETY: the library is never unloaded, the type matches `launch.h`, and the addresses were checked.
        unsafe {
            let multiply = library().unwrap().get::<Multiply>(b"emulate_product").unwrap();
            multiply(
                is_bf16,
                shape.as_ptr(),
                a,
                a_strides.as_ptr(),
                b,
                b_strides.as_ptr(),
                c,
                product.c_pitch,
                product.alpha,
                product.beta,
            );
        }
        Ok(true)
    }
}
