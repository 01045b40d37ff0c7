//! Blocks of tiles with AMX. Its instructions have no stable intrinsics yet, so they are written as assembly.

use std::arch::{
    asm,
    x86_64::{__cpuid_count, _xgetbv},
};

use super::{SIDE, Segment};

/// Whether the processor has AMX with bf16 and the system lets this process use it.
pub(super) fn permitted() -> bool {
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    const OSXSAVE: u32 = 1 << 27;
    let saved = __cpuid_count(1, 0).ecx & OSXSAVE != 0;
    if !saved || __cpuid_count(0, 0).eax < 7 || __cpuid_count(7, 0).edx & (BF16 | TILE) != BF16 | TILE {
        return false;
    }
    // SAFETY: the check above shows that the system has enabled `xgetbv`.
    let state = unsafe { state() };
    state & (1 << 17 | 1 << 18) == 1 << 17 | 1 << 18 && permission()
}

/// # Safety
/// `xgetbv` must be enabled.
#[target_feature(enable = "xsave")]
unsafe fn state() -> u64 {
    // SAFETY: guaranteed by the caller.
    unsafe { _xgetbv(0) }
}

/// Requests Linux's permission to use tile registers, once per process; threads inherit it.
#[cfg(target_os = "linux")]
fn permission() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const XFEATURE_XTILEDATA: u64 = 18;
    let result: i64;
    // SAFETY: the call reads and writes no memory of this process; it changes the listed registers only.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn permission() -> bool {
    false
}

/// Configures this thread's eight tile registers as sixteen lines of 64 bytes, until it is dropped.
pub(super) struct Configured(());

/// The operand of `ldtilecfg`.
#[repr(C, align(64))]
struct Config([u8; 64]);

impl Configured {
    /// # Safety
    /// The process must have the permission.
    pub(super) unsafe fn new() -> Self {
        static CONFIG: Config = {
            let mut bytes = [0; 64];
            bytes[0] = 1;
            let mut tile = 0;
            while tile < 8 {
                bytes[16 + 2 * tile] = 64;
                bytes[48 + tile] = SIDE as u8;
                tile += 1;
            }
            Config(bytes)
        };
        // SAFETY: 64 bytes are read; the tiles are this thread's own and used by nothing else.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &CONFIG, options(nostack, readonly, preserves_flags)) };
        Self(())
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: the value exists, so the instruction does. Released tiles need not be saved by the system.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }
}

