#include "scan/lists.h"

#include <stdlib.h>

#include "assets/match.h"
#include "base/fs.h"

enum { WORDS_MAX = 300 };

typedef struct applying {
    tut_scan *scan;
    const tut_system *system;
    char *root; /* of the system, resolved */
    tut_time now;
    tut_error *err;
} applying;

static tut_status nomem(applying *a)
{
    return tut_fail(a->err, TUT_NOMEM, "memory ran out");
}

void tut_lists_words(const tut_listed *entry, tut_buf *out)
{
    tut_buf_add_z(out, "refused by ");
    tut_buf_add_escaped(out, entry->by, WORDS_MAX);
    tut_buf_add_z(out, ": ");
    tut_buf_add_escaped(out, entry->reason, WORDS_MAX);
}

/* --- places --- */

/* The file's path below the system's directory, whichever way it was given; NULL: it lies
 * elsewhere. A link is the link, not what it leads to. */
static char *path_below(const applying *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    TUT_AUTO_FREE char *dir = !slash          ? tut_strdup(".")
                              : slash == path ? tut_strdup("/")
                                              : tut_strndup(path, (size_t)(slash - path));
    char *real = dir && a->root ? realpath(dir, NULL) : NULL;
    size_t len = a->root ? strlen(a->root) : 0;
    char *below = NULL;
    if (real && strcmp(real, a->root) == 0)
        below = tut_strdup(slash ? slash + 1 : path);
    else if (real && strncmp(real, a->root, len) == 0 && real[len] == '/')
        below = tut_fs_join(real + len + 1, slash ? slash + 1 : path);
    free(real);
    return below;
}

static bool lies_at(const tut_asset *asset, const tut_listed *e)
{
    if (!asset)
        return false;
    if (tut_url_is_below(e->url, asset->url))
        return true;
    for (size_t i = 0; i < asset->source_count; i++)
        if (tut_url_is_below(e->url, asset->sources[i].url))
            return true;
    return false;
}

/* Every place that an entry names must be this one; it names one at least. A name of a pickle is
 * looked for elsewhere. */
static bool is_about(const tut_listed *e, const tut_file_report *r, const char *rel,
                     const tut_asset *asset)
{
    if (e->global.len)
        return false;
    if (e->has_digest && (!r->has_digest || !tut_sha256_eq(&r->digest, &e->digest)))
        return false;
    if (e->path.len && (!rel || !tut_path_matches(e->path, rel)))
        return false;
    if (e->asset.len && (!asset || !tut_str_eq_z(e->asset, asset->id)))
        return false;
    return !e->url.len || lies_at(asset, e);
}

/* --- refused --- */
static tut_status refuse(applying *a, tut_file_report *r, const tut_listed *e)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) place = TUT_BUF_INIT;
    tut_lists_words(e, &line);
    tut_buf_add_escaped(&place, tut_str_of(r->rel), TUT_ERROR_PATH_MAX);
    TUT_TRY(tut_buf_check(&line, a->err));
    tut_finding_seed seed = {.rule = "user.denied",
                             .severity = -1,
                             .message = tut_buf_str(&line),
                             .location = tut_buf_str(&place),
                             .offset = TUT_NO_OFFSET};
    return tut_is_ok(tut_report_add(r, &seed)) ? TUT_SUCCESS : nomem(a);
}

/* --- accepted --- */
static tut_status accept(applying *a, tut_file_report *r, size_t at, const tut_listed *e)
{
    TUT_CLEAN(tut_buf) reason = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) by = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) entry = TUT_BUF_INIT;
    tut_buf_add_escaped(&reason, e->reason, WORDS_MAX);
    tut_buf_add_escaped(&by, e->by, WORDS_MAX);
    tut_buf_printf(&entry, "policy.scan.allow[%zu]", (size_t)(e - a->system->allowed));
    tut_acceptance words = {.reason = tut_buf_z(&reason),
                            .by = tut_buf_z(&by),
                            .entry = tut_buf_z(&entry),
                            .until = e->expires};
    if (!words.reason || !words.by || !words.entry)
        return nomem(a);
    return tut_is_ok(tut_report_suppress(r, at, &words)) ? TUT_SUCCESS : nomem(a);
}

static const tut_listed *find_allowing(const applying *a, const tut_file_report *r,
                                       const tut_finding *f, const char *rel,
                                       const tut_asset *asset)
{
    if (strcmp(f->rule->id, "user.denied") == 0)
        return NULL;
    for (size_t i = 0; i < a->system->allowed_count; i++) {
        const tut_listed *e = &a->system->allowed[i];
        if (tut_str_eq_z(e->rule, f->rule->id) && !tut_listed_lack(e, true, a->now) &&
            is_about(e, r, rel, asset))
            return e;
    }
    return NULL;
}

/* Where findings were dropped because there were too many, none is accepted: nobody can have looked
 * at them all. */
