/*
 * Convolutions as products: what each place of the window sees is unfolded into columns (one line
 * for each number of the kernel, one column for each place), and multiplied by the weights. The way
 * back folds.
 */
#include <string.h>

#include "nets/gemm.h"
#include "nets/net_internal.h"

/* Places x of one line of outputs whose input at this column of the kernel is there: from `begin`
 * to `end`; the input of x is x * stride + shift. */
typedef struct run_of {
    size_t begin, end;
    ptrdiff_t shift;
} run_of;

static run_of columns_of(const tut_window *w, size_t kernel_x)
{
    run_of r = {.shift = (ptrdiff_t)(kernel_x * w->dilation_w) - (ptrdiff_t)w->pad_left};
    ptrdiff_t stride = (ptrdiff_t)w->stride_w;
    ptrdiff_t begin = r.shift < 0 ? (-r.shift + stride - 1) / stride : 0;
    ptrdiff_t last = (ptrdiff_t)w->in_w - 1 - r.shift;
    ptrdiff_t end = last < 0 ? 0 : last / stride + 1, out = (ptrdiff_t)w->out_w;
    end = end > out ? out : end;
    r.end = (size_t)end;
    r.begin = begin > end ? r.end : (size_t)begin;
    return r;
}

/* Which line of the input a line of outputs sees; SIZE_MAX: one of the pads. */
static size_t line_of(const tut_window *w, size_t out_y, size_t kernel_y)
{
    size_t y = out_y * w->stride_h + kernel_y * w->dilation_h;
    return y < w->pad_top || y - w->pad_top >= w->in_h ? SIZE_MAX : y - w->pad_top;
}

static void unfold_line(const tut_window *w, const run_of *r, const float *line, float *to)
{
    memset(to, 0, r->begin * sizeof(*to));
    if (w->stride_w == 1)
        memcpy(to + r->begin, line + (ptrdiff_t)r->begin + r->shift,
               (r->end - r->begin) * sizeof(*to));
    else
        for (size_t x = r->begin; x < r->end; x++)
            to[x] = line[(ptrdiff_t)(x * w->stride_w) + r->shift];
    memset(to + r->end, 0, (w->out_w - r->end) * sizeof(*to));
}

/* Where lines of outputs are as long as those of the input, and no place is left out, what one
 * number of the kernel sees is the whole plane, shifted: one piece from the first place that sees
 * the input to the last. The ends of its lines ran over into the next line: there it sees pads. */
typedef struct plane_of {
    run_of columns;
    size_t top, bottom, begin, count; /* lines; of the piece */
    ptrdiff_t shift;
} plane_of;

static bool is_flat(const tut_window *w)
{
    return w->stride_h == 1 && w->stride_w == 1 && w->in_w == w->out_w;
}

static plane_of shifted(const tut_window *w, size_t kernel_y, size_t kernel_x)
{
    plane_of p = {.columns = columns_of(w, kernel_x)};
    size_t below = kernel_y * w->dilation_h, end = w->in_h + w->pad_top;
    p.top = below < w->pad_top ? w->pad_top - below : 0;
    p.bottom = end > below ? end - below : 0;
    p.bottom = p.bottom < w->out_h ? p.bottom : w->out_h;
    if (p.top >= p.bottom || p.columns.begin == p.columns.end) {
        p.top = p.bottom = w->out_h;
        return p;
    }
    p.begin = p.top * w->out_w + p.columns.begin;
    p.count = (p.bottom - 1) * w->out_w + p.columns.end - p.begin;
    p.shift = ((ptrdiff_t)below - (ptrdiff_t)w->pad_top) * (ptrdiff_t)w->in_w + p.columns.shift;
    return p;
}

static void clear_column(const tut_window *w, const plane_of *p, size_t x, float *plane)
{
    for (size_t y = p->top; y < p->bottom; y++)
        plane[y * w->out_w + x] = 0;
}

static void clear_ends(const tut_window *w, const plane_of *p, float *plane)
{
    for (size_t x = 0; x < p->columns.begin; x++)
        clear_column(w, p, x, plane);
    for (size_t x = p->columns.end; x < w->out_w; x++)
        clear_column(w, p, x, plane);
}

static void unfold_plane(const tut_window *w, const plane_of *p, const float *in, float *to)
{
    size_t top = (p->count ? p->top : w->out_h) * w->out_w;
    memset(to, 0, top * sizeof(*to));
    memcpy(to + p->begin, in + (ptrdiff_t)p->begin + p->shift, p->count * sizeof(*to));
    memset(to + p->bottom * w->out_w, 0, (w->out_h - p->bottom) * w->out_w * sizeof(*to));
    clear_ends(w, p, to);
}

