#include "assets/sign.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "assets/digest_list.h"
#include "assets/sign_internal.h"
#include "base/fs.h"
#include "base/limits.h"

const char *const tut_sign_excluded[TUT_SIGN_EXCLUDED] = {".git", ".gitattributes", ".github",
                                                          ".gitignore"};

typedef struct signing {
    const char *path;
    const tut_sign_options *options;
    tut_manifest *manifest; /* NULL when only digests are at hand */
    tut_digest_list list;   /* from_digests */
    const char **ignore;    /* sorted, each once */
    size_t ignore_count, ignore_capacity;
    tut_arena arena;
    tut_buf chain[TUT_CHAIN_MAX];
    size_t chain_count;
    tut_span ders[TUT_CHAIN_MAX]; /* of the chain, what goes into the bundle */
    size_t der_count;
    tut_oms_resource *resources;
    size_t count;
    tut_sign_result result;
} signing;

void tut_sign_result_done(tut_sign_result *r)
{
    tut_free(r->signature);
    tut_free(r->published);
    tut_free(r->subject);
    *r = (tut_sign_result){0};
}

static void signing_done(signing *s)
{
    tut_manifest_free(s->manifest);
    tut_digest_list_done(&s->list);
    tut_free(s->ignore);
    tut_arena_done(&s->arena);
    for (size_t i = 0; i < TUT_CHAIN_MAX; i++)
        tut_buf_done(&s->chain[i]);
    tut_free(s->resources);
    tut_sign_result_done(&s->result);
}

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- what is left out --- */

static tut_status ignore(signing *s, tut_str path, tut_error *err)
{
    char *copy = tut_arena_copy(&s->arena, path);
    if (!copy)
        return nomem(err);
    TUT_TRY(tut_grow(&s->ignore, s->ignore_count, &s->ignore_capacity, sizeof(*s->ignore)));
    s->ignore[s->ignore_count++] = copy;
    return TUT_SUCCESS;
}

