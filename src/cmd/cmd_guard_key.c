/* tutela guard key: a new API key for a client; nothing of it is kept but what the policy needs. */
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "cmd/command.h"
#include "crypto/openssl.h"
#include "guard/key.h"
#include "guard/policy.h"

enum { DAYS = 180 };

typedef struct making {
    tut_str client;
    bool has_expiry, is_declared;
    tut_time expires;
    tut_str scopes[64];
    size_t scope_count;
    char key[TUT_GUARD_KEY_TEXT];
    tut_sha256 sha256;
} making;

/* --- what is asked for --- */
static tut_status read_expiry(const char *text, making *m, tut_error *err)
{
    m->has_expiry = true;
    m->expires = (tut_time_now() / TUT_DAY_SECONDS + DAYS) * TUT_DAY_SECONDS;
    if (!text)
        return TUT_SUCCESS;
    m->has_expiry = strcmp(text, "never") != 0;
    if (m->has_expiry && !tut_is_ok(tut_time_parse(tut_str_of(text), &m->expires)))
        return tut_fail(err, TUT_USAGE, "--expires takes a date such as 2027-05-31, or never");
    if (m->has_expiry && m->expires <= tut_time_now())
        return tut_fail(err, TUT_USAGE, "a key that expires on %s is of no use", text);
    return TUT_SUCCESS;
}

/* "chat,embeddings" */
static tut_status read_scopes(const char *text, making *m, tut_error *err)
{
    while (text && *text) {
        size_t len = strcspn(text, ",");
        if (len == 0 || m->scope_count == sizeof(m->scopes) / sizeof(m->scopes[0]))
            return tut_fail(err, TUT_USAGE, "--scopes takes ids of routes, with commas between");
        m->scopes[m->scope_count++] = (tut_str){text, len};
        text += len;
        text += *text == ',';
    }
    return TUT_SUCCESS;
}

/* Against the policy, where there is one already: a key for a route that is not there opens none.
 */
static tut_status check_policy(const tut_args *args, making *m, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    tut_guard_policy p;
    tut_system *system = NULL;
    TUT_TRY(tut_cmd_locate(args, ".", &dir, &state, err));
    if (!state)
        return TUT_SUCCESS;
    tut_status status = tut_system_load(args->system ? args->system : ".", &system, &shown, err);
    if (tut_is_ok(status))
        status = tut_guard_policy_read(system, &p, &shown, err);
    if (!tut_is_ok(status) && shown.len) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    for (size_t i = 0; tut_is_ok(status) && i < m->scope_count; i++) {
        bool is_route = false;
        for (size_t k = 0; k < p.route_count; k++)
            is_route |= tut_str_eq(p.routes[k].id, m->scopes[i]);
        if (!is_route)
            status = tut_fail(err, TUT_USAGE, "the policy has no route \"%.*s\"",
                              (int)m->scopes[i].len, m->scopes[i].data);
    }
    m->is_declared = tut_is_ok(status) && tut_guard_client_of(&p, m->client);
    tut_system_free(system);
    return status;
}

/* --- what is printed --- */
static void add_yaml(const making *m, tut_buf *out)
{
    char hex[TUT_SHA256_HEX], day[TUT_TIME_TEXT];
    tut_sha256_hex(&m->sha256, hex);
    tut_buf_add_z(out, "    - id: ");
    tut_yaml_quote(out, m->client);
    tut_buf_printf(out, "\n      keys:\n        - sha256: %s\n", hex);
    if (m->has_expiry) {
        tut_time_rfc3339(m->expires, day);
        tut_buf_printf(out, "          expires: %.10s\n", day);
    }
    if (m->scope_count)
        tut_buf_add_z(out, "          scopes:\n");
    for (size_t i = 0; i < m->scope_count; i++) {
        tut_buf_add_z(out, "            - ");
        tut_yaml_quote(out, m->scopes[i]);
        tut_buf_add_z(out, "\n");
    }
}

