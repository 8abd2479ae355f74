/* Pools: the greatest of each window, or its average. */
#include <math.h>

#include "nets/net_internal.h"

/* What of a window lies within the input. */
typedef struct extent {
    size_t top, bottom, left, right; /* bottom and right: behind the last */
} extent;

/* The first and the end of the steps of one axis that lie within the input. */
static void clip_axis(size_t out, size_t stride, size_t kernel, size_t dilation, size_t pad,
                      size_t size, size_t *ret_first, size_t *ret_end)
{
    size_t start = out * stride, first = 0;
    if (start < pad)
        first = (pad - start + dilation - 1) / dilation;
    size_t end = kernel;
    if (start + (kernel - 1) * dilation >= pad + size)
        end = pad + size > start ? (pad + size - start + dilation - 1) / dilation : 0;
    *ret_first = first < end ? first : end;
    *ret_end = end;
}

static extent extent_of(const tut_window *w, size_t y, size_t x)
{
    extent e;
    clip_axis(y, w->stride_h, w->kernel_h, w->dilation_h, w->pad_top, w->in_h, &e.top, &e.bottom);
    clip_axis(x, w->stride_w, w->kernel_w, w->dilation_w, w->pad_left, w->in_w, &e.left, &e.right);
    return e;
}

static size_t place_of(const tut_window *w, size_t y, size_t x, size_t kernel_y, size_t kernel_x)
{
    return (y * w->stride_h + kernel_y * w->dilation_h - w->pad_top) * w->in_w + x * w->stride_w +
           kernel_x * w->dilation_w - w->pad_left;
}

/* Choices of numbers, not of places to read from: so the compiler lays them side by side. */
static void max_of_two_lines(const float *restrict upper, const float *restrict lower, size_t n,
                             uint32_t at, uint32_t down, float *restrict out,
                             uint32_t *restrict picks)
{
    for (size_t x = 0; x < n; x++) {
        float a = upper[2 * x], b = upper[2 * x + 1], c = lower[2 * x], d = lower[2 * x + 1];
        float top = b > a ? b : a, bottom = d > c ? d : c;
        uint32_t of_top = b > a ? 1 : 0, of_bottom = d > c ? down + 1 : down;
        out[x] = bottom > top ? bottom : top;
        picks[x] = at + 2 * (uint32_t)x + (bottom > top ? of_bottom : of_top);
    }
}

/* One plane of the commonest pool, 2 x 2 in steps of 2 without pads. */
static void max_of_four(const tut_window *w, const float *in, float *out, uint32_t *picks)
{
    for (size_t y = 0; y < w->out_h; y++, out += w->out_w, picks += w->out_w)
        max_of_two_lines(in + 2 * y * w->in_w, in + (2 * y + 1) * w->in_w, w->out_w,
                         (uint32_t)(2 * y * w->in_w), (uint32_t)w->in_w, out, picks);
}

static bool is_of_four(const tut_window *w)
{
    return w->kernel_h == 2 && w->kernel_w == 2 && w->stride_h == 2 && w->stride_w == 2 &&
           w->dilation_h == 1 && w->dilation_w == 1 && w->pad_top == 0 && w->pad_left == 0 &&
           2 * w->out_h <= w->in_h && 2 * w->out_w <= w->in_w;
}

static void run_max(const tut_step *s, tut_pass *p)
{
    const tut_window *w = &s->window;
    const float *in = p->values[s->in];
    float *out = p->values[s->out];
    uint32_t *picks = p->picks + s->picks * p->rows;
    size_t places = w->out_h * w->out_w;
    for (size_t i = 0; is_of_four(w) && i < p->count * w->channels; i++)
        max_of_four(w, in + i * w->in_h * w->in_w, out + i * places, picks + i * places);
    if (is_of_four(w))
        return;
    for (size_t plane = 0; plane < p->count * w->channels; plane++, in += w->in_h * w->in_w)
        for (size_t i = 0; i < places; i++) {
            size_t y = i / w->out_w, x = i % w->out_w;
            const extent e = extent_of(w, y, x);
            size_t best = place_of(w, y, x, e.top, e.left);
            for (size_t ky = e.top; ky < e.bottom; ky++)
                for (size_t kx = e.left; kx < e.right; kx++) {
                    size_t at = place_of(w, y, x, ky, kx);
                    best = in[at] > in[best] ? at : best;
                }
            *out++ = in[best];
            *picks++ = (uint32_t)best;
        }
}

static void back_max(const tut_step *s, tut_pass *p)
{
    const tut_window *w = &s->window;
    float *in = p->gradients[s->in];
    const float *out = p->gradients[s->out];
    const uint32_t *picks = p->picks + s->picks * p->rows;
    size_t places = w->out_h * w->out_w;
    for (size_t plane = 0; plane < p->count * w->channels; plane++, in += w->in_h * w->in_w)
        for (size_t i = 0; i < places; i++)
            in[*picks++] += *out++;
}

const tut_step_kind tut_step_max_pool = {run_max, back_max};

static float share_of(const tut_window *w, const extent *e)
{
    size_t seen = (e->bottom - e->top) * (e->right - e->left);
    size_t all = w->counts_pads ? w->kernel_h * w->kernel_w : seen;
    return all ? 1 / (float)all : 0;
}

static void run_average(const tut_step *s, tut_pass *p)
{
    const tut_window *w = &s->window;
    const float *in = p->values[s->in];
    float *out = p->values[s->out];
    size_t places = w->out_h * w->out_w;
    for (size_t plane = 0; plane < p->count * w->channels; plane++, in += w->in_h * w->in_w)
        for (size_t i = 0; i < places; i++) {
            size_t y = i / w->out_w, x = i % w->out_w;
            const extent e = extent_of(w, y, x);
            float sum = 0;
            for (size_t ky = e.top; ky < e.bottom; ky++)
                for (size_t kx = e.left; kx < e.right; kx++)
                    sum += in[place_of(w, y, x, ky, kx)];
            *out++ = sum * share_of(w, &e);
        }
}

static void back_average(const tut_step *s, tut_pass *p)
{
    const tut_window *w = &s->window;
    float *in = p->gradients[s->in];
    const float *out = p->gradients[s->out];
    size_t places = w->out_h * w->out_w;
    for (size_t plane = 0; plane < p->count * w->channels; plane++, in += w->in_h * w->in_w)
        for (size_t i = 0; i < places; i++) {
            size_t y = i / w->out_w, x = i % w->out_w;
            const extent e = extent_of(w, y, x);
            float share = *out++ * share_of(w, &e);
            for (size_t ky = e.top; ky < e.bottom; ky++)
                for (size_t kx = e.left; kx < e.right; kx++)
                    in[place_of(w, y, x, ky, kx)] += share;
        }
}

const tut_step_kind tut_step_average_pool = {run_average, back_average};
