/* tutela sign: a signature over every file of a model, dataset or prompt. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/assessment.h"
#include "base/fs.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "cmd/command.h"
#include "cmd/signer.h"

static const tut_option options[] = {
    {"--key", TUT_OPTION_VALUE, "KEY",
     "the signer's private key: a PEM file, or a pkcs11: URI (ECDSA on P-256, P-384 or P-521)"},
    {"--by", TUT_OPTION_VALUE, "NAME",
     "instead of --key: the key that tutela people made here for this person"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE",
     "its first line opens the key; else the terminal is asked"},
    {"--certificate-chain", TUT_OPTION_VALUE, "CHAIN.pem",
     "the key's certificate and those above it, leaf first"},
    {"--signature", TUT_OPTION_VALUE, "FILE",
     "where to write it (default: DIR/model.sig, or FILE.sig for a single file)"},
    {"--ignore", TUT_OPTION_LIST, "NAME",
     "leave out this file or directory, named from the model's own directory; may be repeated"},
    {"--hash", TUT_OPTION_VALUE, "sha256|blake2b", "how files are hashed (default sha256)"},
    {"--from-digests", TUT_OPTION_VALUE, "FILE",
     "sign these digests (as sha256sum or b2sum write them) instead of reading the files"},
    {"--publish", TUT_OPTION_FLAG, NULL,
     "also write PATH.sha256 beside the model, for whoever fetches it (sha256sum -c)"},
    {"--cache", TUT_OPTION_FLAG, NULL, "take digests of unchanged files from the cache (default)"},
    {"--no-cache", TUT_OPTION_FLAG, NULL, "read every byte again"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static void step(void *ctx, uint64_t done, uint64_t total)
{
    tut_progress_step(ctx, "sign: bytes", done, total);
}

/* The described system here, if there is one: its log takes what is signed. */
typedef struct place {
    char *dir, *state;
} place;

static void place_done(place *p)
{
    tut_free(p->dir);
    tut_free(p->state);
}

static tut_status open_made_key(const tut_args *args, const place *p, const char *by,
                                tut_key **ret_key, tut_error *err)
{
    if (!p->state)
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, so nobody is enrolled; --key says "
                        "with what to sign");
    return tut_signer_open_at(args, p->state, by, ret_key, err);
}

static tut_status open_key(const tut_args *args, const place *p, tut_key **ret_key, tut_error *err)
{
    const char *spec = tut_args_get(args, "--key");
    const char *by = tut_args_get(args, "--by");
    if (spec && by)
        return tut_fail(err, TUT_USAGE, "--key and --by exclude each other");
    if (by)
        return open_made_key(args, p, by, ret_key, err);
    if (!spec)
        return tut_fail(err, TUT_USAGE,
                        "sign needs --key PRIVATE.pem: ECDSA on P-256, P-384 or P-521, such as "
                        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 makes");
    tut_secret_source secret = {.file = tut_args_get(args, "--passphrase-file"), .may_ask = true};
    return tut_key_open(spec, &secret, ret_key, err);
}

/* Whose key it is, not who is named, has to have learnt what his role asks for. */
static tut_status check_trained(const tut_args *args, const place *p, const tut_key *key,
                                tut_error *err)
{
    TUT_AUTO(tut_training_rights) rights = NULL;
    if (!p->state)
        return TUT_SUCCESS;
    TUT_TRY(tut_signer_rights(args, &rights, err));
    return tut_training_rights_check_key(rights, tut_pubkey_id(tut_key_public(key)), err);
}

/* One key for all paths: a token or a passphrase is asked for once. */
static tut_status sign_all(const tut_args *args, const place *p, tut_sign_result *results,
                           tut_error *err)
{
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) chain = TUT_BUF_INIT;
    tut_sign_options o = {.use_cache = !tut_args_has(args, "--no-cache")};
    const char *hash = tut_args_get(args, "--hash");
    const char *chain_file = tut_args_get(args, "--certificate-chain");
    TUT_AUTO_FREE const char **ignore = tut_alloc_array(args->given_count + 1, sizeof(*ignore));
    if (!ignore)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!o.use_cache && tut_args_has(args, "--cache"))
        return tut_fail(err, TUT_USAGE, "--cache and --no-cache exclude each other");
    if (hash && !tut_hash_find(tut_str_of(hash), &o.hash))
        return tut_fail(err, TUT_USAGE, "--hash takes sha256 or blake2b");
    for (const char *name; (name = tut_args_nth(args, "--ignore", o.ignore_count)) != NULL;)
        ignore[o.ignore_count++] = name;
    if (chain_file)
        TUT_TRY(tut_fs_read(chain_file, TUT_LIMIT_CERTIFICATES_BYTES, &chain, err));
    o.signature = tut_args_get(args, "--signature");
    o.from_digests = tut_args_get(args, "--from-digests");
    if (args->positional_count > 1 && (o.signature || o.from_digests || o.ignore_count > 0))
        return tut_fail(err, TUT_USAGE,
                        "--signature, --from-digests and --ignore go with a single path");
    TUT_TRY(open_key(args, p, &key, err));
    TUT_TRY(check_trained(args, p, key, err));
    tut_progress progress;
    tut_progress_start(&progress, args->quiet, args->color);
    o.key = key;
    o.chain_pem = tut_buf_span(&chain);
    o.ignore = ignore;
    o.publish = tut_args_has(args, "--publish");
    o.progress = step;
    o.progress_ctx = &progress;
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < args->positional_count && tut_is_ok(status); i++)
        status = tut_sign_path(args->positional[i], &o, &results[i], err);
    tut_progress_end(&progress);
    return status;
}

