/* Corruptions of images: parameters grow with the severity; sizes are shares of the image, so that
 * small images suffer as large ones do. */
#include <math.h>
#include <string.h>

#include "probe/evasion_corrupt.h"

static float span_of(const tut_space *s)
{
    return s->high[0] - s->low[0];
}

static float within(const tut_space *s, double x)
{
    return (float)fmin(fmax(x, s->low[0]), s->high[0]);
}

static double at_severity(unsigned severity, const double values[TUT_SEVERITIES])
{
    return values[severity - 1];
}

static size_t place_of(const tut_space *s, size_t c, size_t y, size_t x)
{
    return c * s->step_channel + y * s->step_down + x * s->step_right;
}

static void add_noise(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const double sigmas[] = {0.04, 0.08, 0.12, 0.18, 0.26};
    double sigma = at_severity(severity, sigmas) * span_of(c->space);
    for (size_t j = 0; j < c->space->width; j++)
        ret[j] = within(c->space, row[j] + sigma * tut_seeded_normal(c->random));
}

/* One axis; what lies outside is as the edge. */
static void blur_line(const float *from, float *to, size_t n, size_t step, double sigma)
{
    long reach = (long)ceil(3 * sigma), count = (long)n;
    for (long i = 0; i < count; i++) {
        double sum = 0, weights = 0;
        for (long k = -reach; k <= reach; k++) {
            long at = i + k < 0 ? 0 : i + k >= count ? count - 1 : i + k;
            double weight = exp(-(double)(k * k) / (2 * sigma * sigma));
            sum += weight * from[(size_t)at * step];
            weights += weight;
        }
        to[(size_t)i * step] = (float)(sum / weights);
    }
}

static void blur(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const double shares[] = {0.015, 0.025, 0.04, 0.06, 0.085};
    const tut_space *s = c->space;
    double sigma = at_severity(severity, shares) * (double)(s->tall < s->wide ? s->tall : s->wide);
    for (size_t k = 0; k < s->channels; k++) {
        for (size_t y = 0; y < s->tall; y++)
            blur_line(row + place_of(s, k, y, 0), c->room + place_of(s, k, y, 0), s->wide,
                      s->step_right, sigma);
        for (size_t x = 0; x < s->wide; x++)
            blur_line(c->room + place_of(s, k, 0, x), ret + place_of(s, k, 0, x), s->tall,
                      s->step_down, sigma);
    }
}

static void fade(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const double kept[] = {0.75, 0.5, 0.4, 0.3, 0.15};
    double mean = 0, share = at_severity(severity, kept);
    for (size_t j = 0; j < c->space->width; j++)
        mean += row[j] / (double)c->space->width;
    for (size_t j = 0; j < c->space->width; j++)
        ret[j] = within(c->space, mean + share * (row[j] - mean));
}

static void brighten(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    double by = 0.1 * severity * span_of(c->space);
    for (size_t j = 0; j < c->space->width; j++)
        ret[j] = within(c->space, row[j] + by);
}

/* What stands at (y, x) between the numbers; outside is the emptiest number of the range. */
static double between(const tut_space *s, const float *row, size_t k, double y, double x)
{
    double y0 = floor(y), x0 = floor(x), sum = 0;
    for (int i = 0; i < 4; i++) {
        double yy = y0 + (i > 1), xx = x0 + i % 2;
        double weight = (1 - fabs(y - yy)) * (1 - fabs(x - xx));
        bool is_inside = yy >= 0 && xx >= 0 && yy < (double)s->tall && xx < (double)s->wide;
        sum += weight * (is_inside ? row[place_of(s, k, (size_t)yy, (size_t)xx)] : s->low[0]);
    }
    return sum;
}

/* Turned around the middle, then moved. */
static void move_image(const tut_space *s, const float *row, double angle, double down,
                       double right, float *ret)
{
    double my = ((double)s->tall - 1) / 2, mx = ((double)s->wide - 1) / 2;
    double co = cos(angle), si = sin(angle);
    for (size_t k = 0; k < s->channels; k++)
        for (size_t y = 0; y < s->tall; y++)
            for (size_t x = 0; x < s->wide; x++) {
                double dy = (double)y - my - down, dx = (double)x - mx - right;
                ret[place_of(s, k, y, x)] =
                    within(s, between(s, row, k, my + co * dy - si * dx, mx + si * dy + co * dx));
            }
}

static void rotate(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const double degrees[] = {8, 16, 24, 32, 40};
    double way = tut_seeded_below(c->random, 2) ? 1 : -1;
    move_image(c->space, row, way * at_severity(severity, degrees) * 3.141592653589793 / 180, 0, 0,
               ret);
}

static void translate(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    const tut_space *s = c->space;
    double share = 0.04 * severity, angle = tut_seeded_unit(c->random) * 6.283185307179586;
    move_image(s, row, 0, share * (double)s->tall * sin(angle),
               share * (double)s->wide * cos(angle), ret);
}

/* A square of the middle of the range somewhere. */
static void occlude(const tut_corruptor *c, const float *row, unsigned severity, float *ret)
{
    static const double sides[] = {0.15, 0.22, 0.3, 0.38, 0.46};
    const tut_space *s = c->space;
    size_t tall = (size_t)ceil(at_severity(severity, sides) * (double)s->tall);
    size_t wide = (size_t)ceil(at_severity(severity, sides) * (double)s->wide);
    size_t top = (size_t)tut_seeded_below(c->random, s->tall - tall + 1);
    size_t left = (size_t)tut_seeded_below(c->random, s->wide - wide + 1);
    memcpy(ret, row, s->width * sizeof(*ret));
    for (size_t k = 0; k < s->channels; k++)
        for (size_t i = 0; i < tall * wide; i++)
            ret[place_of(s, k, top + i / wide, left + i % wide)] = s->low[0] + span_of(s) / 2;
}

const tut_corruption tut_corruptions_of_images[] = {
    {"noise", "accuracy_noise", add_noise},
    {"blur", "accuracy_blur", blur},
    {"contrast", "accuracy_contrast", fade},
    {"brightness", "accuracy_brightness", brighten},
    {"rotation", "accuracy_rotation", rotate},
    {"translation", "accuracy_translation", translate},
    {"occlusion", "accuracy_occlusion", occlude},
    {NULL, NULL, NULL},
};
