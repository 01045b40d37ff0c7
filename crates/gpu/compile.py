"""Compiles src/kernels to src/kernels.ptx with NVIDIA's NVRTC, which pip fetches into target/nvrtc; no GPU and no toolkit is
needed. The first line names the sources, which a test compares. `cargo xtask gpu` runs it."""
import ctypes, glob, os, subprocess, sys

VERSION = "12.4.127"  # PTX 8.4: drivers from 550 on
ARCHITECTURE = b"compute_80"
here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, "../../target/nvrtc")
FILES = ["common.cuh", "rows.cu", "operands.cu", "training.cu", "attention.cu", "generation.cu"]  # as `SOURCES` in src/lib.rs

find = lambda: glob.glob(os.path.join(folder, "nvidia/cuda_nvrtc/lib/libnvrtc.so.*"))
if not find():
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder,
                           "nvidia-cuda-nvrtc-cu12==" + VERSION])
library = find()[0]
# The compiler looks for its builtins beside the programs that use it.
ctypes.CDLL(glob.glob(os.path.join(folder, "nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.*"))[0], mode=ctypes.RTLD_GLOBAL)
nvrtc = ctypes.CDLL(library)

source = "\n".join(open(os.path.join(here, "src/kernels", name), encoding="utf-8").read() for name in FILES).encode()
digest = 0xCBF29CE484222325  # FNV-1a
for byte in source:
    digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF

program = ctypes.c_void_p()
created = nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"kernels.cu", 0, None, None)
assert created == 0, created
options = [b"--gpu-architecture=" + ARCHITECTURE, b"--std=c++17"]
status = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))


def text(of):
    size = ctypes.c_size_t()
    getattr(nvrtc, of + "Size")(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    getattr(nvrtc, of)(program, buffer)
    return buffer.value.decode()


sys.stderr.write(text("nvrtcGetProgramLog"))
if status != 0:
    sys.exit("the kernels don't compile")
with open(os.path.join(here, "src/kernels.ptx"), "w", encoding="utf-8") as out:
    out.write(f"// sources {digest:016x}\n" + text("nvrtcGetPTX"))
