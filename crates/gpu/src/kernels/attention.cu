// Softmax attention over packed sequences, keeping only the log-sum-exp of each row (FlashAttention, Dao et al. 2022).
//
// `q (queries, heads·dim)`, `k` and `v (keys, kv_heads·dim)`. A range is consecutive query rows and the keys they see: all
// of a prefix, which other ranges may share, then keys of its own, causally if asked. The position of a key is its place in
// that order. Work lies in tiles of 64 query rows or 64 keys, made by the host (`ranges.rs`).
//
// Nothing is added with atomics: a block owns the rows that it writes. Where many ranges see the same keys, the tile of
// keys is split into parts that are written apart and summed in order by `attend_fold`; so results repeat to the bit.

struct Range {
    int queries, query_count, prefix, prefix_count, keys, key_count, causal, unused;
};

// Up to 64 queries of a range, from index `first` within it.
struct QueryTile {
    int range, first;
};

// Up to 64 keys, who sees them, and which part of the sums this is (−1: the only one).
struct KeyTile {
    int keys, count, visits, visit_count, part;
};

// A range that sees a tile of keys, the first of them at `position`.
struct Visit {
    int range, position;
};

// Keys that get their gradient in several parts.
struct Fold {
    int keys, count, part, part_count;
};

struct Shape {
    int heads, kv_heads, dim;
    float scale;
    const float *bias; // T5's: (heads, 2·reach − 1), or null
    int reach;
    int window; // most keys that a query of a causal range sees, or 0
    float cap;  // scores become `cap · tanh(score / cap)`, or 0
};

#define SHAPE                                                                                                         \
    int heads, int kv_heads, int dim, float scale, const float *bias, int reach, int window, float cap
#define SHAPE_OF_ARGUMENTS Shape{heads, kv_heads, dim, scale, bias, reach, window, cap}

__device__ inline int all_keys(const Range &r) { return r.prefix_count + r.key_count; }

// Keys that the query at index `i` sees: those at lower positions than this.
__device__ inline int visible(const Range &r, int i) {
    return r.causal ? all_keys(r) - (r.query_count - 1 - i) : all_keys(r);
}

// And from this position on.
__device__ inline int first_visible(const Shape &s, const Range &r, int i) {
    int first = visible(r, i) - s.window;
    return s.window && r.causal && first > 0 ? first : 0;
}

__device__ inline int key_row(const Range &r, int position) {
    return position < r.prefix_count ? r.prefix + position : r.keys + position - r.prefix_count;
}

// The first query that sees a key.
__device__ inline int first_query(const Range &r, int position) {
    int i = position - (all_keys(r) - r.query_count);
    return r.causal && i > 0 ? i : 0;
}

// One more than the last query that sees a key.
__device__ inline int end_query(const Shape &s, const Range &r, int position) {
    if (!s.window || !r.causal) return r.query_count;
    return min(r.query_count, position + s.window - (all_keys(r) - r.query_count));
}

__device__ inline float capped(const Shape &s, float score) {
    return s.cap > 0.0f ? s.cap * tanhf(score / s.cap) : score;
}

// Slope of `capped` where it gave `score`.
__device__ inline float cap_slope(const Shape &s, float score) {
    return s.cap > 0.0f ? 1.0f - score / s.cap * (score / s.cap) : 1.0f;
}

__device__ inline float bias_of(const Shape &s, const Range &r, int head, int i, int position) {
    if (!s.bias) return 0.0f;
    int distance = position - (all_keys(r) - r.query_count + i);
    return s.bias[head * (2 * s.reach - 1) + s.reach - 1 + distance];
}

__device__ inline float dot(const float *a, const float *b, int dim) {
    float sum = 0.0f;
    for (int d = 0; d < dim; d++) sum += a[d] * b[d];
    return sum;
}

// --- In f32, for any head: a block of 128 threads for each row and head. ---

#define ROW_THREADS 128
#define MOST_DIMS 2 // times 128: heads of at most 256 numbers