static tut_status apply_to(applying *a, tut_file_report *r)
{
    const tut_system *s = a->system;
    TUT_AUTO_FREE char *rel = path_below(a, r->path);
    const tut_asset *asset = rel ? tut_match_declared(s, rel) : NULL;
    for (size_t i = 0; i < s->denied_count; i++)
        if (!tut_listed_lack(&s->denied[i], false, a->now) &&
            is_about(&s->denied[i], r, rel, asset))
            TUT_TRY(refuse(a, r, &s->denied[i]));
    tut_report_sort(r);
    for (size_t i = 0; r->findings_dropped == 0 && i < r->finding_count;) {
        const tut_listed *e = find_allowing(a, r, &r->findings[i], rel, asset);
        if (e)
            TUT_TRY(accept(a, r, i, e));
        else
            i++;
    }
    return TUT_SUCCESS;
}

/* --- entries without effect --- */
static tut_status remark(applying *a, const char *list, size_t at, const tut_listed *e,
                         const char *why)
{
    tut_scan *scan = a->scan;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    char when[TUT_TIME_TEXT];
    tut_buf_printf(&line, "policy.scan.%s[%zu]", list, at);
    if (e->rule.len) {
        tut_buf_add_z(&line, " (");
        tut_buf_add_escaped(&line, e->rule, WORDS_MAX);
        tut_buf_add_z(&line, ")");
    }
    tut_buf_printf(&line, " %s", why);
    if (e->has_expires && a->now >= e->expires) {
        tut_time_date(e->expires, when);
        tut_buf_printf(&line, " on %s", when);
    }
    tut_buf_add_z(&line, ", so it does not count");
    tut_status grown = tut_grow(&scan->list_remarks, scan->list_remark_count,
                                &scan->list_remark_capacity, sizeof(*scan->list_remarks));
    char *text = tut_is_ok(grown) ? tut_buf_steal(&line) : NULL;
    if (!text)
        return nomem(a);
    scan->list_remarks[scan->list_remark_count++] = text;
    return TUT_SUCCESS;
}

const char *tut_lists_lack(const tut_listed *e, bool is_allowing, tut_time at)
{
    if (is_allowing && e->rule.len && !tut_rule_find(e->rule))
        return "names a rule that does not exist (tutela explain lists them)";
    return tut_listed_lack(e, is_allowing, at);
}

static const char *lack_of(const applying *a, const tut_listed *e, bool is_allowing)
{
    if (e->has_digest && a->scan->count > 0 && !a->scan->files[0].is_content)
        return "is about a digest, and none is computed at depth structure";
    return tut_lists_lack(e, is_allowing, a->now);
}

static tut_status tell_remarks(applying *a)
{
    const tut_system *s = a->system;
    for (size_t i = 0; i < s->allowed_count + s->denied_count; i++) {
        bool is_allowing = i < s->allowed_count;
        size_t at = is_allowing ? i : i - s->allowed_count;
        const tut_listed *e = is_allowing ? &s->allowed[at] : &s->denied[at];
        const char *why = lack_of(a, e, is_allowing);
        if (why)
            TUT_TRY(remark(a, is_allowing ? "allow" : "deny", at, e, why));
    }
    return TUT_SUCCESS;
}

tut_status tut_lists_apply(tut_scan *scan, const tut_system *system, tut_time now, tut_error *err)
{
    applying a = {.scan = scan, .system = system, .now = now, .err = err};
    if (system->allowed_count + system->denied_count == 0)
        return TUT_SUCCESS;
    scan->has_lists = true;
    a.root = realpath(system->dir, NULL);
    tut_status status = tell_remarks(&a);
    for (size_t i = 0; i < scan->count && tut_is_ok(status); i++)
        status = apply_to(&a, &scan->files[i]);
    free(a.root);
    return status;
}

/* --- in the worker --- */
static const tut_system *in_force;
static tut_time in_force_at;

void tut_lists_use(const tut_system *system, tut_time now)
{
    in_force = system;
    in_force_at = now;
}

static bool names_global(tut_str entry, tut_str module, tut_str name)
{
    if (entry.len < module.len + 2 || memcmp(entry.data, module.data, module.len) != 0 ||
        entry.data[module.len] != '.')
        return false;
    tut_str rest = {entry.data + module.len + 1, entry.len - module.len - 1};
    return tut_str_eq(rest, name) || tut_str_eq_z(rest, "*");
}

const tut_listed *tut_lists_refuse_global(tut_str module, tut_str name)
{
    if (module.len == 0)
        return NULL;
    for (size_t i = 0; in_force && i < in_force->denied_count; i++) {
        const tut_listed *e = &in_force->denied[i];
        if (e->global.len && !tut_listed_lack(e, false, in_force_at) &&
            names_global(e->global, module, name))
            return e;
    }
    return NULL;
}

void tut_lists_add_key(tut_buf *out)
{
    for (size_t i = 0; in_force && i < in_force->denied_count; i++) {
        const tut_listed *e = &in_force->denied[i];
        if (!e->global.len || tut_listed_lack(e, false, in_force_at))
            continue;
        tut_buf_add_sized(out, e->global);
        tut_buf_add_sized(out, e->reason);
        tut_buf_add_sized(out, e->by);
    }
}
