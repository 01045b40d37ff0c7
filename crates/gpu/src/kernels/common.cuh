// What all kernels share. NVRTC compiles them for the device without any header; the tests compile the same text for the
// host, with `tests/emulator/shim.h` before it.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define KERNEL extern "C" __global__ void
// Shared memory whose size the launch gives.
#ifndef EMULATED
#define SHARED(type, name)                                                                                            \
    extern __shared__ float4 launch_memory[];                                                                         \
    type *name = (type *)launch_memory
#endif
#define NEGATIVE_INFINITY __uint_as_float(0xff800000u)

// The upper half of an f32, rounded to nearest even: what the tensor cores multiply.
struct bf16 {
    u16 bits;
};

__device__ inline float widened(bf16 x) { return __uint_as_float((u32)x.bits << 16); }
__device__ inline float widened(float x) { return x; }

template <class E> __device__ inline E narrowed(float x);
template <> __device__ inline float narrowed<float>(float x) { return x; }
template <> __device__ inline bf16 narrowed<bf16>(float x) {
    u32 bits = __float_as_uint(x);
    u32 rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    // A NaN must not be rounded to infinity.
    return bf16{(u16)((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded)};
}

// Two bf16 in one register, `low` in the lower half.
__device__ inline u32 pair_of(float low, float high) {
#ifdef EMULATED
    return (u32)narrowed<bf16>(high).bits << 16 | narrowed<bf16>(low).bits;
#else
    u32 both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
#endif
}

// Every thread of the block gets the sum; `scratch` holds 32 numbers in shared memory. The order of the additions depends
// on the size of the block alone.
__device__ inline float block_sum(float x, float *scratch) {
    for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(~0u, x, offset);
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    x = threadIdx.x % 32 < (blockDim.x + 31) / 32 ? scratch[threadIdx.x % 32] : 0.0f;
    for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(~0u, x, offset);
    return x;
}

// The same for the largest.
__device__ inline float block_max(float x, float *scratch) {
    for (int offset = 16; offset > 0; offset /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, offset));
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = x;
    __syncthreads();
    x = threadIdx.x % 32 < (blockDim.x + 31) / 32 ? scratch[threadIdx.x % 32] : NEGATIVE_INFINITY;
    for (int offset = 16; offset > 0; offset /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, offset));
    return x;
}