KERNEL attend(const float *q, const float *k, const float *v, const Range *ranges, const QueryTile *tiles, SHAPE,
              float *out, float *lse) {
    __shared__ float scratch[32], weights[ROW_THREADS];
    Shape s = SHAPE_OF_ARGUMENTS;
    QueryTile tile = tiles[blockIdx.x / 64];
    Range r = ranges[tile.range];
    int i = tile.first + blockIdx.x % 64, head = blockIdx.y, kv = head / (heads / kv_heads);
    if (i >= r.query_count) return;
    u64 row = r.queries + i;
    const float *query = q + (row * heads + head) * dim;
    int seen = visible(r, i);
    float largest = NEGATIVE_INFINITY, sum = 0.0f, mixed[MOST_DIMS] = {};
    for (int start = first_visible(s, r, i); start < seen; start += ROW_THREADS) {
        int p = start + threadIdx.x;
        float score = NEGATIVE_INFINITY;
        if (p < seen) {
            const float *key = k + ((u64)key_row(r, p) * kv_heads + kv) * dim;
            score = capped(s, scale * dot(query, key, dim) + bias_of(s, r, head, i, p));
        }
        float before = largest;
        largest = fmaxf(largest, block_max(score, scratch));
        float weight = p < seen ? expf(score - largest) : 0.0f, shrink = expf(before - largest);
        weights[threadIdx.x] = weight;
        sum = sum * shrink + block_sum(weight, scratch);
        int count = min(ROW_THREADS, seen - start);
        for (int part = 0; part < MOST_DIMS; part++) {
            int d = part * ROW_THREADS + threadIdx.x;
            if (d >= dim) break;
            float total = mixed[part] * shrink;
            for (int j = 0; j < count; j++)
                total += weights[j] * v[((u64)key_row(r, start + j) * kv_heads + kv) * dim + d];
            mixed[part] = total;
        }
        __syncthreads();
    }
    for (int part = 0; part < MOST_DIMS; part++) {
        int d = part * ROW_THREADS + threadIdx.x;
        if (d < dim) out[(row * heads + head) * dim + d] = mixed[part] / sum;
    }
    if (threadIdx.x == 0) lse[row * heads + head] = largest + logf(sum);
}

// `delta (queries, heads) = Σ out·dout`; a warp for each row and head.
KERNEL attend_delta(const float *out, const float *dout, int dim, float *delta, int count) {
    int item = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
    float sum = 0.0f;
    if (item < count)
        for (int d = threadIdx.x % 32; d < dim; d += 32) sum += out[(u64)item * dim + d] * dout[(u64)item * dim + d];
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(~0u, sum, offset);
    if (item < count && threadIdx.x % 32 == 0) delta[item] = sum;
}

KERNEL attend_dq(const float *q, const float *k, const float *v, const float *dout, const float *lse, const float *delta,
                 const Range *ranges, const QueryTile *tiles, SHAPE, float *dq) {
    __shared__ float slopes[ROW_THREADS];
    Shape s = SHAPE_OF_ARGUMENTS;
    QueryTile tile = tiles[blockIdx.x / 64];
    Range r = ranges[tile.range];
    int i = tile.first + blockIdx.x % 64, head = blockIdx.y, kv = head / (heads / kv_heads);
    if (i >= r.query_count) return;
    u64 at = (u64)(r.queries + i) * heads + head;
    int seen = visible(r, i);
    float total[MOST_DIMS] = {};
    for (int start = first_visible(s, r, i); start < seen; start += ROW_THREADS) {
        int p = start + threadIdx.x;
        float slope = 0.0f;
        if (p < seen) {
            u64 key = ((u64)key_row(r, p) * kv_heads + kv) * dim;
            float score = capped(s, scale * dot(q + at * dim, k + key, dim) + bias_of(s, r, head, i, p));
            slope = expf(score - lse[at]) * (dot(dout + at * dim, v + key, dim) - delta[at]) * scale;
            slope *= cap_slope(s, score);
        }
        slopes[threadIdx.x] = slope;
        __syncthreads();
        int count = min(ROW_THREADS, seen - start);
        for (int part = 0; part < MOST_DIMS; part++) {
            int d = part * ROW_THREADS + threadIdx.x;
            if (d >= dim) break;
            for (int j = 0; j < count; j++)
                total[part] += slopes[j] * k[((u64)key_row(r, start + j) * kv_heads + kv) * dim + d];
        }
        __syncthreads();
    }
    for (int part = 0; part < MOST_DIMS; part++) {
        int d = part * ROW_THREADS + threadIdx.x;
        if (d < dim) dq[at * dim + d] = total[part];
    }
}

