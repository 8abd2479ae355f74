#include "ledger/witness_request.h"

#include "base/limits.h"
#include "crypto/dsse.h"

/* Takes a line off `rest`, without its LF. */
static bool take_line(tut_str *rest, tut_str *ret_line)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end)
        return false;
    *ret_line = (tut_str){rest->data, (size_t)(end - rest->data)};
    *rest = (tut_str){end + 1, rest->len - ret_line->len - 1};
    return true;
}

bool tut_witness_size(tut_str text, uint64_t *ret_size)
{
    if (text.len > 1 && text.data[0] == '0')
        return false;
    return tut_str_u64(text, ret_size) && *ret_size <= INT64_MAX;
}

static tut_status read_hash(tut_str line, tut_sha256 *ret_hash, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (line.len > 64 || !tut_is_ok(tut_base64_read(line, false, &bytes)) ||
        bytes.len != TUT_SHA256_BYTES)
        return tut_fail(err, TUT_MALFORMED, "a line of the consistency proof is no SHA-256");
    memcpy(ret_hash->bytes, bytes.data, TUT_SHA256_BYTES);
    return TUT_SUCCESS;
}

tut_status tut_witness_request_read(tut_span body, tut_witness_request *ret_request, tut_error *err)
{
    if (body.len > TUT_LIMIT_WITNESS_REQUEST_BYTES)
        return tut_fail(err, TUT_LIMIT, "the request is too large (at most %u bytes)",
                        TUT_LIMIT_WITNESS_REQUEST_BYTES);
    tut_witness_request r = {0};
    tut_str rest = tut_str_from(body);
    tut_str line;
    if (!take_line(&rest, &line) || !tut_str_starts(line, TUT_LIT("old ")) ||
        !tut_witness_size((tut_str){line.data + 4, line.len - 4}, &r.old_size))
        return tut_fail(err, TUT_MALFORMED, "the first line is not \"old\" and a size");
    for (;;) {
        if (!take_line(&rest, &line))
            return tut_fail(err, TUT_MALFORMED, "no empty line ends the consistency proof");
        if (line.len == 0)
            break;
        if (r.proof_count == TUT_WITNESS_PROOF_MAX)
            return tut_fail(err, TUT_MALFORMED, "the consistency proof has more than %d lines",
                            TUT_WITNESS_PROOF_MAX);
        TUT_TRY(read_hash(line, &r.proof[r.proof_count], err));
        r.proof_count++;
    }
    r.checkpoint = rest;
    *ret_request = r;
    return TUT_SUCCESS;
}

tut_status tut_witness_request_write(const tut_witness_request *request, tut_buf *out,
                                     tut_error *err)
{
    tut_buf_printf(out, "old %llu\n", (unsigned long long)request->old_size);
    for (size_t i = 0; i < request->proof_count; i++) {
        tut_base64_add(out, tut_span_of(request->proof[i].bytes, TUT_SHA256_BYTES));
        tut_buf_add_byte(out, '\n');
    }
    tut_buf_add_byte(out, '\n');
    tut_buf_add_str(out, request->checkpoint);
    return tut_buf_check(out, err);
}