static void unfold(const tut_window *w, size_t channels, const float *in, float *to)
{
    size_t kernel = w->kernel_h * w->kernel_w, places = w->out_h * w->out_w;
    for (size_t k = 0; is_flat(w) && k < kernel; k++) {
        const plane_of p = shifted(w, k / w->kernel_w, k % w->kernel_w);
        for (size_t c = 0; c < channels; c++)
            unfold_plane(w, &p, in + c * w->in_h * w->in_w, to + (c * kernel + k) * places);
    }
    if (is_flat(w))
        return;
    for (size_t c = 0; c < channels; c++, in += w->in_h * w->in_w)
        for (size_t k = 0; k < kernel; k++) {
            const run_of r = columns_of(w, k % w->kernel_w);
            for (size_t y = 0; y < w->out_h; y++, to += w->out_w) {
                size_t from = line_of(w, y, k / w->kernel_w);
                if (from == SIZE_MAX || r.begin == r.end)
                    memset(to, 0, w->out_w * sizeof(*to));
                else
                    unfold_line(w, &r, in + from * w->in_w, to);
            }
        }
}

static void fold_line(const tut_window *w, const run_of *r, const float *restrict from,
                      float *restrict line)
{
    size_t n = r->end - r->begin;
    float *to = line + (ptrdiff_t)(r->begin * w->stride_w) + r->shift;
    from += r->begin;
    if (w->stride_w == 1)
        for (size_t x = 0; x < n; x++)
            to[x] += from[x];
    else
        for (size_t x = 0; x < n; x++)
            to[x * w->stride_w] += from[x];
}

static void fold_plane(const float *restrict from, float *restrict to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

/* Of what it folds it clears what lies in the pads. */
static void fold(const tut_window *w, size_t channels, float *from, float *in)
{
    size_t kernel = w->kernel_h * w->kernel_w, places = w->out_h * w->out_w;
    for (size_t k = 0; is_flat(w) && k < kernel; k++) {
        const plane_of p = shifted(w, k / w->kernel_w, k % w->kernel_w);
        for (size_t c = 0; c < channels; c++) {
            float *plane = from + (c * kernel + k) * places;
            clear_ends(w, &p, plane);
            fold_plane(plane + p.begin, in + c * w->in_h * w->in_w + (ptrdiff_t)p.begin + p.shift,
                       p.count);
        }
    }
    if (is_flat(w))
        return;
    for (size_t c = 0; c < channels; c++, in += w->in_h * w->in_w)
        for (size_t k = 0; k < kernel; k++) {
            const run_of r = columns_of(w, k % w->kernel_w);
            for (size_t y = 0; y < w->out_h; y++, from += w->out_w) {
                size_t to = line_of(w, y, k / w->kernel_w);
                if (to == SIZE_MAX || r.begin == r.end)
                    continue;
                fold_line(w, &r, from, in + to * w->in_w);
            }
        }
}

/* A window of one number that stands nowhere else: the columns are the input itself. */
static bool is_plain(const tut_window *w)
{
    return w->kernel_h * w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 &&
           w->in_h == w->out_h && w->in_w == w->out_w;
}

static void run_conv(const tut_step *s, tut_pass *p)
{
    const tut_window *w = &s->window;
    size_t places = w->out_h * w->out_w, channels = w->channels / w->groups;
    size_t outputs = w->out_channels / w->groups, inner = channels * w->kernel_h * w->kernel_w;
    for (size_t i = 0; i < p->count * w->groups; i++) {
        size_t row = i / w->groups, group = i % w->groups;
        const float *in = tut_pass_row(p->values, p, s->in, row) +
                          group * channels * w->in_h * w->in_w;
        float *out = tut_pass_row(p->values, p, s->out, row) + group * outputs * places;
        for (size_t c = 0; c < outputs; c++) {
            float bias = s->w2 ? s->w2[group * outputs + c] : 0;
            for (size_t j = 0; j < places; j++)
                out[c * places + j] = bias;
        }
        if (!is_plain(w))
            unfold(w, channels, in, p->columns);
        tut_gemm_run(&(tut_gemm){.m = outputs,
                                 .n = places,
                                 .k = inner,
                                 .alpha = 1,
                                 .beta = 1,
                                 .a = s->w + group * outputs * inner,
                                 .b = is_plain(w) ? in : p->columns,
                                 .c = out,
                                 .lda = inner,
                                 .ldb = places,
                                 .ldc = places});
    }
}

static void back_conv(const tut_step *s, tut_pass *p)
{
    const tut_window *w = &s->window;
    size_t places = w->out_h * w->out_w, channels = w->channels / w->groups;
    size_t outputs = w->out_channels / w->groups, inner = channels * w->kernel_h * w->kernel_w;
    bool plain = is_plain(w);
    for (size_t i = 0; i < p->count * w->groups; i++) {
        size_t row = i / w->groups, group = i % w->groups;
        float *in = tut_pass_row(p->gradients, p, s->in, row) +
                    group * channels * w->in_h * w->in_w;
        tut_gemm_run(
            &(tut_gemm){.m = inner,
                        .n = places,
                        .k = outputs,
                        .turn_a = true,
                        .alpha = 1,
                        .beta = plain ? 1 : 0,
                        .a = s->w + group * outputs * inner,
                        .b = tut_pass_row(p->gradients, p, s->out, row) + group * outputs * places,
                        .c = plain ? in : p->columns,
                        .lda = inner,
                        .ldb = places,
                        .ldc = places});
        if (!plain)
            fold(w, channels, p->columns, in);
    }
}

const tut_step_kind tut_step_conv = {run_conv, back_conv};