/* What was signed before a failure was signed all the same, so it is recorded too. */
static tut_status record_all(const tut_args *args, const place *p, const tut_sign_result *results,
                             tut_error *err)
{
    size_t count = 0;
    size_t recorded = 0;
    while (count < args->positional_count && results[count].signature)
        count++;
    if (p->state && count > 0)
        TUT_TRY(tut_assess_signed(args->system ? args->system : p->dir, p->state, args->positional,
                                  results, count, &recorded, err));
    if (recorded < count && !args->quiet)
        fputs("Outside a described system nothing is recorded.\n", stderr);
    return TUT_SUCCESS;
}

static void put_target(tut_json *j, const char *path, const tut_sign_result *r)
{
    tut_json_object(j);
    tut_json_put_z(j, "path", path);
    tut_json_key(j, "root");
    tut_json_sha256(j, r->root.bytes);
    tut_json_put_z(j, "signature", r->signature);
    tut_json_key(j, "digest");
    tut_json_sha256(j, r->bundle.bytes);
    tut_json_put_z(j, "published", r->published);
    tut_json_put_z(j, "mode", r->mode);
    tut_json_put_z(j, "key", r->key_id);
    tut_json_put_z(j, "subject", r->subject);
    tut_json_end_object(j);
}

static tut_status write_json(const tut_args *args, const tut_sign_result *results, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    uint64_t files = 0;
    uint64_t hashed = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < args->positional_count; i++) {
        files += results[i].files;
        hashed += results[i].hashed;
        bytes += results[i].bytes;
    }
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.sign/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "files", files);
    tut_json_put_u64(j, "hashed", hashed);
    tut_json_put_u64(j, "bytes", bytes);
    tut_json_end_object(j);
    tut_json_key(j, "targets");
    tut_json_array(j);
    for (size_t i = 0; i < args->positional_count; i++)
        put_target(j, args->positional[i], &results[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void write_text(const char *path, const tut_sign_result *r, tut_buf *out)
{
    char root[TUT_SHA256_HEX];
    char bytes[16];
    char files[32];
    tut_sha256_hex(&r->root, root);
    tut_human_bytes(r->bytes, bytes);
    tut_human_count(r->files, files);
    tut_buf_add_z(out, "Signed ");
    tut_buf_add_escaped(out, tut_str_of(path), TUT_ERROR_PATH_MAX);
    tut_buf_printf(out, ": %s file%s", files, r->files == 1 ? "" : "s");
    if (r->bytes > 0)
        tut_buf_printf(out, ", %s", bytes);
    tut_buf_add_z(out, ".\n");
    tut_cmd_line(out, "root", root);
    tut_cmd_line(out, "key", r->key_id);
    tut_cmd_line(out, "subject", r->subject);
    tut_cmd_line(out, "signature", r->signature);
    tut_cmd_line(out, "digests", r->published);
}

static tut_status act(const tut_args *args, const place *p, tut_sign_result *results, tut_buf *out,
                      tut_error *err)
{
    tut_error unrecorded = {0};
    tut_status status = sign_all(args, p, results, err);
    tut_status recorded = record_all(args, p, results, &unrecorded);
    TUT_TRY(status);
    if (!tut_is_ok(recorded)) {
        *err = unrecorded;
        return recorded;
    }
    if (strcmp(args->format, "json") == 0)
        return write_json(args, results, out, err);
    for (size_t i = 0; i < args->positional_count; i++)
        write_text(args->positional[i], &results[i], out);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(place) p = {0};
    tut_error err = {0};
    TUT_AUTO_FREE tut_sign_result *results = tut_alloc_array(args->positional_count,
                                                             sizeof(*results));
    tut_status status = results ? tut_cmd_locate(args, NULL, &p.dir, &p.state, &err)
                                : tut_fail(&err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        status = act(args, &p, results, &out, &err);
    for (size_t i = 0; results && i < args->positional_count; i++)
        tut_sign_result_done(&results[i]);
    return tut_is_ok(status) ? tut_cmd_output(&out, TUT_EXIT_OK) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_sign = {
    .name = "sign",
    .arguments = "PATH...",
    .summary = "Sign a model, dataset, prompt: any file or directory",
    .help = "Hashes every file with all cores and writes a detached signature by OpenSSF Model "
            "Signing v1.0, which other tools verify too. Left out, and recorded as such: the "
            "signature itself, .git, .gitattributes, .github and .gitignore at the top, and what "
            "--ignore names. A symbolic link is an error. Digests of files whose inode, size and "
            "times are as before come from a cache; --no-cache reads them again. In a described "
            "system the signing is recorded.\n\n"
            "tutela sign models/assistant --key release.pem --publish\n"
            "tutela verify models/assistant --key release.pub.pem",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
