/* y[n] += x[k] @ w[k][n], as the conditioner needs it: few rows, any widths. Every sum is made from
 * its first term to its last. */
#define STRIP 32 /* columns whose sums are in registers */

static void add_product(float *y, const float *x, const float *w, int k, int n) {
    int column = 0;
    for (; column + STRIP <= n; column += STRIP) {
        float sum[STRIP];
        memcpy(sum, y + column, sizeof sum);
        const float *from = w + column;
        for (int i = 0; i < k; i++, from += n)
            for (int j = 0; j < STRIP; j++) sum[j] += x[i] * from[j];
        memcpy(y + column, sum, sizeof sum);
    }
    for (; column < n; column++) {
        float sum = y[column];
        for (int i = 0; i < k; i++) sum += x[i] * w[(size_t)i * (size_t)n + (size_t)column];
        y[column] = sum;
    }
}

/* The same with nothing in y before. */
static void set_product(float *y, const float *x, const float *w, int k, int n) {
    memset(y, 0, sizeof(float) * (size_t)n);
    add_product(y, x, w, k, n);
}

/* relu(y + bias). */
static void biased_relu(float *y, const float *bias, int n) {
    for (int i = 0; i < n; i++) {
        const float sum = y[i] + bias[i];
        y[i] = sum > 0 ? sum : 0;
    }
}

/* Rows one place towards the front; the last is free. */
static void shift_rows(float *rows, int count, int width) {
    memmove(rows, rows + width, sizeof(float) * (size_t)(count - 1) * (size_t)width);
}
