/*
 * Files that are two things at once. A loader of pickles runs the bytes from the first one on,
 * whatever else they are: a valid safetensors, TFLite or R file can hold opcodes that jump over
 * what makes it one. So what is no pickle by its format is read as one too, quietly, and spoken of
 * when that reading calls something by a name.
 */
#include <string.h>

#include "formats/pickle_stream.h"
#include "scan/exam_internal.h"
#include "scan/pickle_names.h"

typedef struct second_look {
    unsigned calls;
} second_look;

static void note_call(void *ctx, const tut_pickle_event *event)
{
    second_look *look = ctx;
    bool is_named = event->is_resolved && tut_python_is_dotted_name(event->module) &&
                    tut_python_is_dotted_name(event->name);
    bool is_known = tut_python_is_standard(event->module) || tut_python_is_library(event->module);
    if (event->act == TUT_PICKLE_CALL && is_named && is_known)
        look->calls++;
}

static tut_status read_as_pickle(tut_frame *f, const tut_source *source, const tut_exam_ops *ops,
                                 void *ctx, tut_error *err)
{
    uint64_t imports = 0;
    tut_exam x = {.source = source,
                  .size = source->size,
                  .name = f->name,
                  .budget = &f->run->budget,
                  .ops = ops,
                  .ctx = ctx};
    return tut_pstream_second_reading(&x, source, 0, source->size, -1, &imports, err);
}

/* Readings of noise break off within a few opcodes; one that goes on past the budget is no news. */
static tut_status settle(tut_status status)
{
    return status.code == TUT_CANCELLED || status.code == TUT_NOMEM ? status : TUT_SUCCESS;
}

tut_status tut_frame_look_twice(tut_frame *f, const tut_artefact *a, tut_span head, tut_error *err)
{
    static const tut_exam_ops quiet = {.pickle = note_call};
    tut_sniff s = {.head = head, .size = a->source ? a->source->size : 0};
    bool is_model = f->format->kind == TUT_KIND_MODEL;
    if (!a->source || tut_format_executes(f->format) || f->run->request->facts_only ||
        (!is_model && tut_sniff_text(&s)))
        return TUT_SUCCESS;
    second_look look = {0};
    TUT_TRY(settle(read_as_pickle(f, a->source, &quiet, &look, err)));
    if (look.calls == 0)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_printf(&line, "read as a pickle from its first byte, this %s calls %u function%s",
                   f->format->label, look.calls, look.calls == 1 ? "" : "s");
    tut_frame_line(f, "pickle.polyglot", -1, tut_buf_str(&line));
    return settle(read_as_pickle(f, a->source, &tut_frame_ops, f, err));
}
