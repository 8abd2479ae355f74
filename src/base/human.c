/* Sizes and counts as people read them. */
#include <stdio.h>

#include "base/term.h"

void tut_human_bytes(uint64_t bytes, char out[16])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(out, 16, "%u B", (unsigned)bytes);
        return;
    }
    size_t unit = 1;
    uint64_t scale = 1000;
    while (unit < 6 && bytes / scale >= 1000) {
        scale *= 1000;
        unit++;
    }
    uint64_t whole = bytes / scale;
    uint64_t tenths = (bytes % scale + scale / 20) / (scale / 10); /* rounded */
    if (whole < 10 && whole * 10 + tenths < 100) {
        uint64_t shown = whole * 10 + tenths;
        snprintf(out, 16, "%u.%u %s", (unsigned)(shown / 10), (unsigned)(shown % 10), units[unit]);
        return;
    }
    whole += bytes % scale >= scale / 2;
    if (whole == 1000 && unit < 6)
        snprintf(out, 16, "1.0 %s", units[unit + 1]);
    else
        snprintf(out, 16, "%u %s", (unsigned)whole, units[unit]);
}

void tut_human_count(uint64_t n, char out[32])
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = '\0';
}