/* As the text of OMS has it: exact paths from the root of the model, no patterns. */
static tut_status ignore_given(signing *s, const char *given, tut_error *err)
{
    tut_str path = tut_str_of(given);
    while (tut_str_starts(path, TUT_LIT("./")))
        path = (tut_str){path.data + 2, path.len - 2};
    while (path.len > 1 && tut_str_ends(path, TUT_LIT("/")))
        path.len--;
    if (!tut_oms_name_ok(path) || memchr(path.data, '*', path.len) ||
        memchr(path.data, '?', path.len) || memchr(path.data, '[', path.len))
        return tut_fail(err, TUT_USAGE,
                        "--ignore takes a path below the model, without *, ? or [, not \"%s\"",
                        given);
    return ignore(s, path, err);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static tut_status plan_ignored(signing *s, tut_error *err)
{
    for (size_t i = 0; i < TUT_SIGN_EXCLUDED; i++)
        TUT_TRY(ignore(s, tut_str_of(tut_sign_excluded[i]), err));
    /* Where signatures usually lie: one that is written elsewhere does not cover another one. */
    TUT_TRY(ignore(s, TUT_LIT("model.sig"), err));
    /* Our own state changes with every record, also with the one of this signature. */
    TUT_AUTO_FREE char *state = tut_fs_join(s->path, ".tutela");
    if (state && tut_fs_is_dir(state))
        TUT_TRY(ignore(s, TUT_LIT(".tutela"), err));
    TUT_AUTO_FREE char *signature = tut_name_below(s->path, s->result.signature);
    if (signature && !tut_oms_name_ok(tut_str_of(signature)))
        return tut_fail(err, TUT_USAGE, "the signature cannot be written to %s",
                        s->result.signature);
    if (signature)
        TUT_TRY(ignore(s, tut_str_of(signature), err));
    for (size_t i = 0; i < s->options->ignore_count; i++)
        TUT_TRY(ignore_given(s, s->options->ignore[i], err));
    if (s->ignore_count > TUT_LIMIT_OMS_IGNORED)
        return tut_fail(err, TUT_LIMIT, "more than %u paths are left out", TUT_LIMIT_OMS_IGNORED);
    qsort(s->ignore, s->ignore_count, sizeof(*s->ignore), by_bytes);
    size_t kept = 1;
    for (size_t i = 1; i < s->ignore_count; i++)
        if (strcmp(s->ignore[i], s->ignore[kept - 1]) != 0)
            s->ignore[kept++] = s->ignore[i];
    s->ignore_count = kept;
    return TUT_SUCCESS;
}

/* --- the files and their digests --- */

static tut_status refuse_odd(const tut_manifest *m, tut_error *err)
{
    if (m->odd_count == 0)
        return TUT_SUCCESS;
    const tut_odd_file *odd = &m->odd[0];
    const tut_manifest_file as_file = {.name = odd->name};
    tut_manifest_blame(m, &as_file, err);
    return tut_fail(
        err, TUT_USAGE, "%s, which a signature cannot cover; %s", tut_odd_text(odd->kind),
        odd->kind == TUT_ODD_NAME   ? "rename it or leave its directory out with --ignore"
        : odd->kind == TUT_ODD_LINK ? "put the file in its place or leave it out with --ignore"
                                    : "leave it out with --ignore");
}

static tut_status list_files(signing *s, tut_error *err)
{
    struct stat st;
    if (s->options->from_digests && stat(s->path, &st) != 0 && errno == ENOENT) {
        if (!s->options->signature)
            return tut_fail(err, TUT_USAGE,
                            "%s is not here; with --from-digests alone, --signature says where the "
                            "signature goes",
                            s->path);
        return TUT_SUCCESS;
    }
    tut_manifest_options options = {.ignore = s->ignore, .ignore_count = s->ignore_count};
    TUT_TRY(tut_manifest_list(s->path, &options, &s->manifest, err));
    TUT_TRY(refuse_odd(s->manifest, err));
    if (s->manifest->count == 0) {
        tut_error_set_path(err, s->path);
        return tut_fail(err, TUT_USAGE, "holds no file to sign");
    }
    s->result.bytes = s->manifest->bytes;
    return TUT_SUCCESS;
}

static tut_status hash_files(signing *s, tut_error *err)
{
    const tut_sign_options *o = s->options;
    tut_manifest *m = s->manifest;
    tut_hash_options options = {
        .kind = o->hash, .progress = o->progress, .progress_ctx = o->progress_ctx};
    TUT_AUTO_FREE char *cache = o->use_cache ? tut_cache_file(s->path, o->hash) : NULL;
    s->result.hashed = m->count - tut_cache_apply(cache, o->hash, m);
    tut_clock_ns started = tut_clock_now();
    TUT_TRY(tut_manifest_hash(m, &options, err));
    tut_cache_keep(cache, o->hash, m, started);
    return TUT_SUCCESS;
}

static bool lists_same(const tut_manifest *m, const tut_digest_list *list, const char **ret_odd)
{
    for (size_t i = 0; i < m->count || i < list->count; i++) {
        bool has_both = i < m->count && i < list->count;
        if (has_both && tut_str_eq(m->files[i].name, list->lines[i].name))
            continue;
        bool is_listed = i >= m->count ||
                         (has_both && tut_str_cmp(list->lines[i].name, m->files[i].name) < 0);
        *ret_odd = is_listed ? list->lines[i].name.data : m->files[i].name.data;
        return false;
    }
    return true;
}

/* The names must be those that are there; the bytes are taken on the word of whoever made the
 * list. */
static tut_status read_digests(signing *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const char *from = s->options->from_digests;
    const char *odd = "";
    TUT_TRY(tut_fs_read(from, TUT_LIMIT_OMS_BYTES, &text, err));
    tut_status status = tut_digest_list_read(tut_buf_str(&text), s->options->hash, &s->list, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, from);
        return status;
    }
    if (!s->manifest || lists_same(s->manifest, &s->list, &odd))
        return TUT_SUCCESS;
    /* As --publish writes it: with the model's own directory before every name. */
    if (tut_digest_list_strip(&s->list, tut_str_of(s->manifest->base)) &&
        lists_same(s->manifest, &s->list, &odd))
        return TUT_SUCCESS;
    tut_error_set_path(err, from);
    return tut_fail(
        err, TUT_USAGE,
        "lists other files than %s holds; the first that only one of them has is \"%s\"", s->path,
        odd);
}

