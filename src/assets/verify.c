#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "assets/digest_list.h"
#include "assets/sign.h"
#include "assets/sign_internal.h"
#include "base/fs.h"
#include "base/limits.h"

const char *tut_verify_word(tut_verify_verdict verdict)
{
    static const char *const words[] = {[TUT_VERIFY_VALID] = "valid",
                                        [TUT_VERIFY_INVALID] = "invalid",
                                        [TUT_VERIFY_UNSIGNED] = "unsigned"};
    return words[verdict];
}

const char *tut_mismatch_word(tut_mismatch_kind kind)
{
    static const char *const words[] = {[TUT_MISMATCH_MISSING] = "missing",
                                        [TUT_MISMATCH_EXTRA] = "extra",
                                        [TUT_MISMATCH_CHANGED] = "changed"};
    return words[kind];
}

void tut_verify_result_done(tut_verify_result *r)
{
    tut_free(r->signer);
    tut_free(r->signature);
    tut_free(r->reasons);
    tut_free(r->remarks);
    tut_free(r->mismatches);
    tut_arena_done(&r->arena);
    *r = (tut_verify_result){0};
}

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* Is this failure about the signature (a verdict), or about us (an error)? */
static bool is_verdict(tut_status status)
{
    return status.code == TUT_CRYPTO || status.code == TUT_MALFORMED ||
           status.code == TUT_TRUNCATED || status.code == TUT_UNSUPPORTED ||
           status.code == TUT_LIMIT;
}

/* --- the signature --- */

/* The usual place, or, for a single file, the signature of the directory it lies in. */
static tut_status find_signature(const char *path, bool is_dir, const char *given,
                                 char **ret_signature, tut_error *err)
{
    TUT_AUTO_FREE char *place = given ? tut_strdup(given) : tut_signature_place(path, is_dir);
    if (!place)
        return nomem(err);
    if (!given && !is_dir && !tut_fs_exists(place)) {
        const char *slash = strrchr(path, '/');
        TUT_AUTO_FREE char *beside = slash
                                         ? tut_asprintf("%.*s/model.sig", (int)(slash - path), path)
                                         : tut_strdup("model.sig");
        if (!beside)
            return nomem(err);
        if (tut_fs_exists(beside)) {
            *ret_signature = tut_move(&beside);
            return TUT_SUCCESS;
        }
    }
    *ret_signature = tut_move(&place);
    return TUT_SUCCESS;
}

static tut_status verify_keyless(const tut_oms_bundle *b, const tut_verify_options *o,
                                 tut_verify_result *r, tut_oms_statement **ret_statement,
                                 tut_error *err)
{
    TUT_CLEAN(tut_sigstore_result) proved = {0};
    const tut_sigstore_policy policy = {.identity = o->identity, .issuer = o->issuer};
    char when[TUT_TIME_TEXT];
    TUT_TRY(tut_oms_verify_keyless(b, o->trusted_root, &policy, &proved, ret_statement, err));
    r->signer = tut_asprintf("%s (%s)", proved.identity, proved.issuer);
    r->checked_at = proved.at;
    tut_time_people(proved.at, when);
    TUT_TRY(tut_verify_remark(r, err, "signed on %s, by the time of %s", when,
                              proved.source == TUT_SIGSTORE_TIME_AUTHORITY
                                  ? "a time-stamping authority"
                                  : "the transparency log"));
    if (!o->identity || !o->issuer)
        TUT_TRY(tut_verify_remark(r, err,
                                  "whoever signed was taken; --identity and --issuer say "
                                  "who it must be"));
    return TUT_SUCCESS;
}

/* By whoever knows keys by their ids: people of a log, say. */
static tut_status verify_found(const tut_oms_bundle *b, const tut_verify_options *o,
                               tut_verify_result *r, tut_oms_statement **ret_statement,
                               tut_error *err)
{
    const char *why = "it does not name the key that signed it";
    char id[TUT_SHA256_HEX];
    tut_str_copy(id, sizeof(id), b->hint);
    const tut_pubkey *key = b->mode == TUT_OMS_KEY && b->hint.len == sizeof(id) - 1
                                ? o->find_key(o->find_ctx, id, &why)
                                : NULL;
    if (!key)
        return tut_fail(err, TUT_CRYPTO, "%s", why);
    TUT_TRY(tut_oms_verify_key(b, key, ret_statement, err));
    r->signer = tut_strdup(id);
    return TUT_SUCCESS;
}

