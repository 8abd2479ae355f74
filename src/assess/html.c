#include "assess/html.h"

#include "base/time.h"

/* Marks that change the order in which text is shown: a name must not pose as another. */
static bool is_reordering(uint32_t codepoint)
{
    return (codepoint >= 0x202a && codepoint <= 0x202e) ||
           (codepoint >= 0x2066 && codepoint <= 0x2069) || codepoint == 0x200e ||
           codepoint == 0x200f || codepoint == 0x061c;
}

void tut_html_text(tut_buf *out, tut_str text)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t codepoint = 0;
        size_t len = tut_utf8_len((tut_str){text.data + i, text.len - i}, &codepoint);
        if (len == 0) {
            tut_buf_add_z(out, "\xef\xbf\xbd");
            i++;
            continue;
        }
        if (codepoint == '&')
            tut_buf_add_z(out, "&amp;");
        else if (codepoint == '<')
            tut_buf_add_z(out, "&lt;");
        else if (codepoint == '>')
            tut_buf_add_z(out, "&gt;");
        else if (codepoint == '"')
            tut_buf_add_z(out, "&quot;");
        else if (is_reordering(codepoint))
            tut_buf_printf(out, "\\u{%x}", codepoint);
        else if (codepoint < 0x20 && codepoint != '\n' && codepoint != '\t')
            tut_buf_add_z(out, "\xef\xbf\xbd");
        else
            tut_buf_add(out, text.data + i, len);
        i += len;
    }
}

void tut_html_z(tut_buf *out, const char *text)
{
    tut_html_text(out, tut_str_of(text));
}

void tut_html_command(tut_buf *out, tut_str command)
{
    for (size_t at = 0; at < command.len;) {
        size_t len = 0;
        while (at + len < command.len && command.data[at + len] != ' ')
            len++;
        tut_str word = {command.data + at, len};
        bool is_option = tut_str_starts(word, TUT_LIT("--"));
        tut_buf_add_z(out, is_option ? "<span class=\"nb\">" : "");
        tut_html_text(out, word);
        tut_buf_add_z(out, is_option ? "</span>" : "");
        at += len;
        if (at < command.len) {
            tut_buf_add_byte(out, ' ');
            at++;
        }
    }
}

const char *tut_html_letter(tut_control_verdict v)
{
    switch (v) {
    case TUT_CONTROL_MET:
        return "m";
    case TUT_CONTROL_PARTLY:
        return "p";
    case TUT_CONTROL_NOT_MET:
        return "n";
    case TUT_CONTROL_NOT_CHECKED:
        return "u";
    case TUT_CONTROL_NOT_APPLICABLE:
    case TUT_CONTROL_VERDICT_COUNT:
        break;
    }
    return "a";
}

void tut_html_glyph(tut_buf *out, tut_control_verdict v)
{
    tut_buf_printf(out, "<svg class=\"g\" aria-hidden=\"true\"><use href=\"#g-%s\"/></svg>",
                   tut_html_letter(v));
}

void tut_html_clauses(tut_buf *out, tut_str ids)
{
    bool is_first = true;
    for (size_t at = 0; at < ids.len;) {
        size_t len = 0;
        while (at + len < ids.len && ids.data[at + len] != ' ')
            len++;
        if (len > 0) {
            tut_str id = {ids.data + at, len};
            tut_buf_add_z(out, is_first ? "<a href=\"#c-" : ", <a href=\"#c-");
            tut_html_text(out, id);
            tut_buf_add_z(out, "\">");
            tut_html_text(out, id);
            tut_buf_add_z(out, "</a>");
            is_first = false;
        }
        at += len + 1;
    }
}

void tut_html_counts(tut_buf *out, const size_t counts[TUT_CONTROL_VERDICT_COUNT])
{
    bool is_first = true;
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++) {
        if (counts[v] == 0)
            continue;
        tut_buf_printf(out, "%s%zu %s", is_first ? "" : ", ", counts[v],
                       tut_control_verdict_label((tut_control_verdict)v));
        is_first = false;
    }
    if (is_first)
        tut_buf_add_z(out, "no provision");
}

bool tut_html_is_seed(const tut_clause *clause, uint32_t seed)
{
    return clause->seed == seed;
}

bool tut_html_is_principle(const tut_clause *clause, uint32_t principle)
{
    return clause->principle == principle;
}

void tut_html_tally(const tut_assessment *a, tut_html_pick pick, uint32_t key,
                    size_t counts[TUT_CONTROL_VERDICT_COUNT])
{
    memset(counts, 0, TUT_CONTROL_VERDICT_COUNT * sizeof(*counts));
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (pick(a->controls[i].clause, key))
            counts[a->controls[i].verdict]++;
}

void tut_html_blocks(tut_buf *out, const tut_assessment *a, tut_html_pick pick, uint32_t key)
{
    size_t counts[TUT_CONTROL_VERDICT_COUNT];
    tut_html_tally(a, pick, key, counts);
    size_t total = 0;
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        total += counts[v];
    size_t width = total ? total * 18 - 2 : 1;
    tut_buf_printf(
        out,
        "<svg class=\"ub\" width=\"%zu\" height=\"20\" viewBox=\"0 0 %zu 20\" role=\"img\" "
        "aria-label=\"",
        width, width);
    tut_html_counts(out, counts);
    tut_buf_add_z(out, "\">");
    size_t x = 0;
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        for (int is_should = 0; is_should < 2; is_should++)
            for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
                const tut_control *c = &a->controls[i];
                if (!pick(c->clause, key) || (int)c->verdict != v ||
                    (c->clause->modality != TUT_SHALL) != is_should)
                    continue;
                tut_buf_printf(out, "<use href=\"#%s-%s\" x=\"%zu\" width=\"16\" height=\"20\"/>",
                               is_should ? "s" : "b", tut_html_letter(c->verdict), x);
                x += 18;
            }
    tut_buf_add_z(out, "</svg>");
}

void tut_html_digest(tut_buf *out, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    tut_buf_printf(out, "<code title=\"sha256 %s\">%.12s\xe2\x80\xa6</code>", hex, hex);
}

void tut_html_time(tut_buf *out, tut_time t)
{
    char machine[TUT_TIME_TEXT], people[TUT_TIME_TEXT];
    tut_time_rfc3339(t, machine);
    tut_time_people(t, people);
    tut_buf_printf(out, "<time datetime=\"%s\">%s</time>", machine, people);
}
