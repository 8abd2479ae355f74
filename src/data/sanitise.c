#include "data/sanitise.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/openssl.h"
#include "data/sanitise_internal.h"
#include "data/vet_internal.h"

/* --- as bytes --- */

static void put_number(uint8_t *to, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_number(const uint8_t *from, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)from[i] << 8 * i;
    return v;
}

void tut_sanitise_cut_put(const sanitise_cut *c, uint8_t to[SANITISE_CUT_BYTES])
{
    put_number(to, c->begin, 8);
    put_number(to + 8, c->end, 8);
    put_number(to + 16, c->kind, 2);
    put_number(to + 18, c->is_number, 6);
}

sanitise_cut tut_sanitise_cut_get(const uint8_t from[SANITISE_CUT_BYTES])
{
    return (sanitise_cut){get_number(from, 8), get_number(from + 8, 8),
                          (uint16_t)get_number(from + 16, 2), get_number(from + 18, 6) != 0};
}

void tut_sanitise_reply_put(const sanitise_reply *r, tut_buf *out)
{
    tut_buf_add_byte(out, r->is_plain);
    tut_buf_add_u64le(out, r->plain_bytes);
    tut_buf_add_u64le(out, r->cuts);
    tut_buf_add_u32le(out, (uint32_t)r->kind_count);
    for (size_t i = 0; i < r->kind_count; i++)
        tut_buf_add_sized(out, tut_str_of(r->kinds[i]));
}

static tut_status get_reply(tut_reader *r, sanitise_reply *ret)
{
    uint8_t is_plain;
    uint32_t count;
    TUT_TRY(tut_reader_u8(r, &is_plain));
    TUT_TRY(tut_reader_u64le(r, &ret->plain_bytes));
    TUT_TRY(tut_reader_u64le(r, &ret->cuts));
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > SANITISE_KINDS || ret->cuts > UINT64_MAX / SANITISE_CUT_BYTES)
        return (tut_status){TUT_MALFORMED};
    ret->is_plain = is_plain;
    for (ret->kind_count = 0; ret->kind_count < count; ret->kind_count++) {
        tut_str id;
        TUT_TRY(tut_reader_sized(r, &id));
        for (size_t i = 0; i < id.len; i++) /* it becomes part of the dataset */
            if ((id.data[i] < 'a' || id.data[i] > 'z') && (id.data[i] < '0' || id.data[i] > '9') &&
                id.data[i] != '-')
                return (tut_status){TUT_MALFORMED};
        if (id.len == 0 || id.len >= TUT_TEXT_ID)
            return (tut_status){TUT_MALFORMED};
        tut_str_copy(ret->kinds[ret->kind_count], TUT_TEXT_ID, id);
    }
    return tut_reader_left(r) == 0 ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

tut_status tut_sanitise_reply_get(tut_span bytes, sanitise_reply *ret, tut_error *err)
{
    tut_reader r = tut_reader_of(bytes);
    *ret = (sanitise_reply){0};
    tut_status status = get_reply(&r, ret);
    return tut_is_ok(status) ? status
                             : tut_fail(err, status.code, "the worker's answer makes no sense");
}

/* --- cutting --- */

typedef struct cutting {
    const tut_sanitise_options *options;
    const sanitise_reply *reply;
    tut_source from;
    int cuts;
    tut_sanitised *result;
    tut_hasher *hasher;
    tut_fs_out *out;
    uint64_t cursor;
} cutting;

static tut_status put(cutting *c, const void *bytes, size_t len, tut_error *err)
{
    tut_span span = tut_span_of(bytes, len);
    c->result->bytes += len;
    TUT_TRY(tut_hasher_add(c->hasher, span, err));
    return tut_fs_out_add(c->out, span, err);
}

static tut_status copy_to(cutting *c, uint64_t end, tut_error *err)
{
    static uint8_t chunk[64 << 10]; /* one at a time */
    while (c->cursor < end) {
        uint64_t left = end - c->cursor;
        size_t len = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
        TUT_TRY(tut_source_read(&c->from, c->cursor, chunk, len, err));
        TUT_TRY(put(c, chunk, len, err));
        c->cursor += len;
    }
    return TUT_SUCCESS;
}

