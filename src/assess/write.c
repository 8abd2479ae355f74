/* The report files: all of them, then the link `latest`. A failure leaves the last reports as they
 * were. */
#include <unistd.h>

#include "assess/oscal.h"
#include "base/fs.h"

static const tut_report_file report_files[] = {
    {"report.html", tut_report_html},
    {"report.json", tut_report_json},
    {"results.sarif", tut_report_sarif},
    {"oscal/catalog.json", tut_oscal_catalog},
    {"oscal/component-definition.json", tut_oscal_components},
    {"oscal/assessment-results.json", tut_oscal_results},
    {"oscal/mapping-collection.json", tut_oscal_mapping},
    {"bom.cdx.json", tut_report_cyclonedx},
    {"bom.spdx.json", tut_report_spdx},
    {"threat-model.json", tut_report_threat_model},
};
static const char *const report_folders[] = {"oscal"}; /* that names of files lead to */

enum {
    REPORT_FILES = sizeof(report_files) / sizeof(report_files[0]),
    REPORT_FOLDERS = sizeof(report_folders) / sizeof(report_folders[0])
};

tut_status tut_report_threat_model(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    tut_buf_add_str(out, tut_buf_str(&a->threat_model));
    return tut_buf_check(out, err);
}

const tut_report_file *tut_report_files(size_t *ret_count)
{
    *ret_count = REPORT_FILES;
    return report_files;
}

/* "2026-11-23T09:41:07Z" -> "20261123T094107Z": a name that every tool takes. */
static void folder_name(tut_time t, char out[TUT_TIME_TEXT])
{
    char text[TUT_TIME_TEXT];
    size_t n = 0;
    tut_time_rfc3339(t, text);
    for (const char *p = text; *p; p++)
        if (*p != '-' && *p != ':')
            out[n++] = *p;
    out[n] = '\0';
}

static tut_status write_one(const tut_assessment *a, const tut_report_file *file,
                            const char *folder, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_fs_join(folder, file->name);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(file->compose(a, &text, err));
    TUT_TRY(tut_buf_check(&text, err));
    if (text.len == 0)
        return TUT_SUCCESS;
    return tut_fs_write(path, tut_buf_span(&text), 0644, err);
}

/* A folder with half of the reports would mislead whoever finds it. */
static void drop_folder(const char *folder)
{
    for (size_t i = 0; i < REPORT_FILES; i++) {
        TUT_AUTO_FREE char *path = tut_fs_join(folder, report_files[i].name);
        if (path)
            unlink(path);
    }
    for (size_t i = 0; i < REPORT_FOLDERS; i++) {
        TUT_AUTO_FREE char *path = tut_fs_join(folder, report_folders[i]);
        if (path)
            rmdir(path);
    }
    rmdir(folder);
}

static tut_status make_folders(const char *folder, tut_error *err)
{
    TUT_TRY(tut_fs_mkdirs(folder, 0755, err));
    for (size_t i = 0; i < REPORT_FOLDERS; i++) {
        TUT_AUTO_FREE char *path = tut_fs_join(folder, report_folders[i]);
        if (!path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(tut_fs_mkdirs(path, 0755, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_assess_write_reports(const tut_assessment *a, const char *state_dir, char **ret_html,
                                    tut_error *err)
{
    char name[TUT_TIME_TEXT];
    folder_name(a->evaluated_at, name);
    TUT_AUTO_FREE char *reports = tut_fs_join(state_dir, "reports");
    TUT_AUTO_FREE char *folder = reports ? tut_fs_join(reports, name) : NULL;
    TUT_AUTO_FREE char *latest = reports ? tut_fs_join(reports, "latest") : NULL;
    TUT_AUTO_FREE char *html = latest ? tut_fs_join(latest, "report.html") : NULL;
    if (!html)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool is_new = !tut_fs_exists(folder);
    tut_status status = make_folders(folder, err);
    for (size_t i = 0; i < REPORT_FILES && tut_is_ok(status); i++)
        status = write_one(a, &report_files[i], folder, err);
    if (tut_is_ok(status))
        status = tut_fs_relink(name, latest, err);
    if (!tut_is_ok(status)) {
        if (is_new)
            drop_folder(folder);
        return status;
    }
    *ret_html = tut_move(&html);
    return TUT_SUCCESS;
}
