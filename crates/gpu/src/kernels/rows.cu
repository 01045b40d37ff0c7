// Element-wise and row-wise kernels; the arithmetic of `graft_kernels::rows`. Matrices are row-major f32.

// `y += x`.
KERNEL add_to(float *y, const float *x, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) y[i] += x[i];
}

// `x *= factor`.
KERNEL scale(float *x, float factor, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) x[i] *= factor;
}

// `x = cap · tanh(x / cap)`.
KERNEL soft_cap(float *x, float cap, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) x[i] = cap * tanhf(x[i] / cap);
}

// RMSNorm (Zhang and Sennrich 2019), a block for each row: `y = x · rstd · w`.
KERNEL rms_norm(const float *x, const float *w, float eps, int cols, float *y, float *rstd) {
    __shared__ float scratch[32];
    const float *row = x + (u64)blockIdx.x * cols;
    float squares = 0.0f;
    for (int i = threadIdx.x; i < cols; i += blockDim.x) squares += row[i] * row[i];
    float scale = 1.0f / sqrtf(block_sum(squares, scratch) / cols + eps);
    float *out = y + (u64)blockIdx.x * cols;
    for (int i = threadIdx.x; i < cols; i += blockDim.x) out[i] = row[i] * scale * w[i];
    if (threadIdx.x == 0) rstd[blockIdx.x] = scale;
}

// Adds `rstd · (w·dy − x · rstd² · mean(w·dy·x))` to `dx`.
KERNEL rms_norm_backward(float *dx, const float *dy, const float *x, const float *w, const float *rstd, int cols) {
    __shared__ float scratch[32];
    u64 start = (u64)blockIdx.x * cols;
    float products = 0.0f;
    for (int i = threadIdx.x; i < cols; i += blockDim.x) products += dy[start + i] * w[i] * x[start + i];
    float scale = rstd[blockIdx.x];
    float slope = scale * scale * scale * (block_sum(products, scratch) / cols);
    for (int i = threadIdx.x; i < cols; i += blockDim.x)
        dx[start + i] += scale * w[i] * dy[start + i] - x[start + i] * slope;
}

// The functions on a gate, in the order of `graft_ops::Activation`.
enum { SILU, GELU_TANH, RELU };

#define GELU_SCALE 0.7978846f // sqrt(2 / pi)
#define GELU_CUBE 0.044715f

struct Gate {
    float value, slope;
};

__device__ inline Gate gate_at(int activation, float g) {
    if (activation == SILU) {
        float s = 1.0f / (1.0f + expf(-g));
        return Gate{g * s, s * (1.0f + g * (1.0f - s))};
    }
    if (activation == GELU_TANH) {
        float t = tanhf(GELU_SCALE * (g + GELU_CUBE * g * g * g));
        float inner = GELU_SCALE * (1.0f + 3.0f * GELU_CUBE * g * g);
        return Gate{0.5f * g * (1.0f + t), 0.5f * (1.0f + t) + 0.5f * g * (1.0f - t * t) * inner};
    }
    return Gate{fmaxf(g, 0.0f), g > 0.0f ? 1.0f : 0.0f};
}

// `y = activation(gate) · up` (Shazeer 2020).
KERNEL gated(int activation, const float *gate, const float *up, float *y, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step)
        y[i] = gate_at(activation, gate[i]).value * up[i];
}

// Turns `gate` and `up` into their gradients.
KERNEL gated_backward(int activation, const float *dy, float *gate, float *up, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
        Gate at = gate_at(activation, gate[i]);
        gate[i] = dy[i] * up[i] * at.slope;
        up[i] = dy[i] * at.value;
    }
}

// `x = max(x, 0)`.
KERNEL relu(float *x, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) x[i] = fmaxf(x[i], 0.0f);
}

// `dy` is zeroed where the output was zero.
KERNEL relu_backward(float *dy, const float *y, u64 count) {
    u64 step = (u64)gridDim.x * blockDim.x;
    for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step)
        if (!(y[i] > 0.0f)) dy[i] = 0.0f;
}

// Rotates the pairs `(i, i + half)` of each head of a row by its angles (RoPE, Su et al. 2021); the rest of a head of more
// than `2 · half` numbers stays. A block for each row, `sign` −1 turns back.
KERNEL rope(float *x, const float *cosines, const float *sines, int heads, int dim, int half, float sign) {
    float *row = x + (u64)blockIdx.x * heads * dim;
    u64 angles = (u64)blockIdx.x * half;
    for (int i = threadIdx.x; i < heads * half; i += blockDim.x) {
        float *low = row + i / half * dim + i % half;
        float c = cosines[angles + i % half], s = sines[angles + i % half] * sign;
        float a = low[0], b = low[half];
        low[0] = a * c - b * s;
        low[half] = b * c + a * s;
    }
}

// Row `i` of `y` is row `indices[i]` of `x`; a block for each row.
KERNEL select_rows(const float *x, const int *indices, int cols, float *y) {
    const float *from = x + (u64)indices[blockIdx.x] * cols;
    float *to = y + (u64)blockIdx.x * cols;
    for (int i = threadIdx.x; i < cols; i += blockDim.x) to[i] = from[i];
}

// Adds the rows of `dy` back to where they were selected from. A block owns a row of `dx`: `rows[b]` gets the rows
// `sources[starts[b]..starts[b + 1]]`, in this order.
KERNEL select_rows_backward(float *dx, const float *dy, const int *rows, const int *starts, const int *sources, int cols) {
    float *to = dx + (u64)rows[blockIdx.x] * cols;
    for (int i = threadIdx.x; i < cols; i += blockDim.x) {
        float sum = to[i];
        for (int s = starts[blockIdx.x]; s < starts[blockIdx.x + 1]; s++) sum += dy[(u64)sources[s] * cols + i];
        to[i] = sum;
    }
}

// Writes the `count` numbers of a soft prompt over the rows of `x` that start at each of `places`; a block for each.
KERNEL place_rows(float *x, const float *prompt, const int *places, int cols, int count) {
    float *to = x + (u64)places[blockIdx.x] * cols;
    for (int i = threadIdx.x; i < count; i += blockDim.x) to[i] = prompt[i];
}

// Adds the gradients at all places to that of the prompt.
KERNEL place_rows_backward(float *gradient, const float *dy, const int *places, int number, int cols, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    float sum = gradient[i];
    for (int place = 0; place < number; place++) sum += dy[(u64)places[place] * cols + i];
    gradient[i] = sum;
}
