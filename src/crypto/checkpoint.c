/*
 * C2SP tlog-checkpoint, the text of a log's signed note:
 *   origin LF size LF base64(root) LF (extension LF)*
 * Size is decimal without leading zeros; no line is empty.
 */
#include <inttypes.h>

#include "crypto/base64.h"
#include "crypto/note.h"

static bool take_line(tut_str *text, tut_str *ret_line)
{
    const char *lf = memchr(text->data, '\n', text->len);
    if (!lf)
        return false;
    size_t len = (size_t)(lf - text->data);
    *ret_line = (tut_str){text->data, len};
    *text = (tut_str){lf + 1, text->len - len - 1};
    return len != 0;
}

static bool read_size(tut_str line, uint64_t *ret)
{
    if (line.len > 1 && line.data[0] == '0')
        return false;
    return tut_str_u64(line, ret);
}

static tut_status read_root(tut_str line, tut_sha256 *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_status status = tut_base64_read(line, false, &bytes);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status) || bytes.len != TUT_SHA256_BYTES)
        return tut_fail(err, TUT_MALFORMED,
                        "line 3 of the checkpoint is not the base64 of 32 bytes");
    memcpy(ret->bytes, bytes.data, TUT_SHA256_BYTES);
    return TUT_SUCCESS;
}

static tut_status read_extensions(tut_str text, tut_checkpoint *c, tut_error *err)
{
    while (text.len) {
        tut_str line;
        if (!take_line(&text, &line))
            return tut_fail(err, TUT_MALFORMED, "a line of the checkpoint is empty or has no end");
        if (c->extension_count == TUT_CHECKPOINT_EXTENSIONS_MAX)
            return tut_fail(err, TUT_LIMIT, "the checkpoint has more than %d extension lines",
                            TUT_CHECKPOINT_EXTENSIONS_MAX);
        c->extensions[c->extension_count++] = line;
    }
    return TUT_SUCCESS;
}

tut_status tut_checkpoint_parse(tut_str text, tut_checkpoint *ret, tut_error *err)
{
    tut_checkpoint c = {.size = 0};
    tut_str line;
    if (!take_line(&text, &c.origin))
        return tut_fail(err, TUT_MALFORMED, "the checkpoint does not begin with an origin");
    if (!take_line(&text, &line) || !read_size(line, &c.size))
        return tut_fail(err, TUT_MALFORMED, "line 2 of the checkpoint is not a size in decimal");
    if (!take_line(&text, &line))
        return tut_fail(err, TUT_MALFORMED, "the checkpoint has no root on line 3");
    TUT_TRY(read_root(line, &c.root, err));
    TUT_TRY(read_extensions(text, &c, err));
    *ret = c;
    return TUT_SUCCESS;
}

/* A line break inside a line would make another checkpoint of it. */
static void add_line(tut_buf *out, tut_str line)
{
    if ((line.len == 0 || memchr(line.data, '\n', line.len)) && out->failed == TUT_OK)
        out->failed = TUT_BUG;
    tut_buf_add_str(out, line);
    tut_buf_add_byte(out, '\n');
}

void tut_checkpoint_write(const tut_checkpoint *c, tut_buf *out)
{
    add_line(out, c->origin);
    tut_buf_printf(out, "%" PRIu64 "\n", c->size);
    tut_base64_add(out, tut_span_of(c->root.bytes, TUT_SHA256_BYTES));
    tut_buf_add_byte(out, '\n');
    for (size_t i = 0; i < c->extension_count; i++)
        add_line(out, c->extensions[i]);
}