static tut_status collect(signing *s, tut_error *err)
{
    if (s->options->from_digests)
        TUT_TRY(read_digests(s, err));
    else
        TUT_TRY(hash_files(s, err));
    s->count = s->options->from_digests ? s->list.count : s->manifest->count;
    s->resources = tut_alloc_array(s->count, sizeof(*s->resources));
    if (!s->resources)
        return nomem(err);
    for (size_t i = 0; i < s->count; i++) {
        const tut_digest_line *line = s->options->from_digests ? &s->list.lines[i] : NULL;
        s->resources[i].name = line ? line->name : s->manifest->files[i].name;
        s->resources[i].digest = line ? line->digest : s->manifest->files[i].digest;
    }
    s->result.files = s->count;
    return TUT_SUCCESS;
}

/* --- the certificate chain --- */

static tut_status read_chain(signing *s, tut_error *err)
{
    const tut_sign_options *o = s->options;
    tut_time now = o->now ? o->now : tut_time_now();
    TUT_CLEAN(tut_chain_leaf) leaf = {0};
    bool is_root;
    s->result.mode = "key";
    if (o->chain_pem.len == 0)
        return TUT_SUCCESS;
    s->result.mode = "certificate";
    TUT_TRY(tut_chain_pem_to_der(o->chain_pem, s->chain, &s->chain_count, err));
    TUT_TRY(tut_chain_read_leaf(tut_buf_span(&s->chain[0]), &leaf, &is_root, err));
    if (!tut_pubkey_eq(leaf.key, tut_key_public(o->key)))
        return tut_fail(err, TUT_USAGE,
                        "the first certificate of the chain (%s) is not that of the signing key",
                        leaf.subject);
    if (now < leaf.not_before || now > leaf.not_after)
        return tut_fail(err, TUT_USAGE, "the certificate of %s %s", leaf.subject,
                        now > leaf.not_after ? "has expired" : "is not valid yet");
    s->ders[s->der_count++] = tut_buf_span(&s->chain[0]);
    for (size_t i = 1; i < s->chain_count; i++) {
        TUT_CLEAN(tut_chain_leaf) other = {0};
        TUT_TRY(tut_chain_read_leaf(tut_buf_span(&s->chain[i]), &other, &is_root, err));
        if (!is_root) /* the bundle format forbids roots: nobody may trust one from there */
            s->ders[s->der_count++] = tut_buf_span(&s->chain[i]);
    }
    s->result.subject = tut_move(&leaf.subject);
    return TUT_SUCCESS;
}

/* --- writing --- */

static tut_status write_signature(signing *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) payload = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) bundle = TUT_BUF_INIT;
    TUT_AUTO_FREE tut_str *ignored = tut_alloc_array(s->ignore_count ? s->ignore_count : 1,
                                                     sizeof(*ignored));
    if (!ignored)
        return nomem(err);
    for (size_t i = 0; i < s->ignore_count; i++)
        ignored[i] = tut_str_of(s->ignore[i]);
    const char *slash = strrchr(s->path, '/');
    const char *name = s->manifest ? s->manifest->base : slash ? slash + 1 : s->path;
    tut_oms_statement statement = {
        .subject = tut_utf8_valid(tut_str_of(name)) && *name ? tut_str_of(name) : TUT_LIT("model"),
        .hash = s->options->hash,
        .resources = s->resources,
        .count = s->count,
        .ignore = ignored,
        .ignore_count = s->ignore_count,
    };
    TUT_TRY(tut_oms_root_of(&statement, &statement.root, err));
    TUT_TRY(tut_oms_statement_write(&statement, &payload, err));
    TUT_TRY(tut_oms_bundle_write(tut_buf_span(&payload), s->options->key, s->ders, s->der_count,
                                 &bundle, err));
    tut_buf_add_byte(&bundle, '\n');
    TUT_TRY(tut_buf_check(&bundle, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&bundle), &s->result.bundle, err));
    s->result.root = statement.root;
    return tut_fs_write(s->result.signature, tut_buf_span(&bundle), 0644, err);
}