static tut_status verify_bundle(const tut_oms_bundle *b, const tut_verify_options *o,
                                tut_verify_result *r, tut_oms_statement **ret_statement,
                                tut_error *err)
{
    static const char *const modes[] = {[TUT_OMS_KEY] = "key",
                                        [TUT_OMS_CERTIFICATE] = "certificate",
                                        [TUT_OMS_KEYLESS] = "keyless"};
    r->mode = modes[b->mode];
    if (o->key) {
        TUT_TRY(tut_oms_verify_key(b, o->key, ret_statement, err));
        r->signer = tut_strdup(tut_pubkey_id(o->key));
    } else if (o->find_key) {
        TUT_TRY(verify_found(b, o, r, ret_statement, err));
    } else if (o->roots_pem.len > 0) {
        TUT_CLEAN(tut_chain_leaf) leaf = {0};
        TUT_TRY(tut_oms_verify_chain(b, o->roots_pem, r->checked_at, &leaf, ret_statement, err));
        r->signer = tut_move(&leaf.subject);
    } else {
        TUT_TRY(verify_keyless(b, o, r, ret_statement, err));
    }
    return r->signer ? TUT_SUCCESS : nomem(err);
}

static tut_status read_signature(const tut_verify_options *o, tut_verify_result *r,
                                 tut_oms_statement **ret_statement, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO(tut_oms_bundle) bundle = NULL;
    TUT_TRY(tut_fs_read(r->signature, TUT_LIMIT_OMS_BYTES, &bytes, err));
    TUT_TRY(tut_oms_bundle_read(tut_buf_span(&bytes), &bundle, err));
    return verify_bundle(bundle, o, r, ret_statement, err);
}

/* Leaves the statement NULL when the verdict is known without it. */
static tut_status open_signature(const char *path, bool is_dir, const tut_verify_options *o,
                                 tut_verify_result *r, tut_oms_statement **ret_statement,
                                 tut_error *err)
{
    TUT_TRY(find_signature(path, is_dir, o->signature, &r->signature, err));
    if (!tut_fs_exists(r->signature)) {
        r->verdict = TUT_VERIFY_UNSIGNED;
        return tut_verify_reason(r, err, "there is no signature at %s", r->signature);
    }
    tut_error why = {0};
    tut_status status = read_signature(o, r, ret_statement, &why);
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    if (!is_verdict(status)) {
        if (err)
            *err = why;
        return status;
    }
    r->verdict = TUT_VERIFY_INVALID;
    tut_free(r->signer);
    r->signer = NULL;
    return tut_verify_reason(r, err, "the signature %s: %s", r->signature, why.text);
}

static tut_status judge_statement(const char *path, const tut_oms_statement *s,
                                  const tut_verify_options *o, tut_verify_result *r, tut_error *err)
{
    r->has_root = true;
    r->root = s->root;
    r->hash = s->hash;
    if (s->is_unsorted)
        TUT_TRY(tut_verify_remark(r, err,
                                  "the signature lists its files in another order than the "
                                  "format asks for"));
    if (s->is_old)
        TUT_TRY(tut_verify_remark(r, err,
                                  "the signature is in the deprecated form of version "
                                  "0.2; sign again"));
    if (s->allow_symlinks)
        TUT_TRY(tut_verify_remark(r, err, "the signer followed symbolic links; so did this check"));
    return tut_verify_files(path, s, r->signature, o, r, err);
}

/* --- published digests --- */