/* The key alone on standard output, so that it can go where it belongs without being seen. */
static tut_status compose_text(const making *m, const tut_args *args, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) told = TUT_BUF_INIT;
    tut_buf_printf(out, "%s\n", m->key);
    if (args->quiet)
        return tut_buf_check(out, err);
    tut_buf_add_z(&told, "This key is shown once and kept nowhere. Give it to the client; in "
                         "tutela.yaml, below guard: clients:\n\n");
    add_yaml(m, &told);
    if (m->is_declared)
        tut_buf_add_z(&told, "\nThe client is declared already: add the entry to its keys. Keys "
                             "are valid side by side, so the one before can be taken out later.\n");
    else
        tut_buf_add_z(&told, "\nThe policy does not name this client yet.\n");
    tut_buf_add_z(&told, "Then `tutela guard reload` puts it in force.\n");
    TUT_TRY(tut_buf_check(&told, err));
    fwrite(told.data, 1, told.len, stderr);
    return tut_buf_check(out, err);
}

static tut_status compose_json(const making *m, tut_buf *out, tut_error *err)
{
    char day[TUT_TIME_TEXT];
    TUT_CLEAN(tut_buf) yaml = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    add_yaml(m, &yaml);
    tut_time_rfc3339(m->expires, day);
    tut_json_head(j, "tutela.guard-key/1", tut_time_generated());
    tut_json_put_str(j, "client", m->client);
    tut_json_put_z(j, "key", m->key);
    tut_json_key(j, "sha256");
    tut_json_sha256(j, m->sha256.bytes);
    tut_json_put_z(j, "expires", m->has_expiry ? day : NULL);
    tut_json_key(j, "scopes");
    tut_json_array(j);
    for (size_t i = 0; i < m->scope_count; i++)
        tut_json_str(j, m->scopes[i]);
    tut_json_end_array(j);
    tut_json_put_bool(j, "declared", m->is_declared);
    tut_json_put_str(j, "yaml", tut_buf_str(&yaml));
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status make(const tut_args *args, making *m, tut_buf *out, tut_error *err)
{
    m->client = tut_str_of(args->positional[0]);
    if (m->client.len == 0 || m->client.len > 128 || !tut_utf8_valid(m->client))
        return tut_fail(err, TUT_USAGE, "a client has a name of at most 128 bytes");
    TUT_TRY(read_expiry(tut_args_get(args, "--expires"), m, err));
    TUT_TRY(read_scopes(tut_args_get(args, "--scopes"), m, err));
    TUT_TRY(check_policy(args, m, err));
    TUT_TRY(tut_guard_key_new(m->key, err));
    TUT_TRY(tut_sha256_of(tut_span_of(m->key, strlen(m->key)), &m->sha256, err));
    return strcmp(args->format, "json") == 0 ? compose_json(m, out, err)
                                             : compose_text(m, args, out, err);
}

static int run(const tut_args *args)
{
    making m = {0};
    tut_error err = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_status status = make(args, &m, &out, &err);
    int exit_status = tut_is_ok(status) ? tut_cmd_output(&out, TUT_EXIT_OK) : tut_cmd_fail(&err);
    tut_wipe(m.key, sizeof(m.key));
    if (out.len)
        tut_wipe(out.data, out.len);
    return exit_status;
}

static const tut_option options[] = {
    {"--expires", TUT_OPTION_VALUE, "DATE", "or never; without it in 180 days"},
    {"--scopes", TUT_OPTION_VALUE, "ROUTES",
     "ids with commas between; without it all of the client"},
    {0},
};

const tut_command tut_cmd_guard_key = {
    .name = "guard key",
    .arguments = "CLIENT",
    .summary = "Make an API key for a client of the guard",
    .help = "The key, of 256 random bits, goes to standard output, once; it is kept nowhere. What "
            "belongs into tutela.yaml, its SHA-256 and how long it is valid, is told beside it. "
            "docs/guard.md says how keys are rotated.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
