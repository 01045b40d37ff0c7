// Loss and optimiser.

// Cross-entropy of a row of logits, a block for each: its target's log-probability, and the gradient
// `weight · (softmax − onehot)` as elements if `gradient` is there. Where the logits were capped (`soft_cap`), it is the
// gradient by what they were before.
template <class E>
__device__ void cross_entropy(const float *logits, int vocab, const int *targets, const float *weights, float *log_probs,
                              E *gradient, int pitch, float cap) {
    __shared__ float scratch[32];
    const float *row = logits + (u64)blockIdx.x * vocab;
    float largest = NEGATIVE_INFINITY;
    for (int i = threadIdx.x; i < vocab; i += blockDim.x) largest = fmaxf(largest, row[i]);
    largest = block_max(largest, scratch);
    float sum = 0.0f;
    for (int i = threadIdx.x; i < vocab; i += blockDim.x) sum += expf(row[i] - largest);
    float log_sum = largest + logf(block_sum(sum, scratch));
    int target = targets[blockIdx.x];
    if (threadIdx.x == 0) log_probs[blockIdx.x] = row[target] - log_sum;
    if (!gradient) return;
    float weight = weights[blockIdx.x];
    E *to = gradient + (u64)blockIdx.x * pitch;
    for (int i = threadIdx.x; i < vocab; i += blockDim.x) {
        float slope = weight * expf(row[i] - log_sum) - (i == target ? weight : 0.0f);
        to[i] = narrowed<E>(cap > 0.0f ? slope * (1.0f - row[i] / cap * (row[i] / cap)) : slope);
    }
}

KERNEL cross_entropy_bf16(const float *logits, int vocab, const int *targets, const float *weights, float *log_probs,
                          bf16 *gradient, int pitch, float cap) {
    cross_entropy(logits, vocab, targets, weights, log_probs, gradient, pitch, cap);
}

KERNEL cross_entropy_f32(const float *logits, int vocab, const int *targets, const float *weights, float *log_probs,
                         float *gradient, int pitch, float cap) {
    cross_entropy(logits, vocab, targets, weights, log_probs, gradient, pitch, cap);
}

// The sum of the squares of 4096 numbers for each block.
KERNEL sum_squares(const float *x, u64 count, float *sums) {
    __shared__ float scratch[32];
    u64 start = (u64)blockIdx.x * 4096, end = start + 4096 < count ? start + 4096 : count;
    float sum = 0.0f;
    for (u64 i = start + threadIdx.x; i < end; i += blockDim.x) sum += x[i] * x[i];
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// `norm[0]`: the gradient's norm, `norm[1]`: the factor that clips it to `clip` (0: 1), as
// `torch.nn.utils.clip_grad_norm_`. One block of 256 threads.
KERNEL gradient_norm(const float *sums, int count, float clip, float *norm) {
    __shared__ double partial[256];
    double sum = 0.0;
    for (int i = threadIdx.x; i < count; i += 256) sum += (double)sums[i];
    partial[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (int i = 1; i < 256; i++) sum += partial[i];
    double found = sqrt(sum), factor = clip > 0.0f ? (double)clip / (found + 1e-6) : 1.0;
    norm[0] = (float)found;
    norm[1] = factor < 1.0 ? (float)factor : 1.0f;
}

// AdamW (Loshchilov and Hutter 2019) as `torch.optim.AdamW` does it; `c1`, `c2` are the bias corrections.
KERNEL adamw(float *p, const float *grads, float *m, float *v, const float *norm, float lr, float beta1, float beta2,
             float eps, float weight_decay, float c1, float c2, u64 count) {
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    float g = grads[i] * norm[1];
    float first = beta1 * m[i] + (1.0f - beta1) * g;
    float second = beta2 * v[i] + (1.0f - beta2) * g * g;
    m[i] = first;
    v[i] = second;
    float denominator = sqrtf(second) / sqrtf(c2) + eps;
    p[i] = p[i] * (1.0f - lr * weight_decay) - lr / c1 * first / denominator;
}