enum { MARK_HEX = 12, VALUE_MOST = 1 << 20 };

/* What people write in different ways is one value: case and the signs between digits do not count.
 */
static tut_status mark(const cutting *c, const sanitise_cut *cut, char hex[MARK_HEX + 1],
                       tut_error *err)
{
    uint8_t digest[32];
    size_t len = (size_t)(cut->end - cut->begin), n = 0, made = 0;
    TUT_AUTO_FREE uint8_t *value = tut_alloc_array(len + 1, 1);
    if (!value)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_source_read(&c->from, cut->begin, value, len, err));
    for (size_t i = 0; i < len; i++) {
        uint8_t b = value[i];
        if (b >= 'A' && b <= 'Z')
            b = (uint8_t)(b + ('a' - 'A'));
        if (b != ' ' && b != '-' && b != '(' && b != ')')
            value[n++] = b;
    }
    if (!EVP_Q_mac(tut_openssl(), "HMAC", NULL, "SHA256", NULL, c->options->key, TUT_SANITISE_KEY,
                   value, n, digest, sizeof(digest), &made) ||
        made != sizeof(digest))
        return tut_fail(err, TUT_CRYPTO, "no pseudonym can be made");
    for (size_t i = 0; i < MARK_HEX / 2; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return TUT_SUCCESS;
}

static tut_status put_instead(cutting *c, const sanitise_cut *cut, tut_error *err)
{
    char text[TUT_TEXT_ID + MARK_HEX + 8], hex[MARK_HEX + 1] = "";
    const char *quote = cut->is_number ? "\"" : "";
    if (cut->kind == SANITISE_UNSEEN) {
        c->result->unseen++;
        return TUT_SUCCESS;
    }
    if (cut->kind == SANITISE_ROW) {
        c->result->rows_left_out++;
        return TUT_SUCCESS;
    }
    if (c->options->key)
        TUT_TRY(mark(c, cut, hex, err));
    int len = snprintf(text, sizeof(text), "%s<%s%s%s>%s", quote, c->reply->kinds[cut->kind],
                       hex[0] ? "-" : "", hex, quote);
    c->result->replaced++;
    return put(c, text, (size_t)len, err);
}

static bool is_sound(const cutting *c, const sanitise_cut *cut)
{
    return cut->begin >= c->cursor && cut->end > cut->begin && cut->end <= c->from.size &&
           (cut->kind < c->reply->kind_count || cut->kind >= SANITISE_UNSEEN) &&
           (cut->kind >= SANITISE_UNSEEN || cut->end - cut->begin <= VALUE_MOST);
}

static tut_status compose(void *ctx, tut_fs_out *out, tut_error *err)
{
    cutting *c = ctx;
    c->out = out;
    for (uint64_t i = 0; i < c->reply->cuts; i++) {
        uint8_t bytes[SANITISE_CUT_BYTES];
        ssize_t n = pread(c->cuts, bytes, sizeof(bytes), (off_t)(i * sizeof(bytes)));
        sanitise_cut cut = tut_sanitise_cut_get(bytes);
        if (n != (ssize_t)sizeof(bytes) || !is_sound(c, &cut))
            return tut_fail(err, TUT_MALFORMED, "the worker's answer makes no sense");
        TUT_TRY(copy_to(c, cut.begin, err));
        TUT_TRY(put_instead(c, &cut, err));
        c->cursor = cut.end;
    }
    TUT_TRY(copy_to(c, c->from.size, err));
    return tut_hasher_finish(c->hasher, &c->result->to, err);
}

/* --- all of it --- */

typedef struct files {
    int in, plain, cuts;
} files;

