#include "scan/parts.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "scan/report.h"

static bool is_unknown(const tut_file_report *r)
{
    return !r->format && r->size > 0 && r->status == TUT_SCAN_UNSUPPORTED &&
           r->finding_count == 1 && strcmp(r->findings[0].rule->id, "file.not-recognised") == 0;
}

/* Models whose values lie in files without a header. */
static bool has_values_outside(const tut_file_report *r)
{
    static const char *const names[] = {"onnx", "openvino", "coreml", "coreml-program"};
    for (size_t i = 0; r->format && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(r->format->name, names[i]) == 0)
            return true;
    return false;
}

static void recognise(tut_file_report *r)
{
    tut_str place = tut_str_of(r->findings[0].location);
    tut_report_take_back(r, "file.not-recognised", r->findings[0].subject, place);
    tut_free(r->problem);
    r->problem = NULL;
    r->status = TUT_SCAN_COMPLETE;
    r->has_model = true;
    r->format = tut_format_by_name("model-values");
}

static tut_status follow(tut_scan *scan, const tut_file_report *model, const tut_map *unknown,
                         tut_error *err)
{
    const char *slash = strrchr(model->path, '/');
    size_t folder = slash ? (size_t)(slash + 1 - model->path) : 0;
    for (size_t i = 0; i < model->fact_count; i++) {
        TUT_CLEAN(tut_buf) path = TUT_BUF_INIT;
        const char *part = model->facts[i].value;
        if (strcmp(model->facts[i].key, "refers.shard") != 0)
            continue;
        tut_buf_add(&path, model->path, folder);
        tut_buf_add_z(&path, strncmp(part, "./", 2) == 0 ? part + 2 : part);
        TUT_TRY(tut_buf_check(&path, err));
        size_t at = tut_map_get(unknown, tut_buf_str(&path));
        if (at != SIZE_MAX && is_unknown(&scan->files[at]))
            recognise(&scan->files[at]);
    }
    return TUT_SUCCESS;
}

tut_status tut_parts_finish(tut_scan *scan, tut_error *err)
{
    tut_map unknown = TUT_MAP_INIT;
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < scan->count && tut_is_ok(status); i++)
        if (is_unknown(&scan->files[i]))
            status = tut_map_put(&unknown, tut_str_of(scan->files[i].path), i, NULL, err);
    for (size_t i = 0; i < scan->count && unknown.count > 0 && tut_is_ok(status); i++)
        if (has_values_outside(&scan->files[i]))
            status = follow(scan, &scan->files[i], &unknown, err);
    tut_map_done(&unknown);
    return status;
}
