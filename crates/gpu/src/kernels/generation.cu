// Generation over a KV cache: what training does not need.

// Rows of new keys and values to their rows of a layer's cache; a block for each.
KERNEL store_rows(const float *k, const float *v, const int *rows, int width, float *keys, float *values) {
    u64 from = (u64)blockIdx.x * width, to = (u64)rows[blockIdx.x] * width;
    for (int i = threadIdx.x; i < width; i += blockDim.x) {
        keys[to + i] = k[from + i];
        values[to + i] = v[from + i];
    }
}

// Attention of single queries, as when each sequence gets its next token: `attend` for heads of 64 and 128 numbers. A block
// of 8 warps takes one query row and up to 4 heads that share their keys. In a warp, lanes of 8 numbers each make a key;
// each part of a warp keeps a softmax of its own, and they are merged at the end in a fixed order.

#define STEP_WARPS 8
#define STEP_HEADS 4

// Merges a softmax whose largest score, sum and weighted values are `top`, `sum` and `values` with another.
struct Merge {
    float top, own, other;
};

__device__ inline Merge merge_of(float own, float other) {
    float top = fmaxf(own, other);
    // Nothing seen has no largest score.
    return Merge{top, own == NEGATIVE_INFINITY ? 0.0f : expf(own - top),
                 other == NEGATIVE_INFINITY ? 0.0f : expf(other - top)};
}

template <int DIM>
__device__ void attend_step(const float *q, const float *k, const float *v, const Range *ranges, const QueryTile *rows,
                            Shape s, float *out) {
    SHARED(float, partial); // of each warp and head: values, largest score, sum
    const int LANES = DIM / 8, KEYS = 32 / LANES, STRIDE = DIM + 2;
    int group = s.heads / s.kv_heads, passes = (group + STEP_HEADS - 1) / STEP_HEADS;
    int kv = blockIdx.y / passes, first = kv * group + blockIdx.y % passes * STEP_HEADS;
    int count = min(STEP_HEADS, (kv + 1) * group - first);
    QueryTile place = rows[blockIdx.x];
    Range r = ranges[place.range];
    u64 row = r.queries + place.first;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, d = lane % LANES * 8;
    int seen = visible(r, place.first);

    float query[STEP_HEADS][8], mixed[STEP_HEADS][8] = {}, largest[STEP_HEADS], sum[STEP_HEADS] = {};
    UNROLL
    for (int h = 0; h < STEP_HEADS; h++) {
        largest[h] = NEGATIVE_INFINITY;
        UNROLL
        for (int e = 0; e < 8; e++)
            query[h][e] = h < count ? s.scale * q[(row * s.heads + first + h) * DIM + d + e] : 0.0f;
    }
    for (int start = first_visible(s, r, place.first); start < seen; start += STEP_WARPS * KEYS) {
        int p = start + warp * KEYS + lane / LANES;
        bool sees = p < seen;
        float key[8] = {}, value[8] = {};
        if (sees) {
            u64 from = ((u64)key_row(r, p) * s.kv_heads + kv) * DIM + d;
            *(float4 *)key = *(const float4 *)(k + from);
            *(float4 *)(key + 4) = *(const float4 *)(k + from + 4);
            *(float4 *)value = *(const float4 *)(v + from);
            *(float4 *)(value + 4) = *(const float4 *)(v + from + 4);
        }
        UNROLL
        for (int h = 0; h < STEP_HEADS; h++) {
            float score = 0.0f;
            UNROLL
            for (int e = 0; e < 8; e++) score += query[h][e] * key[e];
            UNROLL
            for (int offset = LANES / 2; offset > 0; offset /= 2) score += __shfl_xor_sync(~0u, score, offset);
            if (!sees || h >= count) continue;
            score = capped(s, score + bias_of(s, r, first + h, place.first, p));
            Merge merge = merge_of(largest[h], score);
            largest[h] = merge.top;
            sum[h] = sum[h] * merge.own + merge.other;
            UNROLL
            for (int e = 0; e < 8; e++) mixed[h][e] = mixed[h][e] * merge.own + merge.other * value[e];
        }
    }
    UNROLL
    for (int h = 0; h < STEP_HEADS; h++) {
        UNROLL
        for (int offset = LANES; offset < 32; offset *= 2) {
            Merge merge = merge_of(largest[h], __shfl_xor_sync(~0u, largest[h], offset));
            largest[h] = merge.top;
            sum[h] = sum[h] * merge.own + merge.other * __shfl_xor_sync(~0u, sum[h], offset);
            UNROLL
            for (int e = 0; e < 8; e++)
                mixed[h][e] = mixed[h][e] * merge.own + merge.other * __shfl_xor_sync(~0u, mixed[h][e], offset);
        }
        float *to = partial + (warp * STEP_HEADS + h) * STRIDE;
        if (lane < LANES) {
            UNROLL
            for (int e = 0; e < 8; e++) to[d + e] = mixed[h][e];
        }
        if (lane == 0) {
            to[DIM] = largest[h];
            to[DIM + 1] = sum[h];
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < count * DIM; i += STEP_WARPS * 32) {
        int h = i / DIM, at = i % DIM;
        float top = NEGATIVE_INFINITY, total = 0.0f, value = 0.0f;
        for (int w = 0; w < STEP_WARPS; w++) {
            const float *from = partial + (w * STEP_HEADS + h) * STRIDE;
            Merge merge = merge_of(top, from[DIM]);
            top = merge.top;
            total = total * merge.own + merge.other * from[DIM + 1];
            value = value * merge.own + merge.other * from[at];
        }
        out[(row * s.heads + first + h) * DIM + at] = value / total;
    }
}

#define STEP_KERNEL(DIM)                                                                                              \
    KERNEL __launch_bounds__(STEP_WARPS * 32)                                                                         \
        attend_step_##DIM(const float *q, const float *k, const float *v, const Range *ranges, const QueryTile *rows, \
                          SHAPE, float *out) {                                                                        \
        attend_step<DIM>(q, k, v, ranges, rows, SHAPE_OF_ARGUMENTS, out);                                             \
    }

STEP_KERNEL(64)
STEP_KERNEL(128)

// The likeliest token that a row's mask allows, −1 where there is none, and its log-probability among the allowed ones; a
// block for each row. A mask has `words` words, a bit for each token from the lowest up; what lies beyond is not allowed.
KERNEL best_tokens(const float *logits, int vocab, const u32 *masks, int words, float *best) {
    __shared__ float scratch[32];
    const float *row = logits + (u64)blockIdx.x * vocab;
    const u32 *mask = masks + (u64)blockIdx.x * words;
    int end = min(vocab, words * 32);
    float largest = NEGATIVE_INFINITY;
    for (int i = threadIdx.x; i < end; i += blockDim.x)
        if (mask[i / 32] >> i % 32 & 1) largest = fmaxf(largest, row[i]);
    largest = block_max(largest, scratch);
    // The first of equal ones; token numbers are exact in f32.
    float first = -(float)vocab, sum = 0.0f;
    for (int i = threadIdx.x; i < end; i += blockDim.x) {
        if (!(mask[i / 32] >> i % 32 & 1)) continue;
        sum += expf(row[i] - largest);
        if (row[i] == largest && largest > NEGATIVE_INFINITY) first = fmaxf(first, -(float)i);
    }
    first = block_max(first, scratch);
    sum = block_sum(sum, scratch);
    if (threadIdx.x > 0) return;
    best[2 * blockIdx.x] = -first < vocab ? -first : -1.0f;
    best[2 * blockIdx.x + 1] = -logf(sum);
}