/// The assembly loop over the segments, with the loads and products of a block.
macro_rules! sums {
    ($zero:literal, $read:literal, $products:literal, $write:literal,
     $segments:ident, $out:ident, $below:ident, $stride:ident, $add:ident, $next:ident) => {
        asm!(
            "test {add:e}, {add:e}",
            "jnz 2f",
            $zero,
            "jmp 3f",
            "2:",
            $read,
            "3:",
            "mov {a0}, [{segment}]",
            "mov {a1}, [{segment} + 8]",
            "mov {b0}, [{segment} + 16]",
            "mov {b1}, [{segment} + 24]",
            "mov {tiles}, [{segment} + 32]",
            "4:",
            $products,
            "prefetchw [{next}]",
            "prefetchw [{next} + 64]",
            "prefetchw [{next} + {stride}]",
            "prefetchw [{next} + {stride} + 64]",
            "lea {next}, [{next} + 2 * {stride}]",
            "add {a0}, 1024",
            "add {a1}, 1024",
            "add {b0}, 1024",
            "add {b1}, 1024",
            "dec {tiles}",
            "jnz 4b",
            "add {segment}, 40",
            "dec {segments}",
            "jnz 3b",
            $write,
            "/* {below} {a1} {b1} are not used by every shape */",
            add = in(reg) u64::from($add),
            segment = inout(reg) $segments.as_ptr() => _,
            segments = inout(reg) $segments.len() => _,
            a0 = out(reg) _,
            a1 = out(reg) _,
            b0 = out(reg) _,
            b1 = out(reg) _,
            tiles = out(reg) _,
            line = in(reg) 64_usize,
            out = in(reg) $out,
            below = in(reg) $below,
            stride = in(reg) 4 * $stride,
            next = inout(reg) $next => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// `out = Σ rows·columns` (`+=` with `add`) for one or two by one or two tiles. The output lines from `next` on, two
/// rows per tile of depth, are prefetched for writing: a cache miss would cost as much as several products.
///
/// # Safety
/// As [`Blocks::compute`](super::Blocks); `next` may be any address.
pub(super) unsafe fn block(
    segments: &[Segment],
    (tall, wide): (bool, bool),
    (out, next): (*mut f32, *const f32),
    stride: usize,
    add: bool,
) {
    if segments.is_empty() {
        // SAFETY: guaranteed by the caller.
        return unsafe { super::clear((tall, wide), out, stride, add) };
    }
    let below = out.wrapping_add(SIDE * stride);
    // SAFETY: the caller guarantees the pointers and the configuration; whole tiles are loaded and stored.
    unsafe {
        match (tall, wide) {
            (true, true) => sums!(
                "tilezero tmm0\ntilezero tmm1\ntilezero tmm2\ntilezero tmm3",
                "tileloadd tmm0, [{out} + {stride}]\ntileloadd tmm1, [{out} + {stride} + 64]\n\
                 tileloadd tmm2, [{below} + {stride}]\ntileloadd tmm3, [{below} + {stride} + 64]",
                "tileloadd tmm4, [{a0} + {line}]\ntileloadd tmm6, [{b0} + {line}]\ntdpbf16ps tmm0, tmm4, tmm6\n\
                 tileloadd tmm7, [{b1} + {line}]\ntdpbf16ps tmm1, tmm4, tmm7\n\
                 tileloadd tmm5, [{a1} + {line}]\ntdpbf16ps tmm2, tmm5, tmm6\ntdpbf16ps tmm3, tmm5, tmm7",
                "tilestored [{out} + {stride}], tmm0\ntilestored [{out} + {stride} + 64], tmm1\n\
                 tilestored [{below} + {stride}], tmm2\ntilestored [{below} + {stride} + 64], tmm3",
                segments,
                out,
                below,
                stride,
                add,
                next
            ),
            (true, false) => sums!(
                "tilezero tmm0\ntilezero tmm2",
                "tileloadd tmm0, [{out} + {stride}]\ntileloadd tmm2, [{below} + {stride}]",
                "tileloadd tmm4, [{a0} + {line}]\ntileloadd tmm6, [{b0} + {line}]\ntdpbf16ps tmm0, tmm4, tmm6\n\
                 tileloadd tmm5, [{a1} + {line}]\ntdpbf16ps tmm2, tmm5, tmm6",
                "tilestored [{out} + {stride}], tmm0\ntilestored [{below} + {stride}], tmm2",
                segments,
                out,
                below,
                stride,
                add,
                next
            ),
            (false, true) => sums!(
                "tilezero tmm0\ntilezero tmm1",
                "tileloadd tmm0, [{out} + {stride}]\ntileloadd tmm1, [{out} + {stride} + 64]",
                "tileloadd tmm4, [{a0} + {line}]\ntileloadd tmm6, [{b0} + {line}]\ntdpbf16ps tmm0, tmm4, tmm6\n\
                 tileloadd tmm7, [{b1} + {line}]\ntdpbf16ps tmm1, tmm4, tmm7",
                "tilestored [{out} + {stride}], tmm0\ntilestored [{out} + {stride} + 64], tmm1",
                segments,
                out,
                below,
                stride,
                add,
                next
            ),
            (false, false) => sums!(
                "tilezero tmm0",
                "tileloadd tmm0, [{out} + {stride}]",
                "tileloadd tmm4, [{a0} + {line}]\ntileloadd tmm6, [{b0} + {line}]\ntdpbf16ps tmm0, tmm4, tmm6",
                "tilestored [{out} + {stride}], tmm0",
                segments,
                out,
                below,
                stride,
                add,
                next
            ),
        }
    }
}
