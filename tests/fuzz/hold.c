/* Files about holds, whatever they hold. The first byte: a hold, which is written again as it was
 * read; a decision's envelope, which nobody here signed; what a decision states, which only that
 * about this very hold may; a list of approvers. */
#include <stdlib.h>

#include "guard/approve.h"
#include "guard/hold_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fixed[] =
    "{\"schema\":\"tutela.hold/1\",\"id\":\"00112233445566778899aabbccddeeff\",\"kind\":\"call\","
    "\"at_ms\":1796000000000,\"expires_ms\":1796000600000,\"digest\":{\"sha256\":"
    "\"1111111111111111111111111111111111111111111111111111111111111111\"},\"policy\":{\"sha256\":"
    "\"2222222222222222222222222222222222222222222222222222222222222222\"},\"nonce\":"
    "\"3333333333333333333333333333333333333333333333333333333333333333\",\"people\":1,\"route\":"
    "\"chat\",\"tool\":\"pay\",\"what\":\"{}\",\"what_bytes\":2,\"reasons\":[],\"sources\":[]}";

static const char approvers[] =
    "{\"schema\":\"tutela.approvers/1\",\"items\":[{\"name\":\"Ada\",\"keys\":[\"-----BEGIN PUBLIC "
    "KEY-----\\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\\n-----END PUBLIC "
    "KEY-----\\n\"]}]}";

static void count(void *ctx, const tut_hold_value *v)
{
    *(size_t *)ctx += v->text.len;
}

static void try_hold(tut_span text)
{
    TUT_CLEAN(tut_hold) h = {0};
    TUT_CLEAN(tut_hold) again = {0};
    TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) two = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sentence = TUT_BUF_INIT;
    size_t bytes = 0;
    if (!tut_is_ok(tut_hold_parse(text, &h, NULL)))
        return;
    tut_hold_sentence(&h, &sentence);
    TUT_IGNORE(tut_hold_values(&h, count, &bytes, NULL));
    if (bytes > h.what.len)
        abort();
    if (!tut_is_ok(tut_hold_json(&h, &one, NULL)) || one.len > TUT_HOLD_FILE_BYTES)
        return;
    if (!tut_is_ok(tut_hold_parse(tut_buf_span(&one), &again, NULL)) ||
        !tut_is_ok(tut_hold_json(&again, &two, NULL)) ||
        !tut_str_eq(tut_buf_str(&one), tut_buf_str(&two)))
        abort();
}

static tut_hold *known_hold(tut_approvers **ret_who)
{
    static tut_hold hold;
    static tut_approvers *who;
    if (!who && (!tut_is_ok(tut_hold_parse(tut_span_of(fixed, sizeof(fixed) - 1), &hold, NULL)) ||
                 !tut_is_ok(tut_approvers_parse(tut_span_of(approvers, sizeof(approvers) - 1), &who,
                                                NULL))))
        abort();
    *ret_who = who;
    return &hold;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_approvers *who;
    tut_hold_decision d = {0};
    const tut_hold *h = known_hold(&who);
    if (size < 1)
        return 0;
    tut_span rest = tut_span_of(data + 1, size - 1);
    tut_str text = tut_str_from(rest);
    size_t at;
    TUT_AUTO(tut_approvers) others = NULL;
    switch (data[0] % 4) {
    case 0:
        try_hold(rest);
        break;
    case 1:
        if (tut_is_ok(tut_hold_check(rest, h, who, &d, NULL)))
            abort();
        break;
    case 2:
        if (tut_is_ok(tut_hold_check_statement(rest, h, &d, NULL)) &&
            (d.expires > h->expires_ms / 1000 || d.at > d.expires ||
             (!tut_str_find(text, tut_str_of(h->id), &at) &&
              !tut_str_find(text, TUT_LIT("\\u"), &at))))
            abort();
        break;
    default:
        TUT_IGNORE(tut_approvers_parse(rest, &others, NULL));
        break;
    }
    return 0;
}