// Where a tile's gradient goes: its rows of `dk` and `dv`, or its part of `parts`, `(part, 2, 64, kv_heads·dim)`.
struct Place {
    float *dk, *dv;
};

__device__ inline Place place_of(const KeyTile &tile, float *dk, float *dv, float *parts, u64 width) {
    if (tile.part < 0) return Place{dk + tile.keys * width, dv + tile.keys * width};
    float *part = parts + (u64)tile.part * 2 * 64 * width;
    return Place{part, part + 64 * width};
}

KERNEL attend_dkv(const float *q, const float *k, const float *v, const float *dout, const float *lse,
                  const float *delta, const Range *ranges, const KeyTile *tiles, const Visit *visits, SHAPE, float *dk,
                  float *dv, float *parts) {
    __shared__ float weights[ROW_THREADS], slopes[ROW_THREADS];
    Shape s = SHAPE_OF_ARGUMENTS;
    KeyTile tile = tiles[blockIdx.x / 64];
    int within = blockIdx.x % 64, kv = blockIdx.y, group = heads / kv_heads;
    if (within >= tile.count) return;
    u64 width = (u64)kv_heads * dim, key = (u64)(tile.keys + within) * width + kv * dim;
    float sum_k[MOST_DIMS] = {}, sum_v[MOST_DIMS] = {};
    for (int visit = tile.visits; visit < tile.visits + tile.visit_count; visit++) {
        Range r = ranges[visits[visit].range];
        int position = visits[visit].position + within, end = end_query(s, r, position);
        for (int head = kv * group; head < (kv + 1) * group; head++)
            for (int start = first_query(r, position); start < end; start += ROW_THREADS) {
                int i = start + threadIdx.x;
                float weight = 0.0f, slope = 0.0f;
                if (i < end) {
                    u64 at = (u64)(r.queries + i) * heads + head;
                    float score = scale * dot(q + at * dim, k + key, dim) + bias_of(s, r, head, i, position);
                    score = capped(s, score);
                    weight = expf(score - lse[at]);
                    slope = weight * (dot(dout + at * dim, v + key, dim) - delta[at]) * scale * cap_slope(s, score);
                }
                weights[threadIdx.x] = weight;
                slopes[threadIdx.x] = slope;
                __syncthreads();
                int count = min(ROW_THREADS, end - start);
                for (int part = 0; part < MOST_DIMS; part++) {
                    int d = part * ROW_THREADS + threadIdx.x;
                    if (d >= dim) break;
                    for (int j = 0; j < count; j++) {
                        u64 from = ((u64)(r.queries + start + j) * heads + head) * dim + d;
                        sum_k[part] += slopes[j] * q[from];
                        sum_v[part] += weights[j] * dout[from];
                    }
                }
                __syncthreads();
            }
    }
    Place to = place_of(tile, dk, dv, parts, width);
    for (int part = 0; part < MOST_DIMS; part++) {
        int d = part * ROW_THREADS + threadIdx.x;
        if (d >= dim) break;
        to.dk[within * width + kv * dim + d] = sum_k[part];
        to.dv[within * width + kv * dim + d] = sum_v[part];
    }
}