/* As a statement, so that both are compared in the same way. */
static tut_status judge_published(const char *path, bool is_dir, const tut_verify_options *o,
                                  const tut_oms_statement *signed_statement, tut_verify_result *r,
                                  tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_digest_list) list = {0};
    TUT_TRY(tut_fs_read(o->published, TUT_LIMIT_OMS_BYTES, &text, err));
    tut_status status = tut_digest_list_read(tut_buf_str(&text), TUT_HASH_SHA256, &list, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, o->published);
        return status;
    }
    tut_str first = list.lines[0].name;
    const char *slash = memchr(first.data, '/', first.len);
    /* The directory may be called otherwise here than where it was published. */
    if (is_dir && slash)
        (void)tut_digest_list_strip(&list, (tut_str){first.data, (size_t)(slash - first.data)});
    TUT_AUTO_FREE tut_oms_resource *resources = tut_alloc_array(list.count, sizeof(*resources));
    if (!resources)
        return nomem(err);
    for (size_t i = 0; i < list.count; i++)
        resources[i] = (tut_oms_resource){.name = list.lines[i].name,
                                          .digest = list.lines[i].digest};
    if (!is_dir && list.count == 1)
        resources[0].name = TUT_LIT(".");
    tut_oms_statement s = {.hash = TUT_HASH_SHA256, .resources = resources, .count = list.count};
    if (signed_statement) {
        s.ignore = signed_statement->ignore;
        s.ignore_count = signed_statement->ignore_count;
    }
    tut_sha256 root;
    TUT_TRY(tut_oms_root_of(&s, &root, err));
    if (r->has_root && !tut_sha256_eq(&root, &r->root) && r->hash == TUT_HASH_SHA256)
        TUT_TRY(tut_verify_reason(r, err, "the published digests are not those that were signed"));
    if (!r->has_root) {
        r->has_root = true;
        r->root = root;
        TUT_TRY(tut_verify_remark(r, err,
                                  "compared with published digests only: who published "
                                  "them is not proved"));
    }
    return tut_verify_files(path, &s, r->signature, o, r, err);
}

/* --- the whole --- */

static bool has_signer(const tut_verify_options *o)
{
    return o->key || o->find_key || o->roots_pem.len > 0 || o->trusted_root.len > 0;
}

static tut_status check_options(const tut_verify_options *o, tut_error *err)
{
    int ways = (o->key != NULL) + (o->find_key != NULL) + (o->roots_pem.len > 0) +
               (o->trusted_root.len > 0);
    if (ways > 1)
        return tut_fail(err, TUT_USAGE,
                        "a key, certificate roots and a trusted root exclude each other");
    if (ways == 0 && !o->published)
        return tut_fail(err, TUT_USAGE, "nothing was given to verify with");
    if ((o->identity || o->issuer) && o->trusted_root.len == 0)
        return tut_fail(err, TUT_USAGE, "--identity and --issuer go with --trusted-root");
    for (size_t i = 0; i < o->only_count; i++)
        if (!tut_oms_name_ok(tut_str_of(o->only[i])))
            return tut_fail(err, TUT_USAGE, "--only takes a path below the model, not \"%s\"",
                            o->only[i]);
    if (o->key)
        return tut_oms_key_ok(o->key, err);
    if (o->trusted_root.len > 0)
        return tut_oms_check_trusted_root(o->trusted_root, err);
    return o->roots_pem.len > 0 ? tut_chain_check_roots(o->roots_pem, err) : TUT_SUCCESS;
}

static tut_status verify(const char *path, const tut_verify_options *o, tut_verify_result *r,
                         tut_error *err)
{
    TUT_AUTO(tut_oms_statement) s = NULL;
    struct stat st;
    TUT_TRY(check_options(o, err));
    if (stat(path, &st) != 0) {
        tut_error_set_path(err, path);
        return tut_fail_errno(err, errno, "cannot be read");
    }
    bool is_dir = S_ISDIR(st.st_mode);
    r->checked_at = o->at ? o->at : tut_time_now();
    r->verdict = TUT_VERIFY_VALID;
    if (has_signer(o)) {
        TUT_TRY(open_signature(path, is_dir, o, r, &s, err));
        if (!s)
            return TUT_SUCCESS;
        TUT_TRY(judge_statement(path, s, o, r, err));
    } else {
        TUT_TRY(find_signature(path, is_dir, o->signature, &r->signature, err));
    }
    if (o->published)
        TUT_TRY(judge_published(path, is_dir, o, s, r, err));
    if (r->reason_count > 0)
        r->verdict = TUT_VERIFY_INVALID;
    return TUT_SUCCESS;
}

tut_status tut_verify_path(const char *path, const tut_verify_options *options,
                           tut_verify_result *ret_result, tut_error *err)
{
    TUT_CLEAN(tut_verify_result) r = {0};
    TUT_TRY(verify(path, options, &r, err));
    *ret_result = r;
    r = (tut_verify_result){0};
    return TUT_SUCCESS;
}
