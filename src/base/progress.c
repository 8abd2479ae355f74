/* One line that is drawn over itself. It is written in one piece, so that it never tears. */
#include <stdlib.h>

#include "base/term.h"
#include "base/time.h"

enum { BAR = 20, REDRAW_MS = 100, LABEL_MAX_CHARS = 24 };

void tut_progress_start(tut_progress *p, bool quiet, tut_color_mode mode)
{
    *p = (tut_progress){.started_ms = tut_clock_ms()};
    tut_term_detect(fileno(stderr), mode, &p->term);
    const char *term = getenv("TERM");
    bool can_erase = term && *term && strcmp(term, "dumb") != 0;
    if (!quiet && p->term.is_terminal && can_erase)
        p->to = stderr;
    p->drawn_ms = p->started_ms; /* what is done at once shows nothing */
}

static void add_bar(const tut_progress *p, tut_buf *line, uint64_t done, uint64_t total)
{
    unsigned filled = (unsigned)((double)done / (double)total * BAR);
    for (unsigned i = 0; i < BAR; i++)
        tut_buf_add_z(line,
                      tut_term_glyph(&p->term, i < filled ? TUT_GLYPH_MET : TUT_GLYPH_BAR_EMPTY));
    tut_buf_add_byte(line, ' ');
}

static void compose(const tut_progress *p, const char *label, uint64_t done, uint64_t total,
                    uint64_t now, tut_buf *line)
{
    char count[32];
    if (done > total && total > 0)
        done = total;
    tut_buf_add_escaped(line, tut_str_of(label), LABEL_MAX_CHARS);
    tut_buf_add_byte(line, ' ');
    if (total > 0 && p->term.width >= BAR + LABEL_MAX_CHARS + 24)
        add_bar(p, line, done, total);
    tut_human_count(done, count);
    tut_buf_add_z(line, count);
    if (total > 0 && done < total) {
        tut_human_count(total, count);
        tut_buf_printf(line, "/%s", count);
    }
    uint64_t tenths = (now - p->started_ms) / 100;
    tut_buf_printf(line, "   %llu.%llu s", (unsigned long long)(tenths / 10),
                   (unsigned long long)(tenths % 10));
}

void tut_progress_step(tut_progress *p, const char *label, uint64_t done, uint64_t total)
{
    if (!p->to)
        return;
    uint64_t now = tut_clock_ms();
    if (now - p->drawn_ms < REDRAW_MS)
        return;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_byte(&line, '\r');
    compose(p, label, done, total, now, &line);
    tut_buf_add_z(&line, "\033[K");
    if (line.failed != TUT_OK)
        return;
    fwrite(line.data, 1, line.len, p->to);
    fflush(p->to);
    p->drawn_ms = now;
    p->is_drawn = true;
}

void tut_progress_end(tut_progress *p)
{
    if (p->to && p->is_drawn) {
        fputs("\r\033[K", p->to);
        fflush(p->to);
    }
    p->is_drawn = false;
}