/* Beside the model, with the names as they are from there: `sha256sum -c` works where the file
 * lies. */
static tut_status publish(signing *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t len = strlen(s->path);
    while (len > 1 && s->path[len - 1] == '/')
        len--;
    if (!s->manifest)
        return tut_fail(err, TUT_USAGE, "--publish needs the model itself beside its digests");
    tut_str base = tut_str_of(s->manifest->is_single ? "" : s->manifest->base);
    for (size_t i = 0; i < s->count; i++)
        tut_digest_list_add(&text, s->options->hash, &s->resources[i].digest, base,
                            s->resources[i].name);
    TUT_TRY(tut_buf_check(&text, err));
    TUT_AUTO_FREE char *place = tut_asprintf("%.*s.sha256", (int)len, s->path);
    if (!place)
        return nomem(err);
    TUT_TRY(tut_fs_write(place, tut_buf_span(&text), 0644, err));
    s->result.published = tut_move(&place);
    return TUT_SUCCESS;
}

static tut_status check_options(const char *path, const tut_sign_options *o, tut_error *err)
{
    TUT_TRY(tut_oms_key_ok(tut_key_public(o->key), err));
    if (o->publish && o->hash != TUT_HASH_SHA256)
        return tut_fail(err, TUT_USAGE, "--publish writes SHA-256 digests; use --hash sha256");
    size_t len = strlen(path);
    bool is_dots = strcmp(path, "/") == 0 || strcmp(path, ".") == 0 || strcmp(path, "..") == 0 ||
                   (len > 1 && strcmp(path + len - 2, "/.") == 0) ||
                   (len > 2 && strcmp(path + len - 3, "/..") == 0);
    if (o->publish && is_dots)
        return tut_fail(err, TUT_USAGE,
                        "--publish writes beside the model, so name the model as seen from there: "
                        "DIR, not \"%s\"",
                        path);
    return TUT_SUCCESS;
}

static tut_status sign(signing *s, tut_error *err)
{
    const tut_sign_options *o = s->options;
    struct stat st;
    bool is_dir = stat(s->path, &st) != 0 || S_ISDIR(st.st_mode);
    TUT_TRY(check_options(s->path, o, err));
    TUT_TRY(read_chain(s, err));
    s->result.signature = o->signature ? tut_strdup(o->signature)
                                       : tut_signature_place(s->path, is_dir);
    if (!s->result.signature)
        return nomem(err);
    tut_str_copy(s->result.key_id, sizeof(s->result.key_id),
                 tut_str_of(tut_pubkey_id(tut_key_public(o->key))));
    if (is_dir)
        TUT_TRY(plan_ignored(s, err));
    else if (o->ignore_count > 0)
        return tut_fail(err, TUT_USAGE, "--ignore makes no sense for a single file");
    TUT_TRY(list_files(s, err));
    TUT_TRY(collect(s, err));
    if (o->publish)
        TUT_TRY(publish(s, err));
    return write_signature(s, err);
}

tut_status tut_sign_path(const char *path, const tut_sign_options *options,
                         tut_sign_result *ret_result, tut_error *err)
{
    TUT_CLEAN(signing) s = {.path = path, .options = options};
    TUT_TRY(sign(&s, err));
    *ret_result = s.result;
    s.result = (tut_sign_result){0};
    return TUT_SUCCESS;
}
