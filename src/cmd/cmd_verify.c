/* tutela verify: is this what was signed, and by whom it should be? */
#include <string.h>
#include <unistd.h>

#include "assess/assessment.h"
#include "base/fs.h"
#include "base/limits.h"
#include "cmd/command.h"

static const tut_option options[] = {
    {"--policy", TUT_OPTION_FLAG, NULL,
     "signed by whom tutela.yaml wants, with a key that counts now in the log; without PATH every "
     "model, dataset, prompt and configuration; each answer is recorded"},
    {"--key", TUT_OPTION_VALUE, "PUBLIC.pem", "the signer's public key"},
    {"--certificate-root", TUT_OPTION_VALUE, "ROOT.pem",
     "roots that the signer's certificate must lead to"},
    {"--trusted-root", TUT_OPTION_VALUE, "ROOT.json",
     "Sigstore's trusted root, for signatures without a long-lived key; nothing is fetched"},
    {"--identity", TUT_OPTION_VALUE, "NAME",
     "with --trusted-root: who must have signed (an e-mail address or URI)"},
    {"--issuer", TUT_OPTION_VALUE, "URL", "with --trusted-root: who must have vouched for it"},
    {"--published", TUT_OPTION_VALUE, "FILE",
     "compare with digests that were published (sha256sum), alone or besides the signature"},
    {"--signature", TUT_OPTION_VALUE, "FILE",
     "the signature (default: DIR/model.sig; FILE.sig, or model.sig beside it)"},
    {"--only", TUT_OPTION_LIST, "NAME",
     "read only this file or directory of the model, named from its own directory; may be "
     "repeated"},
    {"--ignore-unsigned", TUT_OPTION_FLAG, NULL, "files that were not signed are no fault"},
    {"--use-cache", TUT_OPTION_FLAG, NULL,
     "trust digests that were taken before from files with the same inode, size and times"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static void step(void *ctx, uint64_t done, uint64_t total)
{
    tut_progress_step(ctx, "verify: bytes", done, total);
}

typedef struct inputs { /* what the options of the library borrow */
    tut_pubkey *key;
    tut_buf roots, trusted;
    const char **only;
    tut_progress progress;
} inputs;

static void inputs_done(inputs *in)
{
    tut_pubkey_free(in->key);
    tut_buf_done(&in->roots);
    tut_buf_done(&in->trusted);
    tut_free(in->only);
}

static tut_status read_file(const char *path, tut_buf *out, tut_error *err)
{
    if (!path)
        return TUT_SUCCESS;
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_CERTIFICATES_BYTES, out, err));
    if (out->len > 0)
        return TUT_SUCCESS;
    tut_error_set_path(err, path);
    return tut_fail(err, TUT_MALFORMED, "is empty");
}

static tut_status read_lists(const tut_args *args, inputs *in, tut_verify_options *o,
                             tut_error *err)
{
    in->only = tut_alloc_array(args->given_count + 1, sizeof(*in->only));
    if (!in->only)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (const char *name; (name = tut_args_nth(args, "--only", o->only_count)) != NULL;)
        in->only[o->only_count++] = name;
    o->only = in->only;
    if (args->positional_count > 1 && (o->signature || o->published || o->only_count > 0))
        return tut_fail(err, TUT_USAGE,
                        "--signature, --published and --only go with a single path");
    return TUT_SUCCESS;
}

static tut_status read_options(const tut_args *args, inputs *in, tut_verify_options *o,
                               tut_error *err)
{
    const char *key = tut_args_get(args, "--key");
    const char *roots = tut_args_get(args, "--certificate-root");
    const char *trusted = tut_args_get(args, "--trusted-root");
    o->published = tut_args_get(args, "--published");
    if (!key && !roots && !trusted && !o->published)
        return tut_fail(err, TUT_USAGE,
                        "verify needs --key PUBLIC.pem, --certificate-root ROOT.pem, "
                        "--trusted-root ROOT.json, --published FILE or --policy");
    o->signature = tut_args_get(args, "--signature");
    o->identity = tut_args_get(args, "--identity");
    o->issuer = tut_args_get(args, "--issuer");
    o->ignore_unsigned = tut_args_has(args, "--ignore-unsigned");
    o->use_cache = tut_args_has(args, "--use-cache");
    TUT_TRY(read_lists(args, in, o, err));
    if (key)
        TUT_TRY(tut_pubkey_from_file(key, &in->key, err));
    TUT_TRY(read_file(roots, &in->roots, err));
    TUT_TRY(read_file(trusted, &in->trusted, err));
    o->key = in->key;
    o->roots_pem = tut_buf_span(&in->roots);
    o->trusted_root = tut_buf_span(&in->trusted);
    o->progress = step;
    o->progress_ctx = &in->progress;
    return TUT_SUCCESS;
}

/* What was looked at: by given keys the results are ours, by policy the library's. */
typedef struct looked {
    tut_verify_target *targets;
    size_t count;
    tut_verify_result *results;
    tut_asset_check *checks;
} looked;

static void looked_done(looked *l)
{
    for (size_t i = 0; l->results && i < l->count; i++)
        tut_verify_result_done(&l->results[i]);
    tut_free(l->results);
    if (l->checks)
        tut_asset_checks_free(l->checks, l->count);
    tut_free(l->targets);
}