// Sums the parts of a tile's gradient, in order; a block for each key of each fold.
KERNEL attend_fold(const Fold *folds, const float *parts, int width, float *dk, float *dv) {
    Fold fold = folds[blockIdx.x / 64];
    int within = blockIdx.x % 64;
    if (within >= fold.count) return;
    for (int d = threadIdx.x; d < width; d += blockDim.x) {
        float sum_k = 0.0f, sum_v = 0.0f;
        for (int part = fold.part; part < fold.part + fold.part_count; part++) {
            const float *from = parts + ((u64)part * 2 * 64 + within) * width + d;
            sum_k += from[0];
            sum_v += from[(u64)64 * width];
        }
        dk[(u64)(fold.keys + within) * width + d] = sum_k;
        dv[(u64)(fold.keys + within) * width + d] = sum_v;
    }
}

// --- With the tensor cores, for heads of 64 and 128 numbers: a block of 4 warps for each tile and head. ---
//
// `mma.m16n8k16` multiplies a (16, 16) by b (16, 8). In a warp, lane `4·g + t` holds of a: rows g and g + 8, columns 2t,
// 2t + 1 and those 8 later; of b: the same places of column g; of the sums: rows g and g + 8, columns 2t and 2t + 1.
// b is read from shared memory rows of its *columns*, so what is summed over must lie along the rows there.

#define TILE_THREADS 128
#define UNROLL _Pragma("unroll")

