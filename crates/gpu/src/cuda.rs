//! NVIDIA's driver, loaded at run time.

use std::{
    collections::HashMap,
    ffi::{CString, c_void},
};

use cudarc::driver::{
    DriverError,
    result::{self, device, function, module, primary_ctx},
    sys::{self, CUdevice_attribute_enum as Attribute, CUfunction_attribute_enum as FunctionAttribute},
};

use crate::{
    Address, Error, KERNELS, Launch, Product, Runtime,
    blas::{Blas, BlasError},
};

/// The kernels, compiled for compute capability 8.0 by `cargo xtask gpu`; the driver translates them for newer GPUs.
const PTX: &str = include_str!("kernels.ptx");

/// Shared memory that a block can use without an explicit request.
const SHARED: u32 = 48 << 10;

/// Properties of a GPU, read without initializing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its memory in bytes.
    pub memory: u64,
    /// Its compute capability.
    pub capability: (i32, i32),
}

/// The GPUs of this machine.
///
/// # Errors
/// If there is no driver, or it does not work.
pub fn find() -> Result<Vec<Found>, Error> {
    start()?;
    let count = device::get_count().map_err(|e| refused("count the GPUs", e))?;
    (0..count).map(|index| found(device::get(index).map_err(|e| refused("query a GPU", e))?)).collect()
}

fn start() -> Result<(), Error> {
    // SAFETY: this only checks whether the library can be loaded.
    if !unsafe { sys::is_culib_present() } {
        return Err(Error::NoDriver { library: "libcuda.so.1" });
    }
    result::init().map_err(|e| refused("start the driver", e))
}

fn found(handle: sys::CUdevice) -> Result<Found, Error> {
    let failed = |e| refused("query a GPU", e);
    // SAFETY: the handle comes from the driver.
    let (memory, major, minor) = unsafe {
        let attribute = |which| device::get_attribute(handle, which).map_err(failed);
        (
            device::total_mem(handle).map_err(failed)? as u64,
            attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        )
    };
    Ok(Found { name: device::get_name(handle).map_err(failed)?, memory, capability: (major, minor) })
}

/// A GPU of this machine with loaded kernels. All work goes to its default stream, so it is executed in order.
#[derive(Debug)]
pub struct Cuda {
    found: Found,
    functions: HashMap<&'static str, sys::CUfunction>,
    blas: Result<Blas, BlasError>,
}

impl Cuda {
    /// Initializes a GPU, by index from 0.
    ///
    /// # Errors
    /// If there is no driver or no such GPU, or it is too old.
    pub fn open(index: usize) -> Result<Self, Error> {
        start()?;
        let count = device::get_count().map_err(|e| refused("count the GPUs", e))?;
        let ordinal = i32::try_from(index).unwrap_or(i32::MAX);
        if ordinal >= count {
            return Err(Error::NoSuchGpu { index, count: usize::try_from(count).unwrap_or(0) });
        }
        let handle = device::get(ordinal).map_err(|e| refused("query a GPU", e))?;
        let found = found(handle)?;
        if found.capability.0 < 8 {
            let (major, minor) = found.capability;
            return Err(Error::TooOld { name: found.name, major, minor });
        }
        // SAFETY: the primary context exists for the life of the process, and is made current on the thread that uses
        // it.
        unsafe {
            let context = primary_ctx::retain(handle).map_err(|e| refused("start", e))?;
            result::ctx::set_current(context).map_err(|e| refused("start", e))?;
        }
        let functions = load()?;
        Ok(Self { found, functions, blas: Blas::load() })
    }

    /// Why products use our own kernel instead of cuBLAS, if they do.
    #[must_use]
    pub fn without_blas(&self) -> Option<&BlasError> {
        self.blas.as_ref().err()
    }
}

/// Loads all kernels.
fn load() -> Result<HashMap<&'static str, sys::CUfunction>, Error> {
    let failed = |e| refused("load the kernels", e);
    let image = CString::new(PTX).unwrap_or_default();
    // SAFETY: the image is PTX that ends with a zero; the driver copies it.
    let module = unsafe { module::load_data(image.as_ptr().cast()) }.map_err(failed)?;
    let mut functions = HashMap::new();
    for kernel in KERNELS {
        let name = CString::new(kernel).unwrap_or_default();
        // SAFETY: the module is never unloaded.
        let found = unsafe { module::get_function(module, name) }.map_err(failed)?;
        functions.insert(kernel, found);
    }
    Ok(functions)
}

fn refused(what: &str, error: DriverError) -> Error {
    let why = match error.error_string() {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => format!("{:?}", error.0),
    };
    Error::Driver { what: what.to_owned(), why }
}

impl Runtime for Cuda {
    fn name(&self) -> String {
        self.found.name.clone()
    }

    fn memory(&self) -> (u64, u64) {
        result::mem_get_info().map_or((0, 0), |(free, total)| (free as u64, total as u64))
    }

    fn allocate(&self, bytes: usize) -> Result<Address, Error> {
        // SAFETY: the memory is only used by kernels that are given its size.
        unsafe { result::malloc_sync(bytes) }.map_err(|error| match error.0 {
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
                Error::OutOfMemory { bytes: bytes as u64, free: self.memory().0 }
            }
            _ => refused("take memory", error),
        })
    }

    fn release(&self, address: Address) {
        // SAFETY: the address came from `allocate`, and the driver waits for the work that uses it.
        let _ = unsafe { result::free_sync(address) };
    }

    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Error> {
        // SAFETY: the buffer was allocated with at least this size.
        unsafe { result::memcpy_htod_sync(to, bytes) }.map_err(|e| refused("copy to", e))
    }

    fn download(&self, from: Address, bytes: &mut [u8]) -> Result<(), Error> {
        // SAFETY: the buffer was allocated with at least this size.
        unsafe { result::memcpy_dtoh_sync(bytes, from) }.map_err(|e| refused("copy from", e))
    }

    fn copy(&self, to: Address, from: Address, bytes: usize) -> Result<(), Error> {
        // SAFETY: both buffers were allocated with at least this size.
        unsafe { result::memcpy_dtod_async(to, from, bytes, std::ptr::null_mut()) }.map_err(|e| refused("copy", e))
    }

    fn clear(&self, at: Address, bytes: usize) -> Result<(), Error> {
        // SAFETY: the buffer was allocated with at least this size.
        unsafe { result::memset_d8_async(at, 0, bytes, std::ptr::null_mut()) }.map_err(|e| refused("clear memory", e))
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<(), Error> {
        let Launch { kernel, blocks, threads, shared, arguments } = *launch;
        let failed = |e| refused(&format!("run `{kernel}`"), e);
        let Some(&function) = self.functions.get(kernel) else {
            return Err(Error::Driver { what: format!("run `{kernel}`"), why: "no such kernel".into() });
        };
        let mut pointers: Vec<*mut c_void> =
            arguments.iter().map(|word| std::ptr::from_ref(word) as *mut c_void).collect();
        // SAFETY: the arguments match the kernel's declaration in type and order; the host tests execute each launch.
        unsafe {
            if shared > SHARED {
                let most = FunctionAttribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                function::set_function_attribute(function, most, shared.cast_signed()).map_err(failed)?;
            }
            let grid = (blocks.0, blocks.1, 1);
            result::launch_kernel(function, grid, (threads, 1, 1), shared, std::ptr::null_mut(), &mut pointers)
                .map_err(failed)
        }
    }

    fn product(&self, product: &Product) -> Result<bool, Error> {
        match &self.blas {
            Ok(blas) => blas.product(product).map(|()| true),
            Err(_) => Ok(false),
        }
    }
}
