// What products read: rows of bf16 or f32 elements, `pitch` elements apart. The spare columns after a row's own hold a
// LoRA factor, so that one product computes a layer with its LoRA.

// `out[row][col] = scale · x[row][col]`, a block for each row.
template <class E> __device__ void cast(const float *x, int cols, float scale, E *out, int pitch) {
    const float *row = x + (u64)blockIdx.x * cols;
    E *to = out + (u64)blockIdx.x * pitch;
    if (cols % 4 == 0 && ((u64)row | (u64)to) % 16 == 0) {
        for (int i = threadIdx.x; i < cols / 4; i += blockDim.x) {
            float4 v = ((const float4 *)row)[i];
            E *at = to + 4 * i;
            at[0] = narrowed<E>(scale * v.x);
            at[1] = narrowed<E>(scale * v.y);
            at[2] = narrowed<E>(scale * v.z);
            at[3] = narrowed<E>(scale * v.w);
        }
        return;
    }
    for (int i = threadIdx.x; i < cols; i += blockDim.x) to[i] = narrowed<E>(scale * row[i]);
}

KERNEL cast_bf16(const float *x, int cols, float scale, bf16 *out, int pitch) {
    const float *row = x + (u64)blockIdx.x * cols;
    bf16 *to = out + (u64)blockIdx.x * pitch;
    if (cols % 4 == 0 && ((u64)row % 16 | (u64)to % 8) == 0) {
        for (int i = threadIdx.x; i < cols / 4; i += blockDim.x) {
            float4 v = ((const float4 *)row)[i];
            ((uint2 *)to)[i] = uint2{pair_of(scale * v.x, scale * v.y), pair_of(scale * v.z, scale * v.w)};
        }
        return;
    }
    cast(x, cols, scale, out, pitch);
}

KERNEL cast_f32(const float *x, int cols, float scale, float *out, int pitch) { cast(x, cols, scale, out, pitch); }

// Two rounds of a 32-bit finaliser (lowbias32, Wellons 2018); the mask of `graft_ops::Dropout`.
__device__ inline u32 mixed(u32 x, u32 key) {
    for (int round = 0; round < 2; round++) {
        x = (x ^ x >> 16) * 0x7feb352du;
        x = (x ^ x >> 15) * 0x846ca68bu;
        x ^= x >> 16;
        if (round == 0) x += key;
    }
    return x;
}

__device__ inline float kept(u64 index, u32 low, u32 high, u32 threshold, float keep) {
    return mixed((u32)index ^ low, high) >= threshold ? keep : 0.0f;
}

// As `cast`, with dropout.
template <class E>
__device__ void cast_dropped(const float *x, int cols, u32 low, u32 high, u32 threshold, float keep, E *out, int pitch) {
    u64 start = (u64)blockIdx.x * cols;
    E *to = out + (u64)blockIdx.x * pitch;
    for (int i = threadIdx.x; i < cols; i += blockDim.x)
        to[i] = narrowed<E>(x[start + i] * kept(start + i, low, high, threshold, keep));
}

KERNEL cast_dropped_bf16(const float *x, int cols, u32 low, u32 high, u32 threshold, float keep, bf16 *out, int pitch) {
    cast_dropped(x, cols, low, high, threshold, keep, out, pitch);
}

KERNEL cast_dropped_f32(const float *x, int cols, u32 low, u32 high, u32 threshold, float keep, float *out, int pitch) {
    cast_dropped(x, cols, low, high, threshold, keep, out, pitch);
}

// `y += dropout(x)`.
KERNEL add_dropped(float *y, const float *x, u32 low, u32 high, u32 threshold, float keep, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step)
        y[i] += x[i] * kept(i, low, high, threshold, keep);
}

// How weights are stored, in the order of `graft_kernels::Dtype`.
enum { F32, F16, BF16, Q4_0, Q4_1, Q8_0, Q4K, Q5K, Q6K };

