#include "stats/adwin.h"

#include <math.h>
#include <string.h>

enum { EVERY = 32, LEAST = 5 };

void tut_adwin_init(tut_adwin *w, double delta)
{
    memset(w, 0, sizeof(*w));
    w->delta = delta;
    w->rows = 1;
}

double tut_adwin_mean(const tut_adwin *w)
{
    return w->width ? w->total / (double)w->width : 0;
}

static double size_of(size_t row)
{
    return ldexp(1, (int)row);
}

static void drop_first(tut_adwin *w, size_t row, size_t count)
{
    w->used[row] = (uint8_t)(w->used[row] - count);
    memmove(w->sums[row], w->sums[row] + count, w->used[row] * sizeof(double));
    memmove(w->squares[row], w->squares[row] + count, w->used[row] * sizeof(double));
}

static void append(tut_adwin *w, size_t row, double sum, double squares)
{
    w->sums[row][w->used[row]] = sum;
    w->squares[row][w->used[row]++] = squares;
}

/* The two oldest of a row that is too full become one of the next. */
static void compress(tut_adwin *w)
{
    for (size_t row = 0; row < w->rows && w->used[row] > TUT_ADWIN_BUCKETS; row++) {
        double n = size_of(row), a = w->sums[row][0], b = w->sums[row][1];
        double apart = a / n - b / n;
        double squares = w->squares[row][0] + w->squares[row][1] + n / 2 * apart * apart;
        if (row + 1 == TUT_ADWIN_ROWS) {
            w->width -= (uint64_t)n;
            w->total -= a;
            drop_first(w, row, 1);
            return;
        }
        if (row + 1 == w->rows)
            w->rows++;
        drop_first(w, row, 2);
        append(w, row + 1, a + b, squares);
    }
}

/* The oldest bucket leaves the window. */
static void forget(tut_adwin *w)
{
    size_t row = w->rows - 1;
    double n = size_of(row), sum = w->sums[row][0], rest = (double)w->width - n;
    double apart = rest > 0 ? sum / n - (w->total - sum) / rest : 0;
    w->width -= (uint64_t)n;
    w->total -= sum;
    w->variance -= w->squares[row][0] + (rest > 0 ? n * rest / (n + rest) * apart * apart : 0);
    w->variance = w->variance > 0 ? w->variance : 0;
    drop_first(w, row, 1);
    while (w->rows > 1 && w->used[w->rows - 1] == 0)
        w->rows--;
}

static bool differ(const tut_adwin *w, double n0, double u0, double n1, double u1)
{
    double n = (double)w->width, variance = w->variance / n;
    double m = 1 / (1 / (n0 - LEAST + 1) + 1 / (n1 - LEAST + 1));
    double d = log(2 * log(n) / w->delta);
    return fabs(u0 / n0 - u1 / n1) > sqrt(2 / m * variance * d) + 2 / (3 * m) * d;
}

static bool has_cut(const tut_adwin *w, double *ret_before)
{
    double n0 = 0, u0 = 0;
    for (size_t row = w->rows; row-- > 0;)
        for (size_t k = 0; k < w->used[row]; k++) {
            n0 += size_of(row);
            u0 += w->sums[row][k];
            double n1 = (double)w->width - n0;
            if (n1 < LEAST)
                return false;
            if (n0 >= LEAST && differ(w, n0, u0, n1, w->total - u0)) {
                *ret_before = u0 / n0;
                return true;
            }
        }
    return false;
}

bool tut_adwin_step(tut_adwin *w, double value, double *ret_before)
{
    double before = 0, first = 0;
    bool has_changed = false;
    if (w->width > 0) {
        double n = (double)w->width, apart = value - w->total / n;
        w->variance += n / (n + 1) * apart * apart;
    }
    w->width++;
    w->total += value;
    append(w, 0, value, 0);
    compress(w);
    if (++w->seen % EVERY != 0 || w->width < (size_t)2 * LEAST)
        return false;
    while (w->width >= (size_t)2 * LEAST && has_cut(w, &before)) {
        first = has_changed ? first : before;
        has_changed = true;
        forget(w);
    }
    if (has_changed && ret_before)
        *ret_before = first;
    return has_changed;
}
