//! Bindings of the three cuBLAS functions we need, for any installed version. <https://docs.nvidia.com/cuda/cublas/>

use std::{env, ffi::c_void, fmt, fs, path::PathBuf};

use libloading::Library;

use crate::{Element, Error, Product};

/// Names of the library, newest first.
const NAMES: [&str; 3] = ["libcublas.so.13", "libcublas.so.12", "libcublas.so.11"];
/// The environment variable with a folder to search first.
const FOLDER: &str = "GRAFT_CUDA_LIBRARIES";

const SUCCESS: i32 = 0;
const NOT_TRANSPOSED: i32 = 0;
const TRANSPOSED: i32 = 1;
/// `CUDA_R_32F`, `CUDA_R_16BF`, `CUBLAS_COMPUTE_32F`, `CUBLAS_GEMM_DEFAULT`.
const R_32F: i32 = 0;
const R_16BF: i32 = 14;
const COMPUTE_32F: i32 = 68;
const DEFAULT: i32 = -1;
/// Workspace size. Set once, so that cuBLAS does not choose algorithms by free memory (NVIDIA's advice for reproducible
/// results).
const WORKSPACE: usize = 32 << 20;

type Handle = *mut c_void;
type Create = unsafe extern "C" fn(*mut Handle) -> i32;
type SetWorkspace = unsafe extern "C" fn(Handle, *mut c_void, usize) -> i32;
type Gemm = unsafe extern "C" fn(
    Handle,
    i32,
    i32,
    i32,
    i32,
    i32,
    *const c_void,
    *const c_void,
    i32,
    i32,
    *const c_void,
    i32,
    i32,
    *const c_void,
    *mut c_void,
    i32,
    i32,
    i32,
    i32,
) -> i32;

/// Why cuBLAS can't be used. Products then use our own kernel, which is many times slower.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlasError {
    /// It was not found.
    #[error("find cuBLAS: none of {} exists (`{FOLDER}` names a folder that has it)", NAMES.join(", "))]
    Missing,
    /// It was found but does not work.
    #[error("start cuBLAS: {0}")]
    Broken(String),
}

/// A loaded and initialized cuBLAS.
pub(crate) struct Blas {
    handle: Handle,
    gemm: Gemm,
    /// Keeps the code in memory.
    _library: Library,
}

impl fmt::Debug for Blas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cuBLAS")
    }
}

/// Paths to try: a named folder, the loader's search path, the CUDA toolkit, Python packages.
fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os(FOLDER).into_iter().map(PathBuf::from).collect();
    folders.push(PathBuf::new());
    folders.push("/usr/local/cuda/lib64".into());
    let python = |root: PathBuf| fs::read_dir(root.join("lib")).into_iter().flatten().flatten();
    let roots = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    for packages in roots.flat_map(python).map(|entry| entry.path().join("site-packages/nvidia")) {
        folders.push(packages.join("cu13/lib"));
        folders.push(packages.join("cublas/lib"));
    }
    folders.iter().flat_map(|folder| NAMES.iter().map(move |name| folder.join(name))).collect()
}

impl Blas {
    /// Loads and initializes it for the current context.
    pub(crate) fn load() -> Result<Self, BlasError> {
        // SAFETY: loading NVIDIA's library runs only its own initializers.
        let library =
            candidates().iter().find_map(|path| unsafe { Library::new(path) }.ok()).ok_or(BlasError::Missing)?;
        let missing = |e: libloading::Error| BlasError::Broken(e.to_string());
        let refused = |status: i32| match status {
            SUCCESS => Ok(()),
            status => Err(BlasError::Broken(format!("status {status}"))),
        };
        // SAFETY: the signatures are those of cublas_api.h, the same in versions 11 to 13; the workspace lives as long
        // as the process.
        unsafe {
            let create: Create = *library.get(b"cublasCreate_v2").map_err(missing)?;
            let set_workspace: SetWorkspace = *library.get(b"cublasSetWorkspace_v2").map_err(missing)?;
            let gemm: Gemm = *library.get(b"cublasGemmEx").map_err(missing)?;
            let mut handle: Handle = std::ptr::null_mut();
            refused(create(&raw mut handle))?;
            let workspace = cudarc::driver::result::malloc_sync(WORKSPACE)
                .map_err(|_| BlasError::Broken("no memory for its workspace".into()))?;
            refused(set_workspace(handle, workspace as *mut c_void, WORKSPACE))?;
            Ok(Self { handle, gemm, _library: library })
        }
    }

    /// A product. cuBLAS is column-major, so it computes `cᵀ = bᵀ·aᵀ`.
    pub(crate) fn product(&self, product: &Product) -> Result<(), Error> {
        let Product { shape: (m, n, k), a, b, c, c_pitch, alpha, beta, element } = *product;
        let size = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let turned = |transposed: bool| if transposed { TRANSPOSED } else { NOT_TRANSPOSED };
        let (alpha, beta) = (std::ptr::from_ref(&alpha).cast(), std::ptr::from_ref(&beta).cast());
        let kind = match element {
            Element::Bf16 => R_16BF,
            Element::F32 => R_32F,
        };
        // SAFETY: the addresses are device memory of at least these shapes; the scalars are read before the call returns.
        let status = unsafe {
            (self.gemm)(
                self.handle,
                turned(b.transposed),
                turned(a.transposed),
                size(n),
                size(m),
                size(k),
                alpha,
                b.address as *const c_void,
                kind,
                size(b.pitch),
                a.address as *const c_void,
                kind,
                size(a.pitch),
                beta,
                c as *mut c_void,
                R_32F,
                size(c_pitch),
                COMPUTE_32F,
                DEFAULT,
            )
        };
        match status {
            SUCCESS => Ok(()),
            status => Err(Error::Driver {
                what: format!("multiply {m} × {k} by {k} × {n}"),
                why: format!("cuBLAS's status {status}"),
            }),
        }
    }
}