static tut_status verify_given(const tut_args *args, looked *l, tut_error *err)
{
    TUT_CLEAN(inputs) in = {0};
    tut_verify_options o = {0};
    if (args->positional_count == 0)
        return tut_fail(err, TUT_USAGE, "verify wants PATH...; with --policy it may be left out");
    TUT_TRY(read_options(args, &in, &o, err));
    l->count = args->positional_count;
    l->results = tut_alloc_array(l->count, sizeof(*l->results));
    l->targets = tut_alloc_array(l->count, sizeof(*l->targets));
    if (!l->results || !l->targets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < l->count; i++) {
        l->targets[i] = (tut_verify_target){.path = args->positional[i], .result = &l->results[i]};
        tut_progress_start(&in.progress, args->quiet, args->color);
        tut_status status = tut_verify_path(args->positional[i], &o, &l->results[i], err);
        tut_progress_end(&in.progress);
        TUT_TRY(status);
    }
    return TUT_SUCCESS;
}

static tut_status check_policy_options(const tut_args *args, tut_error *err)
{
    static const char *const others[] = {"--key",      "--certificate-root", "--trusted-root",
                                         "--identity", "--issuer",           "--published",
                                         "--only",     "--ignore-unsigned"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (tut_args_has(args, others[i]))
            return tut_fail(err, TUT_USAGE, "--policy and %s exclude each other", others[i]);
    if (tut_args_has(args, "--signature") && args->positional_count != 1)
        return tut_fail(err, TUT_USAGE, "--signature goes with a single path");
    return TUT_SUCCESS;
}

static tut_status verify_policy(const tut_args *args, looked *l, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    tut_progress progress;
    tut_verify_options o = {.signature = tut_args_get(args, "--signature"),
                            .use_cache = tut_args_has(args, "--use-cache"),
                            .progress = step,
                            .progress_ctx = &progress};
    TUT_TRY(check_policy_options(args, err));
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, so there is no policy; tutela init writes one");
    }
    tut_progress_start(&progress, args->quiet, args->color);
    tut_status status = tut_assess_verify(args->system ? args->system : dir, state,
                                          args->positional, args->positional_count, &o, &l->checks,
                                          &l->count, err);
    tut_progress_end(&progress);
    TUT_TRY(status);
    l->targets = tut_alloc_array(l->count + 1, sizeof(*l->targets));
    if (!l->targets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < l->count; i++)
        l->targets[i] = (tut_verify_target){.path = l->checks[i].path,
                                            .person = l->checks[i].person,
                                            .result = &l->checks[i].result};
    return TUT_SUCCESS;
}

/* --- people --- */

static void add_texts(const tut_term *term, tut_buf *out, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tut_buf_add_z(out, "  ");
        tut_term_wrap(term, out, 2, tut_str_of(texts[i]));
    }
}

static void add_target(const tut_term *term, tut_buf *out, const tut_verify_target *t)
{
    const tut_verify_result *r = t->result;
    bool is_valid = r->verdict == TUT_VERIFY_VALID;
    char bytes[16];
    char files[32];
    tut_term_path(term, out, tut_str_of(t->path), 0);
    tut_buf_add_z(out, ": ");
    tut_term_printf(term, out, is_valid ? TUT_STYLE_GOOD : TUT_STYLE_BAD, "%s",
                    tut_verify_word(r->verdict));
    if (r->signer) {
        tut_buf_printf(out, ", signed by ");
        tut_buf_add_escaped(out, tut_str_of(t->person ? t->person : r->signer), TUT_ERROR_PATH_MAX);
        if (t->person)
            tut_buf_printf(out, ", key %.12s", r->signer);
    }
    tut_buf_add_byte(out, '\n');
    add_texts(term, out, r->reasons, r->reason_count);
    if (is_valid) {
        char root[TUT_SHA256_HEX];
        tut_sha256_hex(&r->root, root);
        tut_human_bytes(r->bytes, bytes);
        tut_human_count(r->checked, files);
        tut_buf_printf(out, "  %s file%s, %s, root %s\n", files, r->checked == 1 ? "" : "s", bytes,
                       root);
    }
    add_texts(term, out, r->remarks, r->remark_count);
}

static tut_status write_text(const tut_args *args, const looked *l, tut_buf *out, tut_error *err)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    for (size_t i = 0; i < l->count; i++)
        add_target(&term, out, &l->targets[i]);
    if (l->count == 0)
        tut_buf_add_z(out, "The description names no asset that has to be signed.\n");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(looked) l = {0};
    tut_error err = {0};
    bool is_json = strcmp(args->format, "json") == 0;
    if (!tut_is_ok(tut_args_has(args, "--policy") ? verify_policy(args, &l, &err)
                                                  : verify_given(args, &l, &err)) ||
        !tut_is_ok(is_json ? tut_verify_json(l.targets, l.count, &out, &err)
                           : write_text(args, &l, &out, &err)))
        return tut_cmd_fail(&err);
    int exit_status = l.count == 0 ? TUT_EXIT_DOUBT : TUT_EXIT_OK;
    for (size_t i = 0; i < l.count; i++)
        if (l.targets[i].result->verdict != TUT_VERIFY_VALID)
            exit_status = TUT_EXIT_FOUND;
    return tut_cmd_output(&out, exit_status);
}

const tut_command tut_cmd_verify = {
    .name = "verify",
    .arguments = "[PATH...]",
    .summary = "Check that files are what was signed, and who signed",
    .help =
        "Checks a signature by OpenSSF Model Signing v1.0 and every byte that it covers: files "
        "that "
        "are changed, missing or extra are named with the digests expected and found. With --only, "
        "the signature is checked whole and just the named files are read. A certificate must be "
        "valid now.\n\n"
        "Exit status: 0 valid; 1 invalid or unsigned; 2 when the question stays open (a key or a "
        "file cannot be read, a file changes meanwhile).",
    .formats = "table json",
    .options = options,
    .most = SIZE_MAX,
    .run = run,
};
