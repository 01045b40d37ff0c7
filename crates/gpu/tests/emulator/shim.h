// CUDA C on the host, enough for our kernels: the threads of a block are fibers that run one after the other until the next
// barrier, so a whole launch is one deterministic thread. Shared memory is static, and poisoned before each block.
#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <functional>
#include <utility>

#define EMULATED 1
#define __global__
#define __device__
#define __launch_bounds__(threads)
#define __shared__ static
#define SHARED(type, name) type *name = (type *)emulated_memory

struct float4 {
    float x, y, z, w;
};
struct uint2 {
    unsigned x, y;
};
struct Index {
    unsigned x = 0, y = 0, z = 0;
};

static const int MOST_THREADS = 1024;
static const size_t STACK = 256 << 10;
static Index threadIdx, blockIdx, blockDim, gridDim;
alignas(16) static char emulated_memory[256 << 10];

// Fibers: started with `makecontext`, switched with `_setjmp` and `_longjmp`, which don't call the kernel.
static jmp_buf scheduler, fibers[MOST_THREADS];
static ucontext_t starts[MOST_THREADS];
static char *stacks[MOST_THREADS];
static bool done[MOST_THREADS];
static unsigned current, barriers[MOST_THREADS];
static std::function<void()> body;

static void __syncthreads() {
    barriers[current]++;
    if (!_setjmp(fibers[current])) _longjmp(scheduler, 1);
}

// A fiber runs the kernel once for each block, and waits for the next.
static void run_fiber() {
    for (;;) {
        body();
        done[current] = true;
        if (!_setjmp(fibers[current])) _longjmp(scheduler, 1);
    }
}

static void run_block() {
    static unsigned thread, live;
    for (thread = 0; thread < blockDim.x; thread++) {
        done[thread] = false;
        barriers[thread] = 0;
    }
    do {
        live = 0;
        for (thread = 0; thread < blockDim.x; thread++) {
            if (done[thread]) continue;
            current = threadIdx.x = thread;
            if (!_setjmp(scheduler)) {
                if (stacks[thread]) _longjmp(fibers[thread], 1);
                stacks[thread] = (char *)malloc(STACK);
                getcontext(&starts[thread]);
                starts[thread].uc_stack.ss_sp = stacks[thread];
                starts[thread].uc_stack.ss_size = STACK;
                starts[thread].uc_link = nullptr;
                makecontext(&starts[thread], run_fiber, 0);
                setcontext(&starts[thread]);
            }
            if (!done[thread]) live++;
        }
        // A barrier that only some threads reach hangs a real block.
        for (thread = 0; thread < blockDim.x && live > 0; thread++)
            if (done[thread]) abort();
    } while (live > 0);
}

// What the lanes of a warp exchange; two sets, so that one barrier is enough.
struct Exchanged {
    unsigned words[6];
};
static Exchanged exchanged[2][MOST_THREADS];

static float __shfl_xor_sync(unsigned, float x, int mask) {
    unsigned me = current, set = barriers[me] % 2;
    memcpy(exchanged[set][me].words, &x, 4);
    __syncthreads();
    memcpy(&x, exchanged[set][me ^ mask].words, 4);
    return x;
}

static inline float __uint_as_float(unsigned bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
static inline unsigned __float_as_uint(float x) {
    unsigned bits;
    memcpy(&bits, &x, 4);
    return bits;
}
// glibc keeps this name for itself.
#define __expf expf
static inline int min(int a, int b) { return a < b ? a : b; }

// `mma.m16n8k16` on bf16, from what all lanes of the warp hold.
static void emulated_multiply(float (&sums)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    unsigned me = current, set = barriers[me] % 2, lane = me % 32, warp = me - lane;
    unsigned own[6] = {a[0], a[1], a[2], a[3], b0, b1};
    memcpy(exchanged[set][me].words, own, sizeof own);
    __syncthreads();
    auto half = [&](unsigned lane, unsigned word, unsigned high) {
        unsigned bits = exchanged[set][warp + lane].words[word];
        return __uint_as_float(high ? bits & 0xffff0000u : bits << 16);
    };
    for (unsigned c = 0; c < 4; c++) {
        unsigned row = lane / 4 + c / 2 * 8, col = lane % 4 * 2 + c % 2;
        for (unsigned k = 0; k < 16; k++) {
            unsigned pair = k % 8 / 2, later = k / 8;
            sums[c] += half(row % 8 * 4 + pair, row / 8 + 2 * later, k % 2) * half(col * 4 + pair, 4 + later, k % 2);
        }
    }
}

struct Entry {
    const char *name;
    std::function<void(void **)> call;
};

template <class... A, size_t... I> void with_arguments(void (*kernel)(A...), void **args, std::index_sequence<I...>) {
    kernel(*(A *)args[I]...);
}
template <class... A> Entry entry(const char *name, void (*kernel)(A...)) {
    return {name, [kernel](void **args) { with_arguments(kernel, args, std::index_sequence_for<A...>()); }};
}
