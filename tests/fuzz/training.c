/* What training reads from elsewhere, by the first byte: 's' a sheet of answers, 'b' the body of an
 * exam, 'g' what git tells, 'd' a worker's answer about a module; else a module, which is carried
 * through the codec and shown. */
#include <stdlib.h>

#include "govern/training_git.h"
#include "govern/training_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

#define SMALL                                                                                      \
    "---\nid: a\ntitle: A\nversion: 1\nreviewed: 2026-11-01\nminutes: 1\nabout: role\n"            \
    "for: [developer]\n---\nText.\n\n## Questions\n\n### One?\n- [ ] no\n- [x] yes\n\n### Two?\n"  \
    "- [x] a\n- [ ] b\n- [x] c\n"

static const tut_training_module *small(void)
{
    static tut_training_module *m;
    if (!m)
        demand(tut_is_ok(tut_training_module_parse("a.md", TUT_LIT(SMALL), &m, NULL)));
    return m;
}

static void show(const tut_training_module *m)
{
    static tut_quiz e;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const tut_term term = {.width = 40};
    tut_quiz_draw(m, m->words, &e);
    tut_training_text(m, &term, &out);
    for (size_t i = 0; i < e.count; i++) {
        tut_training_question_text(&e, i, &term, &out);
        tut_training_explain_text(&e, i, &term, &out);
    }
    tut_training_page(m, &e, "Ada", &out);
    demand(tut_is_ok(tut_buf_check(&out, NULL)));
    demand(tut_utf8_valid(tut_buf_str(&out)));
}

static void try_module(tut_str text)
{
    TUT_AUTO(tut_training_module) m = NULL;
    TUT_AUTO(tut_training_module) again = NULL;
    TUT_CLEAN(tut_buf) once = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) twice = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(tut_training_module_parse("m.md", text, &m, &err))) {
        demand(err.text[0] != '\0');
        return;
    }
    demand(tut_is_ok(tut_training_module_encode(m, &once, NULL)));
    demand(tut_is_ok(tut_training_module_decode("m.md", text, tut_buf_span(&once), &again, NULL)));
    demand(tut_is_ok(tut_training_module_encode(again, &twice, NULL)));
    demand(tut_str_eq(tut_buf_str(&once), tut_buf_str(&twice)));
    demand(tut_sha256_eq(&m->digest, &again->digest));
    show(again);
}

static void try_sheet(tut_str text)
{
    static tut_quiz e;
    tut_quiz_sheet sheet;
    if (!tut_is_ok(tut_quiz_sheet_read(text, &sheet, NULL)))
        return;
    tut_quiz_draw(small(), sheet.seed, &e);
    if (tut_is_ok(tut_quiz_answer(&e, sheet.answers, NULL)))
        demand(tut_quiz_right(&e) <= e.count);
}

static void try_git(tut_str text)
{
    TUT_CLEAN(tut_git_log) log = {.count = 0};
    tut_buf_add_str(&log.text, text);
    if (tut_is_ok(tut_git_parse(&log, NULL)))
        for (size_t i = 0; i < log.count; i++)
            demand(log.items[i].id.len >= 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_str text = {(const char *)data, size};
    tut_str rest = {(const char *)data + 1, size - 1};
    uint64_t seed;
    switch (size ? data[0] : 0) {
    case 's':
        try_sheet(rest);
        break;
    case 'b':
        (void)tut_quiz_body_passes(small(), tut_span_of(rest.data, rest.len));
        (void)tut_quiz_body_seed(tut_span_of(rest.data, rest.len), &seed);
        (void)tut_quiz_body_score(tut_span_of(rest.data, rest.len));
        break;
    case 'g':
        try_git(rest);
        break;
    case 'd': {
        TUT_AUTO(tut_training_module) m = NULL;
        if (tut_is_ok(tut_training_module_decode("a.md", TUT_LIT(SMALL),
                                                 tut_span_of(rest.data, rest.len), &m, NULL)))
            show(m);
        break;
    }
    default:
        try_module(text);
    }
    return 0;
}