__device__ inline void multiply(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef EMULATED
    emulated_multiply(sums, a, b0, b1);
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

__device__ inline u32 pair_at(const bf16 *at) { return *(const u32 *)at; }

// `sums += a·b` for 8 columns of `b` whose rows in shared memory begin at `columns`, `stride` apart; `steps` times 16.
template <int STEPS>
__device__ inline void multiply_all(float (&sums)[4], const u32 (&a)[STEPS][4], const bf16 *columns, int stride) {
    int lane = threadIdx.x % 32;
    const bf16 *at = columns + lane / 4 * stride + lane % 4 * 2;
    UNROLL
    for (int step = 0; step < STEPS; step++)
        multiply(sums, a[step], pair_at(at + step * 16), pair_at(at + step * 16 + 8));
}

// This warp's 16 rows of a tile in shared memory, as `a`.
template <int DIM> __device__ inline void take_rows(u32 (&a)[DIM / 16][4], const bf16 *tile, int stride) {
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const bf16 *at = tile + (warp * 16 + lane / 4) * stride + lane % 4 * 2;
    UNROLL
    for (int step = 0; step < DIM / 16; step++) {
        a[step][0] = pair_at(at + step * 16);
        a[step][1] = pair_at(at + step * 16 + 8 * stride);
        a[step][2] = pair_at(at + step * 16 + 8);
        a[step][3] = pair_at(at + step * 16 + 8 * stride + 8);
    }
}

// Sums of a product as `a` of the next: two blocks of 8 columns make 16.
template <int BLOCKS> __device__ inline void as_left(u32 (&a)[BLOCKS / 2][4], const float (&sums)[BLOCKS][4]) {
    UNROLL
    for (int step = 0; step < BLOCKS / 2; step++) {
        a[step][0] = pair_of(sums[2 * step][0], sums[2 * step][1]);
        a[step][1] = pair_of(sums[2 * step][2], sums[2 * step][3]);
        a[step][2] = pair_of(sums[2 * step + 1][0], sums[2 * step + 1][1]);
        a[step][3] = pair_of(sums[2 * step + 1][2], sums[2 * step + 1][3]);
    }
}

// Copies `COUNT` rows of a head to shared memory as bf16, `(COUNT, DIM + 8)` into `rows` and, where `turned` is there,
// `(DIM, COUNT + 8)` into it. `row_of(i)` is where row `i` lies, below 0 for one that is not there: zeros.
template <int DIM, int COUNT, class RowOf>
__device__ inline void load(bf16 *rows, bf16 *turned, const float *from, u64 width, RowOf row_of) {
    // A thread takes four columns of two rows, so that it writes whole words both ways.
    for (int item = threadIdx.x; item < COUNT / 2 * (DIM / 4); item += TILE_THREADS) {
        int i = item / (DIM / 4) * 2, d = item % (DIM / 4) * 4;
        float4 v[2];
        UNROLL
        for (int side = 0; side < 2; side++) {
            int row = row_of(i + side);
            v[side] = row < 0 ? float4{0.0f, 0.0f, 0.0f, 0.0f} : *(const float4 *)(from + row * width + d);
            if (rows) {
                u32 *to = (u32 *)(rows + (i + side) * (DIM + 8) + d);
                to[0] = pair_of(v[side].x, v[side].y);
                to[1] = pair_of(v[side].z, v[side].w);
            }
        }
        if (turned) {
            *(u32 *)(turned + d * (COUNT + 8) + i) = pair_of(v[0].x, v[1].x);
            *(u32 *)(turned + (d + 1) * (COUNT + 8) + i) = pair_of(v[0].y, v[1].y);
            *(u32 *)(turned + (d + 2) * (COUNT + 8) + i) = pair_of(v[0].z, v[1].z);
            *(u32 *)(turned + (d + 3) * (COUNT + 8) + i) = pair_of(v[0].w, v[1].w);
        }
    }
}

template <int DIM>
__device__ void attend_tile(const float *q, const float *k, const float *v, const Range *ranges, const QueryTile *tiles,
                            Shape s, float *out, float *lse) {
    SHARED(bf16, shared);
    bf16 *keys = shared, *values = shared + 64 * (DIM + 8);
    QueryTile tile = tiles[blockIdx.x];
    Range r = ranges[tile.range];
    int head = blockIdx.y, kv = head / (s.heads / s.kv_heads), lane = threadIdx.x % 32;
    int mine = tile.first + threadIdx.x / 32 * 16 + lane / 4; // and the row 8 later
    u64 q_width = (u64)s.heads * DIM, kv_width = (u64)s.kv_heads * DIM;

    u32 query[DIM / 16][4];
    load<DIM, 64>(keys, (bf16 *)0, q + head * DIM, q_width,
                  [&](int i) { return tile.first + i < r.query_count ? r.queries + tile.first + i : -1; });
    __syncthreads();
    take_rows<DIM>(query, keys, DIM + 8);

    float mixed[DIM / 8][4] = {}, largest[2] = {NEGATIVE_INFINITY, NEGATIVE_INFINITY}, sum[2] = {};
    int end = visible(r, min(tile.first + 63, r.query_count - 1));
    for (int start = first_visible(s, r, tile.first) / 64 * 64; start < end; start += 64) {
        auto row_of = [&](int i) { return start + i < end ? key_row(r, start + i) : -1; };
        __syncthreads();
        load<DIM, 64>(keys, (bf16 *)0, k + kv * DIM, kv_width, row_of);
        load<DIM, 64>((bf16 *)0, values, v + kv * DIM, kv_width, row_of);
        __syncthreads();
        float scores[8][4] = {};
        UNROLL
        for (int block = 0; block < 8; block++)
            multiply_all<DIM / 16>(scores[block], query, keys + block * 8 * (DIM + 8), DIM + 8);
        UNROLL
        for (int side = 0; side < 2; side++) {
            int i = mine + side * 8, seen = i < r.query_count ? visible(r, i) : end;
            int first = i < r.query_count ? first_visible(s, r, i) : 0;
            float top = largest[side];
            UNROLL
            for (int block = 0; block < 8; block++)
                UNROLL
                for (int c = 0; c < 2; c++) {
                    int p = start + block * 8 + lane % 4 * 2 + c;
                    float &score = scores[block][side * 2 + c];
                    bool sees = p >= first && p < seen;
                    score *= s.scale;
                    if (s.bias && sees && i < r.query_count) score += bias_of(s, r, head, i, p);
                    score = sees ? capped(s, score) : NEGATIVE_INFINITY;
                    top = fmaxf(top, score);
                }
            top = fmaxf(top, __shfl_xor_sync(~0u, top, 1));
            top = fmaxf(top, __shfl_xor_sync(~0u, top, 2));
            // A row whose window begins after these keys has seen nothing yet.
            float base = top == NEGATIVE_INFINITY ? 0.0f : top;
            float shrink = __expf(largest[side] - base), total = 0.0f;
            largest[side] = top;
            UNROLL
            for (int block = 0; block < 8; block++)
                UNROLL
                for (int c = 0; c < 2; c++) {
                    float &score = scores[block][side * 2 + c];
                    score = __expf(score - base);
                    total += score;
                }
            sum[side] = sum[side] * shrink + total;
            UNROLL
            for (int block = 0; block < DIM / 8; block++)
                UNROLL
                for (int c = 0; c < 2; c++) mixed[block][side * 2 + c] *= shrink;
        }
        u32 weights[4][4];
        as_left<8>(weights, scores);
        UNROLL
        for (int block = 0; block < DIM / 8; block++)
            multiply_all<4>(mixed[block], weights, values + block * 8 * (64 + 8), 64 + 8);
    }
    UNROLL
    for (int side = 0; side < 2; side++) {
        int i = mine + side * 8;
        sum[side] += __shfl_xor_sync(~0u, sum[side], 1);
        sum[side] += __shfl_xor_sync(~0u, sum[side], 2);
        if (i >= r.query_count) continue;
        u64 at = (u64)(r.queries + i) * s.heads + head;
        UNROLL
        for (int block = 0; block < DIM / 8; block++)
            UNROLL
            for (int c = 0; c < 2; c++)
                out[at * DIM + block * 8 + lane % 4 * 2 + c] = mixed[block][side * 2 + c] / sum[side];
        if (lane % 4 == 0) lse[at] = largest[side] + logf(sum[side]);
    }
}

template <int DIM>
__device__ void attend_dq_tile(const float *q, const float *k, const float *v, const float *dout, const float *lse,
                               const float *delta, const Range *ranges, const QueryTile *tiles, Shape s, float *dq) {
    SHARED(bf16, shared);
    bf16 *keys = shared, *values = keys + 64 * (DIM + 8), *turned = values + 64 * (DIM + 8);
    QueryTile tile = tiles[blockIdx.x];
    Range r = ranges[tile.range];
    int head = blockIdx.y, kv = head / (s.heads / s.kv_heads), lane = threadIdx.x % 32;
    int mine = tile.first + threadIdx.x / 32 * 16 + lane / 4;
    u64 q_width = (u64)s.heads * DIM, kv_width = (u64)s.kv_heads * DIM;

    u32 query[DIM / 16][4], gradient[DIM / 16][4];
    auto query_row = [&](int i) { return tile.first + i < r.query_count ? r.queries + tile.first + i : -1; };
    load<DIM, 64>(keys, (bf16 *)0, q + head * DIM, q_width, query_row);
    load<DIM, 64>(values, (bf16 *)0, dout + head * DIM, q_width, query_row);
    __syncthreads();
    take_rows<DIM>(query, keys, DIM + 8);
    take_rows<DIM>(gradient, values, DIM + 8);

    float total[DIM / 8][4] = {}, own_lse[2] = {}, own_delta[2] = {};
    UNROLL
    for (int side = 0; side < 2; side++) {
        int i = mine + side * 8;
        if (i >= r.query_count) continue;
        u64 at = (u64)(r.queries + i) * s.heads + head;
        own_lse[side] = lse[at];
        own_delta[side] = delta[at];
    }
    int end = visible(r, min(tile.first + 63, r.query_count - 1));
    for (int start = first_visible(s, r, tile.first) / 64 * 64; start < end; start += 64) {
        auto row_of = [&](int i) { return start + i < end ? key_row(r, start + i) : -1; };
        __syncthreads();
        load<DIM, 64>(keys, turned, k + kv * DIM, kv_width, row_of);
        load<DIM, 64>(values, (bf16 *)0, v + kv * DIM, kv_width, row_of);
        __syncthreads();
        float slopes[8][4];
        UNROLL
        for (int block = 0; block < 8; block++) {
            float scores[4] = {}, products[4] = {};
            multiply_all<DIM / 16>(scores, query, keys + block * 8 * (DIM + 8), DIM + 8);
            multiply_all<DIM / 16>(products, gradient, values + block * 8 * (DIM + 8), DIM + 8);
            UNROLL
            for (int c = 0; c < 4; c++) {
                int i = mine + c / 2 * 8, p = start + block * 8 + lane % 4 * 2 + c % 2;
                bool sees = i < r.query_count && p < visible(r, i) && p >= first_visible(s, r, i);
                float score = s.scale * scores[c];
                if (s.bias && sees) score += bias_of(s, r, head, i, p);
                score = capped(s, score);
                float weight = sees ? __expf(score - own_lse[c / 2]) : 0.0f;
                slopes[block][c] = weight * (products[c] - own_delta[c / 2]) * s.scale * cap_slope(s, score);
            }
        }
        u32 left[4][4];
        as_left<8>(left, slopes);
        UNROLL
        for (int block = 0; block < DIM / 8; block++)
            multiply_all<4>(total[block], left, turned + block * 8 * (64 + 8), 64 + 8);
    }
    UNROLL
    for (int side = 0; side < 2; side++) {
        int i = mine + side * 8;
        if (i >= r.query_count) continue;
        u64 at = (u64)(r.queries + i) * s.heads + head;
        UNROLL
        for (int block = 0; block < DIM / 8; block++)
            UNROLL
            for (int c = 0; c < 2; c++)
                dq[at * DIM + block * 8 + lane % 4 * 2 + c] = total[block][side * 2 + c];
    }
}

// Queries taken at once by a tile of keys.
#define QUERIES 32

template <int DIM>
__device__ void attend_dkv_tile(const float *q, const float *k, const float *v, const float *dout, const float *lse,
                                const float *delta, const Range *ranges, const KeyTile *tiles, const Visit *visits,
                                Shape s, float *dk, float *dv, float *parts) {
    // Keys and values lie here only until they are in registers.
    SHARED(bf16, shared);
    bf16 *queries = shared, *queries_turned = queries + QUERIES * (DIM + 8);
    bf16 *gradients = queries_turned + DIM * (QUERIES + 8), *gradients_turned = gradients + QUERIES * (DIM + 8);
    bf16 *staged = shared;
    KeyTile tile = tiles[blockIdx.x];
    int kv = blockIdx.y, group = s.heads / s.kv_heads, lane = threadIdx.x % 32;
    int mine = threadIdx.x / 32 * 16 + lane / 4;
    u64 q_width = (u64)s.heads * DIM, kv_width = (u64)s.kv_heads * DIM;

    u32 key[DIM / 16][4], value[DIM / 16][4];
    auto tile_row = [&](int i) { return i < tile.count ? tile.keys + i : -1; };
    load<DIM, 64>(staged, (bf16 *)0, k + kv * DIM, kv_width, tile_row);
    __syncthreads();
    take_rows<DIM>(key, staged, DIM + 8);
    __syncthreads();
    load<DIM, 64>(staged, (bf16 *)0, v + kv * DIM, kv_width, tile_row);
    __syncthreads();
    take_rows<DIM>(value, staged, DIM + 8);

    float sum_k[DIM / 8][4] = {}, sum_v[DIM / 8][4] = {};
    for (int visit = tile.visits; visit < tile.visits + tile.visit_count; visit++) {
        Range r = ranges[visits[visit].range];
        int position = visits[visit].position, end = end_query(s, r, position + tile.count - 1);
        for (int head = kv * group; head < (kv + 1) * group; head++)
            for (int start = first_query(r, position); start < end; start += QUERIES) {
                auto row_of = [&](int i) { return start + i < r.query_count ? r.queries + start + i : -1; };
                __syncthreads();
                load<DIM, QUERIES>(queries, queries_turned, q + head * DIM, q_width, row_of);
                load<DIM, QUERIES>(gradients, gradients_turned, dout + head * DIM, q_width, row_of);
                __syncthreads();
                float weights[QUERIES / 8][4], slopes[QUERIES / 8][4];
                UNROLL
                for (int block = 0; block < QUERIES / 8; block++) {
                    float scores[4] = {}, products[4] = {};
                    multiply_all<DIM / 16>(scores, key, queries + block * 8 * (DIM + 8), DIM + 8);
                    multiply_all<DIM / 16>(products, value, gradients + block * 8 * (DIM + 8), DIM + 8);
                    UNROLL
                    for (int c = 0; c < 4; c++) {
                        int i = start + block * 8 + lane % 4 * 2 + c % 2, p = position + mine + c / 2 * 8;
                        bool sees = i < r.query_count && mine + c / 2 * 8 < tile.count && p < visible(r, i);
                        sees = sees && p >= first_visible(s, r, i);
                        u64 at = (u64)(r.queries + i) * s.heads + head;
                        float score = s.scale * scores[c];
                        if (s.bias && sees) score += bias_of(s, r, head, i, p);
                        score = capped(s, score);
                        float weight = sees ? __expf(score - lse[at]) : 0.0f;
                        weights[block][c] = weight;
                        float slope = sees ? weight * (products[c] - delta[at]) * s.scale : 0.0f;
                        slopes[block][c] = slope * cap_slope(s, score);
                    }
                }
                u32 left[QUERIES / 16][4];
                as_left<QUERIES / 8>(left, weights);
                UNROLL
                for (int block = 0; block < DIM / 8; block++)
                    multiply_all<QUERIES / 16>(sum_v[block], left, gradients_turned + block * 8 * (QUERIES + 8),
                                               QUERIES + 8);
                as_left<QUERIES / 8>(left, slopes);
                UNROLL
                for (int block = 0; block < DIM / 8; block++)
                    multiply_all<QUERIES / 16>(sum_k[block], left, queries_turned + block * 8 * (QUERIES + 8),
                                               QUERIES + 8);
            }
    }
    Place to = place_of(tile, dk, dv, parts, kv_width);
    UNROLL
    for (int side = 0; side < 2; side++) {
        int row = mine + side * 8;
        if (row >= tile.count) continue;
        UNROLL
        for (int block = 0; block < DIM / 8; block++)
            UNROLL
            for (int c = 0; c < 2; c++) {
                u64 at = row * kv_width + kv * DIM + block * 8 + lane % 4 * 2 + c;
                to.dk[at] = sum_k[block][side * 2 + c];
                to.dv[at] = sum_v[block][side * 2 + c];
            }
    }
}

#define TILE_KERNELS(DIM)                                                                                             \
    KERNEL __launch_bounds__(TILE_THREADS)                                                                            \
        attend_tile_##DIM(const float *q, const float *k, const float *v, const Range *ranges,                        \
                          const QueryTile *tiles, SHAPE, float *out, float *lse) {                                    \
        attend_tile<DIM>(q, k, v, ranges, tiles, SHAPE_OF_ARGUMENTS, out, lse);                                       \
    }                                                                                                                 \
    KERNEL __launch_bounds__(TILE_THREADS)                                                                            \
        attend_dq_tile_##DIM(const float *q, const float *k, const float *v, const float *dout, const float *lse,     \
                             const float *delta, const Range *ranges, const QueryTile *tiles, SHAPE, float *dq) {     \
        attend_dq_tile<DIM>(q, k, v, dout, lse, delta, ranges, tiles, SHAPE_OF_ARGUMENTS, dq);                        \
    }                                                                                                                 \
    KERNEL __launch_bounds__(TILE_THREADS)                                                                            \
        attend_dkv_tile_##DIM(const float *q, const float *k, const float *v, const float *dout, const float *lse,    \
                              const float *delta, const Range *ranges, const KeyTile *tiles, const Visit *visits,     \
                              SHAPE, float *dk, float *dv, float *parts) {                                            \
        attend_dkv_tile<DIM>(q, k, v, dout, lse, delta, ranges, tiles, visits, SHAPE_OF_ARGUMENTS, dk, dv, parts);    \
    }

TILE_KERNELS(64)
TILE_KERNELS(128)
