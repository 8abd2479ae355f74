/* tutela history: the versions of an asset, who signed them, and what changed. */
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "cmd/store_open.h"
#include "store/history.h"

static const tut_option options[] = {
    {"--version", TUT_OPTION_VALUE, "V", "only this one: a number, a tag or a digest"},
    {"--tensors", TUT_OPTION_FLAG, NULL,
     "compare models of any size tensor by tensor; else up to 1 GB in all"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { TENSORS_TOLD = 8 };
#define TENSOR_BYTES UINT64_C(1000000000)

/* --- machines --- */

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest)
{
    tut_json_key(j, key);
    if (digest)
        tut_json_sha256(j, digest->bytes);
    else
        tut_json_null(j);
}

static void put_tensors(tut_json *j, const tut_tensor_diff *d)
{
    tut_json_object(j);
    tut_json_put_z(j, "format", d->after.format);
    tut_json_put_u64(j, "same", d->same);
    tut_json_key(j, "changes");
    tut_json_array(j);
    for (size_t i = 0; i < d->count; i++) {
        const tut_tensor_change *c = &d->changes[i];
        const tut_layout_tensor *t = c->after ? c->after : c->before;
        tut_json_object(j);
        tut_json_put_z(j, "change", tut_tensor_change_word(c->kind));
        tut_json_put_str(j, "tensor", t->name);
        tut_json_put_str(j, "dtype", t->dtype);
        tut_json_put_str(j, "shape", t->shape);
        if (c->kind == TUT_TENSOR_RESHAPED) {
            tut_json_put_str(j, "dtype_before", c->before->dtype);
            tut_json_put_str(j, "shape_before", c->before->shape);
        }
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_change(tut_json *j, const tut_file_change *c)
{
    tut_json_object(j);
    tut_json_put_str(j, "file", c->after ? c->after->name : c->before->name);
    tut_json_put_z(j, "change", tut_file_change_word(c->kind));
    put_digest(j, "before", c->before ? &c->before->digest : NULL);
    put_digest(j, "after", c->after ? &c->after->digest : NULL);
    tut_json_key(j, "tensors");
    if (c->has_tensors)
        put_tensors(j, &c->tensors);
    else
        tut_json_null(j);
    tut_json_put_z(j, "not_compared", c->not_compared);
    tut_json_end_object(j);
}

static void put_signature(tut_json *j, const tut_history_version *v)
{
    bool is_valid = v->by.state == TUT_SIGNED_VALID;
    tut_json_object(j);
    tut_json_put_z(j, "state", tut_signed_word(v->by.state));
    tut_json_put_z(j, "person", v->by.person ? v->by.person->name : NULL);
    tut_json_put_z(j, "key", v->by.key_id[0] ? v->by.key_id : NULL);
    tut_json_put_z(j, "tier", is_valid ? tut_tier_name(v->tier) : NULL);
    tut_json_put_z(j, "reason", v->by.why[0] ? v->by.why : NULL);
    tut_json_end_object(j);
}

static void put_key(tut_json *j, const tut_version *v)
{
    tut_json_key(j, "key");
    if (!v || !v->has_key) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_z(j, "id", v->key_id);
    tut_json_put_z(j, "algorithm", "A256KW");
    tut_json_end_object(j);
}

static void put_version(tut_json *j, const tut_history_version *v)
{
    const tut_known_version *k = v->known;
    tut_json_object(j);
    tut_json_put_u64(j, "version", k->number);
    tut_json_put_z(j, "tag", k->tag);
    put_digest(j, "digest", &k->digest);
    put_digest(j, "manifest", &k->manifest);
    tut_json_put_time(j, "at", k->at);
    tut_json_put_u64(j, "index", k->index);
    tut_json_put_int(j, "uid", k->uid);
    tut_json_put_bool(j, "pruned", k->is_pruned);
    tut_json_put_z(j, "problem", v->problem);
    tut_json_put_u64(j, "files", v->version ? v->version->count : 0);
    tut_json_put_u64(j, "bytes", v->version ? tut_version_bytes(v->version) : 0);
    tut_json_put_bool(j, "sealed", v->version && v->version->has_key);
    put_key(j, v->version);
    tut_json_key(j, "signature");
    if (v->version)
        put_signature(j, v);
    else
        tut_json_null(j);
    tut_json_key(j, "changes");
    tut_json_array(j);
    for (size_t i = 0; i < v->change_count; i++)
        put_change(j, &v->changes[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_event(tut_json *j, const tut_record *r)
{
    tut_json_object(j);
    tut_json_put_u64(j, "index", r->index);
    tut_json_put_z(j, "event", r->check);
    tut_json_put_time(j, "at", r->at);
    tut_json_put_z(j, "actor", r->actor);
    tut_json_put_int(j, "uid", r->uid);
    put_digest(j, "digest", &r->subjects[0].digest);
    tut_json_put_z(j, "statement", r->statement);
    tut_json_put_z(j, "doubt", r->doubt);
    tut_json_end_object(j);
}

static tut_status write_json(const tut_history *h, const char *asset, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.history/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "asset", asset);
    tut_json_put_u64(j, "versions", h->count);
    tut_json_end_object(j);
    tut_json_key(j, "versions");
    tut_json_array(j);
    for (size_t i = 0; i < h->shown; i++)
        put_version(j, &h->items[i]);
    tut_json_end_array(j);
    tut_json_key(j, "events");
    tut_json_array(j);
    for (size_t i = 0; i < h->events->count; i++)
        if (tut_history_is_event(&h->events->items[i], asset))
            put_event(j, &h->events->items[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- people --- */

static void add_tensor(const tut_tensor_change *c, tut_buf *out)
{
    const tut_layout_tensor *t = c->after ? c->after : c->before;
    tut_buf_printf(out, "        %-8s ", tut_tensor_change_word(c->kind));
    tut_buf_add_escaped(out, t->name, 100);
    tut_buf_add_z(out, "  ");
    if (c->kind == TUT_TENSOR_RESHAPED) {
        tut_buf_add_escaped(out, c->before->dtype, 20);
        tut_buf_add_byte(out, ' ');
        tut_buf_add_escaped(out, c->before->shape, 60);
        tut_buf_add_z(out, " to ");
    }
    tut_buf_add_escaped(out, t->dtype, 20);
    tut_buf_add_byte(out, ' ');
    tut_buf_add_escaped(out, t->shape, 60);
    tut_buf_add_byte(out, '\n');
}

static void add_tensors(const tut_tensor_diff *d, tut_buf *out)
{
    tut_buf_printf(out, "        %zu of %zu tensors as before\n", d->same, d->after.count);
    for (size_t i = 0; i < d->count && i < TENSORS_TOLD; i++)
        add_tensor(&d->changes[i], out);
    if (d->count > TENSORS_TOLD)
        tut_buf_printf(out, "        and %zu more; --format json names all\n",
                       d->count - TENSORS_TOLD);
}

static void add_change(const tut_file_change *c, const tut_term *term, tut_buf *out)
{
    char before[16];
    char after[16];
    tut_buf_printf(out, "      %-8s ", tut_file_change_word(c->kind));
    tut_buf_add_escaped(out, c->after ? c->after->name : c->before->name, 200);
    bool has_both = c->before && c->after;
    if (c->kind == TUT_FILE_CHANGED && has_both) {
        tut_human_bytes(c->before->size, before);
        tut_human_bytes(c->after->size, after);
        tut_buf_printf(out, ", %s to %s", before, after);
    }
    if (c->kind == TUT_FILE_MODE && has_both)
        tut_buf_printf(out, ", %04o to %04o", c->before->mode, c->after->mode);
    tut_buf_add_byte(out, '\n');
    if (c->has_tensors)
        add_tensors(&c->tensors, out);
    if (c->not_compared) {
        tut_buf_add_z(out, "        tensors: ");
        tut_term_wrap(term, out, 8, tut_str_of(c->not_compared));
    }
}

static void add_signer(const tut_history_version *v, const tut_term *term, tut_buf *out)
{
    const tut_signed_by *by = &v->by;
    if (by->state == TUT_SIGNED_VALID) {
        tut_buf_add_z(out, "signed by ");
        tut_term_text(term, out, TUT_STYLE_GOOD, tut_str_of(by->person->name));
        tut_buf_printf(out, " (tier %s)", tut_tier_name(v->tier));
        return;
    }
    tut_term_printf(term, out, by->state == TUT_SIGNED_NOT ? TUT_STYLE_WARN : TUT_STYLE_BAD, "%s",
                    by->state == TUT_SIGNED_NOT       ? "not signed"
                    : by->state == TUT_SIGNED_INVALID ? "signature does not count"
                                                      : "signature not compared");
}

static void add_version(const tut_history_version *v, const tut_term *term, tut_buf *out)
{
    char when[TUT_TIME_TEXT];
    char bytes[16];
    tut_time_people(v->known->at, when);
    tut_term_printf(term, out, TUT_STYLE_BOLD, "  v%llu", (unsigned long long)v->known->number);
    tut_buf_printf(out, "  %s, uid %lld", when, (long long)v->known->uid);
    if (!v->version) {
        tut_buf_add_z(out, ": ");
        tut_term_text(term, out, v->known->is_pruned ? TUT_STYLE_DIM : TUT_STYLE_BAD,
                      tut_str_of(v->problem));
        tut_buf_add_byte(out, '\n');
        return;
    }
    tut_human_bytes(tut_version_bytes(v->version), bytes);
    tut_buf_printf(out, ", %zu file%s, %s%s, ", v->version->count,
                   v->version->count == 1 ? "" : "s", bytes, v->version->has_key ? ", sealed" : "");
    add_signer(v, term, out);
    tut_buf_add_byte(out, '\n');
    if (v->by.why[0]) {
        tut_buf_add_z(out, "      ");
        tut_term_wrap(term, out, 6, tut_str_of(v->by.why));
    }
    for (size_t i = 0; i < v->change_count; i++)
        add_change(&v->changes[i], term, out);
}

static void add_events(const tut_history *h, const char *asset, const tut_term *term, tut_buf *out)
{
    tut_buf_add_z(out, "\nIn the log\n");
    for (size_t i = 0; i < h->events->count; i++) {
        const tut_record *r = &h->events->items[i];
        char when[TUT_TIME_TEXT];
        if (!tut_history_is_event(r, asset))
            continue;
        tut_time_people(r->at, when);
        tut_buf_printf(out, "  #%-5llu %s  %-16s ", (unsigned long long)r->index, when, r->check);
        tut_buf_add_escaped(out, tut_str_of(r->actor), 60);
        tut_buf_printf(out, ", uid %lld", (long long)r->uid);
        if (r->doubt) {
            tut_buf_add_z(out, "  ");
            tut_term_text(term, out, TUT_STYLE_WARN, tut_str_of(r->doubt));
        }
        tut_buf_add_byte(out, '\n');
    }
}

static tut_status write_text(const tut_args *args, const tut_history *h, const char *asset,
                             tut_buf *out, tut_error *err)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    tut_buf_add_escaped(out, tut_str_of(asset), 200);
    tut_buf_printf(out, ": %zu version%s\n\n", h->count, h->count == 1 ? "" : "s");
    for (size_t i = 0; i < h->shown; i++)
        add_version(&h->items[i], &term, out);
    add_events(h, asset, &term, out);
    return tut_buf_check(out, err);
}

/* An id that the log knows will do; else one of the description, by id or path. */
static tut_status find_asset(const tut_opened_store *s, const char *word, const char **ret_id,
                             tut_error *err)
{
    const tut_asset *asset = NULL;
    *ret_id = word;
    if (tut_known_highest(&s->known, word) > 0)
        return TUT_SUCCESS;
    if (!s->stored.system)
        return tut_fail(err, TUT_USAGE, "the log knows no version of %s", word);
    TUT_TRY(tut_stored_asset(&s->stored, word, &asset, err));
    *ret_id = asset->id;
    return TUT_SUCCESS;
}

static tut_status show(const tut_args *args, tut_opened_store *s, tut_buf *out, size_t *ret_count,
                       tut_error *err)
{
    TUT_CLEAN(tut_history) h = {0};
    const char *asset;
    const tut_history_options o = {.version = tut_args_get(args, "--version"),
                                   .tensor_bytes = tut_args_has(args, "--tensors") ? UINT64_MAX
                                                                                   : TENSOR_BYTES};
    TUT_TRY(tut_opened_store_open(args, false, s, err));
    TUT_TRY(find_asset(s, args->positional[0], &asset, err));
    TUT_TRY(tut_history_read(s->store, s->ledger, s->stored.system, asset, &o, &h, err));
    *ret_count = h.count;
    return strcmp(args->format, "json") == 0 ? write_json(&h, asset, out, err)
                                             : write_text(args, &h, asset, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_opened_store) s = {0};
    tut_error err = {0};
    size_t count = 0;
    if (!tut_is_ok(show(args, &s, &out, &count, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, count > 0 ? TUT_EXIT_OK : TUT_EXIT_DOUBT);
}

const tut_command tut_cmd_history = {
    .name = "history",
    .arguments = "ASSET",
    .summary = "Versions of an asset, their signers, and what changed",
    .help = "Every version that the log knows, newest first: when it was taken and by which user, "
            "who signed it, and what changed against the version before: per file, and in "
            "safetensors and GGUF models per tensor (added, removed, reshaped, or other bytes). "
            "Then what the log says happened to the asset.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