static void files_done(files *f)
{
    const int fds[] = {f->in, f->plain, f->cuts};
    for (size_t i = 0; i < 3; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

static tut_status open_files(const char *path, files *f, tut_error *err)
{
    struct stat st;
    TUT_TRY(tut_vet_open(path, &f->in, &st, err));
    TUT_TRY(tut_fs_open_nameless(&f->plain, err));
    return tut_fs_open_nameless(&f->cuts, err);
}

typedef struct answer {
    tut_buf reply;
    tut_cage_outcome outcome;
    tut_error error;
} answer;

static tut_status take(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                       const tut_error *error, tut_error *err)
{
    answer *a = ctx;
    (void)tag;
    a->outcome = outcome;
    if (error)
        a->error = *error;
    tut_buf_clear(&a->reply);
    tut_buf_add(&a->reply, reply.data, reply.len);
    return tut_buf_check(&a->reply, err);
}

static tut_status ask(const char *path, const files *f, const tut_source *in, tut_cage_mode sandbox,
                      sanitise_reply *ret, tut_error *err)
{
    TUT_AUTO(tut_cage) cage = NULL;
    answer a = {.reply = TUT_BUF_INIT};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const tut_cage_options how = {.mode = sandbox, .workers = 1};
    const tut_cage_lent lent[] = {
        {.name = SANITISE_IN, .fd = f->in},
        {.name = SANITISE_PLAIN, .fd = f->plain, .is_writable = true},
        {.name = SANITISE_CUTS, .fd = f->cuts, .is_writable = true},
    };
    const tut_cage_request request = {.fd = -1,
                                      .size = in->size,
                                      .sibling_dirfd = -1,
                                      .lent = lent,
                                      .lent_count = 3,
                                      .argument = tut_span_of(name, strlen(name))};
    TUT_TRY(tut_cage_open(tut_sanitise_job, &how, &cage, err));
    tut_status status = tut_cage_submit(cage, &request, take, &a, err);
    if (tut_is_ok(status))
        status = tut_cage_drain(cage, take, &a, err);
    if (tut_is_ok(status) && a.outcome != TUT_CAGE_DONE)
        status = tut_fail(err, a.error.code == TUT_OK ? TUT_BUG : a.error.code, "%s", a.error.text);
    if (tut_is_ok(status))
        status = tut_sanitise_reply_get(tut_buf_span(&a.reply), ret, err);
    tut_buf_done(&a.reply);
    return status;
}

static tut_status run(const char *path, const char *out, const tut_sanitise_options *options,
                      files *f, tut_sanitised *ret, tut_error *err)
{
    TUT_AUTO(tut_hasher) hasher = NULL;
    TUT_AUTO_FREE sanitise_reply *reply = tut_alloc_array(1, sizeof(*reply));
    tut_source in;
    if (!reply)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(open_files(path, f, err));
    TUT_TRY(tut_source_file(f->in, &in, err));
    TUT_TRY(tut_sha256_source(&in, &ret->from, err));
    TUT_TRY(ask(path, f, &in, options->sandbox, reply, err));
    TUT_TRY(tut_hasher_new(&hasher, err));
    cutting c = {.options = options,
                 .reply = reply,
                 .from = in,
                 .cuts = f->cuts,
                 .result = ret,
                 .hasher = hasher};
    if (reply->is_plain)
        TUT_TRY(tut_source_file(f->plain, &c.from, err));
    if (reply->is_plain && c.from.size != reply->plain_bytes)
        return tut_fail(err, TUT_MALFORMED, "the worker's answer makes no sense");
    return tut_fs_write_parts(out, 0600, compose, &c, err);
}

tut_status tut_sanitise(const char *path, const char *out, const tut_sanitise_options *options,
                        tut_sanitised *ret, tut_error *err)
{
    files f = {-1, -1, -1};
    *ret = (tut_sanitised){0};
    char problem[TUT_ERROR_TEXT_MAX] = "";
    TUT_TRY(tut_vet_prepare(TUT_VET_BIT(TUT_VET_PERSONAL), problem, err));
    if (problem[0])
        return tut_fail(err, TUT_UNSUPPORTED, "%s", problem);
    tut_status status = run(path, out, options, &f, ret, err);
    files_done(&f);
    return status;
}
