// After the kernels and `ENTRIES`, the table of their names.
static Entry entries[] = {ENTRIES};

extern "C" int emulate(const char *name, unsigned x, unsigned y, unsigned threads, void **args) {
    for (Entry &entry : entries) {
        if (strcmp(entry.name, name) != 0) continue;
        gridDim = Index{x, y, 1};
        blockDim = Index{threads, 1, 1};
        body = [&] { entry.call(args); };
        for (unsigned by = 0; by < y; by++)
            for (unsigned bx = 0; bx < x; bx++) {
                blockIdx = Index{bx, by, 0};
                memset(emulated_memory, 0xff, sizeof emulated_memory);
                run_block();
            }
        return 0;
    }
    return 1;
}

struct Strides {
    size_t row, col;
};

// `graft_gpu::Product`, as a vendor's library computes it.
template <class E>
static void multiply_rows(int m, int n, int k, const E *a, Strides as, const E *b, Strides bs, float *c, size_t pitch,
                          float alpha, float beta) {
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0;
            for (int s = 0; s < k; s++) sum += widened(a[i * as.row + s * as.col]) * widened(b[s * bs.row + j * bs.col]);
            float &at = c[i * pitch + j];
            at = alpha * sum + (beta == 0 ? 0 : beta * at);
        }
}

extern "C" void emulate_product(int is_bf16, const int *shape, const void *a, const size_t *a_strides, const void *b,
                                const size_t *b_strides, float *c, size_t pitch, float alpha, float beta) {
    Strides as{a_strides[0], a_strides[1]}, bs{b_strides[0], b_strides[1]};
    int m = shape[0], n = shape[1], k = shape[2];
    if (is_bf16)
        multiply_rows(m, n, k, (const bf16 *)a, as, (const bf16 *)b, bs, c, pitch, alpha, beta);
    else
        multiply_rows(m, n, k, (const float *)a, as, (const float *)b, bs, c, pitch, alpha, beta);
}