__device__ inline float half_at(const u8 *bytes) {
    u32 half = bytes[0] | (u32)bytes[1] << 8;
    u32 sign = (half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    u32 normal = (magnitude << 13) + (112u << 23);
    // A subnormal counts units of 2^-24, which is the spacing of f32 just above 0.5.
    u32 subnormal = __float_as_uint(__uint_as_float(0x3f000000u | magnitude) - 0.5f);
    u32 finite = magnitude < 0x0400u ? subnormal : normal;
    return __uint_as_float(sign | (magnitude >= 0x7c00u ? normal + (112u << 23) : finite));
}

struct ScaleMin {
    float scale, min;
};

// Scale and minimum of sub-block `i` out of the twelve bytes that pack eight pairs of 6-bit numbers.
__device__ inline ScaleMin scale_min(const u8 *packed, int i) {
    if (i < 4) return ScaleMin{(float)(packed[i] & 63), (float)(packed[i + 4] & 63)};
    int scale = (packed[i + 4] & 0xf) | packed[i - 4] >> 6 << 4;
    int min = packed[i + 4] >> 4 | packed[i] >> 6 << 4;
    return ScaleMin{(float)scale, (float)min};
}

// One number of a stored row, with the arithmetic of ggml's reference (`dequantize_row_*` in ggml-quants.c).
__device__ inline float stored(int dtype, const u8 *row, int col) {
    if (dtype == F32) {
        const u8 *b = row + 4 * col;
        return __uint_as_float(b[0] | (u32)b[1] << 8 | (u32)b[2] << 16 | (u32)b[3] << 24);
    }
    if (dtype == F16) return half_at(row + 2 * col);
    if (dtype == BF16) return __uint_as_float(((u32)row[2 * col] | (u32)row[2 * col + 1] << 8) << 16);
    if (dtype == Q4_0) {
        const u8 *block = row + col / 32 * 18;
        int i = col % 32, byte = block[2 + i % 16];
        return (float)((i < 16 ? byte & 0xf : byte >> 4) - 8) * half_at(block);
    }
    if (dtype == Q4_1) {
        const u8 *block = row + col / 32 * 20;
        int i = col % 32, byte = block[4 + i % 16];
        return (float)(i < 16 ? byte & 0xf : byte >> 4) * half_at(block) + half_at(block + 2);
    }
    if (dtype == Q8_0) {
        const u8 *block = row + col / 32 * 34;
        return (float)(signed char)block[2 + col % 32] * half_at(block);
    }
    int i = col % 256, sub = i / 32; // of eight sub-blocks
    if (dtype == Q6K) {
        const u8 *block = row + col / 256 * 210;
        int half = i / 128, quarter = i % 128 / 32, within = i % 32;
        int low = block[64 * half + within + 32 * (quarter % 2)];
        low = quarter < 2 ? low & 0xf : low >> 4;
        int high = block[128 + 32 * half + within] >> 2 * quarter & 3;
        float scale = half_at(block + 208) * (float)(signed char)block[192 + 8 * half + 2 * quarter + within / 16];
        return scale * (float)((low | high << 4) - 32);
    }
    const u8 *block = row + (u64)(col / 256) * (dtype == Q4K ? 144 : 176);
    const u8 *nibbles = block + (dtype == Q4K ? 16 : 48);
    int byte = nibbles[sub / 2 * 32 + i % 32];
    int q = sub % 2 == 0 ? byte & 0xf : byte >> 4;
    if (dtype == Q5K) q |= (block[16 + i % 32] >> sub & 1) << 4;
    ScaleMin s = scale_min(block + 4, sub);
    return half_at(block) * s.scale * (float)q - half_at(block + 2) * s.min;
}

// Rows of a stored weight as elements, a block for each: row `ids[b]`, or row `b` where there are no ids.
template <class E>
__device__ void dequantize(int dtype, const u8 *bytes, u64 row_bytes, const int *ids, int cols, E *out, int pitch) {
    const u8 *row = bytes + (u64)(ids ? ids[blockIdx.x] : blockIdx.x) * row_bytes;
    E *to = out + (u64)blockIdx.x * pitch;
    for (int i = threadIdx.x; i < cols; i += blockDim.x) to[i] = narrowed<E>(stored(dtype, row, i));
}

KERNEL dequantize_bf16(int dtype, const u8 *bytes, u64 row_bytes, const int *ids, int cols, bf16 *out, int pitch) {
    dequantize(dtype, bytes, row_bytes, ids, cols, out, pitch);
}

KERNEL dequantize_f32(int dtype, const u8 *bytes, u64 row_bytes, const int *ids, int cols, float *out, int pitch) {
    dequantize(dtype, bytes, row_bytes, ids, cols, out, pitch);
}

// The product for machines without cuBLAS: `c[i][j] = alpha · Σ a[i][k]·b[k][j] + beta · c[i][j]`, element `(i, k)` of `a`
// at `i·a_row + k·a_col`, likewise `b`; `c` is f32, its rows `c_row` apart. A block of 256 threads computes 64 × 64.
template <class E>
__device__ void product(int m, int n, int k, const E *a, u64 a_row, u64 a_col, const E *b, u64 b_row, u64 b_col, float *c,
                        u64 c_row, float alpha, float beta) {
    __shared__ float a_tile[16][65], b_tile[16][65];
    int row = blockIdx.y * 64, col = blockIdx.x * 64;
    int y = threadIdx.x / 16 * 4, x = threadIdx.x % 16 * 4;
    float sums[4][4] = {};
    for (int start = 0; start < k; start += 16) {
        for (int i = threadIdx.x; i < 16 * 64; i += 256) {
            // Neighbouring threads read neighbouring addresses, whichever way the operand lies.
            int ai = a_col == 1 ? i / 16 : i % 64, ak = a_col == 1 ? i % 16 : i / 64;
            int bj = b_row == 1 ? i / 16 : i % 64, bk = b_row == 1 ? i % 16 : i / 64;
            bool a_in = row + ai < m && start + ak < k, b_in = col + bj < n && start + bk < k;
            a_tile[ak][ai] = a_in ? widened(a[(row + ai) * a_row + (start + ak) * a_col]) : 0.0f;
            b_tile[bk][bj] = b_in ? widened(b[(start + bk) * b_row + (col + bj) * b_col]) : 0.0f;
        }
        __syncthreads();
        for (int s = 0; s < 16; s++)
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++) sums[i][j] += a_tile[s][y + i] * b_tile[s][x + j];
        __syncthreads();
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            if (row + y + i >= m || col + x + j >= n) continue;
            float *at = c + (row + y + i) * c_row + col + x + j;
            *at = alpha * sums[i][j] + (beta == 0.0f ? 0.0f : beta * *at);
        }
}

KERNEL product_bf16(int m, int n, int k, const bf16 *a, u64 a_row, u64 a_col, const bf16 *b, u64 b_row, u64 b_col,
                    float *c, u64 c_row, float alpha, float beta) {
    product(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, alpha, beta);
}

KERNEL product_f32(int m, int n, int k, const float *a, u64 a_row, u64 a_col, const float *b, u64 b_row, u64 b_col,
                   float *c, u64 c_row, float alpha, float beta) {
    product(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, alpha, beta);
}
