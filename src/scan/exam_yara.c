/* The rules that users bring, over one artefact: a file, or a member of one. */
#include <string.h>

#include "base/limits.h"
#include "scan/exam_internal.h"
#include "scan/yara.h"

enum { TITLE_CHARS = 160 };

static uint64_t subject_of(tut_str rule)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < rule.len; i++)
        h = (h ^ (uint8_t)rule.data[i]) * 0x100000001b3u;
    return h | 1;
}

static void on_match(void *ctx, const tut_yara_match *m)
{
    tut_frame *f = ctx;
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    tut_buf_add_escaped(&title, m->title, TITLE_CHARS);
    tut_finding_seed seed = {.rule = "user.yara",
                             .severity = m->severity,
                             .title = title.len ? tut_buf_z(&title) : NULL,
                             .message = tut_str_of(m->seen),
                             .location = f->location,
                             .offset = m->offset,
                             .subject = subject_of(m->rule)};
    tut_frame_note(f->run, tut_report_add(f->run->report, &seed));
}

static void tell_lack(tut_frame *f, const char *why)
{
    tut_frame_line(f, "user.yara-incomplete", -1, tut_str_of(why));
}

static void show_bytes(tut_frame *f, const tut_source *bytes)
{
    TUT_AUTO_FREE char *name = tut_strndup(f->name.data, f->name.len);
    TUT_AUTO_FREE char *path = tut_strndup(f->location.data, f->location.len);
    tut_error why = {0};
    if (!name || !path) {
        tut_frame_note(f->run, (tut_status){TUT_NOMEM});
        return;
    }
    tut_yara_target target = {
        .bytes = bytes, .name = name, .path = path, .on_match = on_match, .ctx = f};
    if (!tut_is_ok(tut_yara_scan(tut_yara_in_force(), &target, &why)))
        tell_lack(f, why.text);
}

void tut_frame_show(tut_frame *f, const tut_artefact *a)
{
    if (!tut_frame_has_rules(f))
        return;
    if (a->source)
        show_bytes(f, a->source);
    else
        tell_lack(f, "the member is too large to be shown to the rules");
}

bool tut_frame_has_rules(const tut_frame *f)
{
    return tut_yara_in_force() && !f->run->request->facts_only;
}
