/* By the first byte: 'p' a policy, a NUL, and a checkpoint to hold against it; 'r' a request, which
 * must come back as it was; 'a' a request to a witness. `test_witness --seeds DIR` wrote the seeds.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/witness.h"
#include "ledger/witness_policy.h"
#include "ledger/witness_request.h"

/* Of a key that signed the seeds and is gone. */
static const char log_vkey[] =
    "example.com/log+71b7c7ae+Abm+3p+tzNEOzTj3RYrZV0d+nMcdm15z+PfzT1niEJRW";

static void try_policy(tut_span input)
{
    const uint8_t *end = input.len ? memchr(input.data, 0, input.len) : NULL;
    size_t len = end ? (size_t)(end - input.data) : input.len;
    tut_witness_policy *p = NULL;
    tut_witness_verdict v;
    if (!tut_is_ok(tut_witness_policy_read(tut_span_of(input.data, len), &p, NULL)))
        return;
    bool all[TUT_POLICY_WITNESSES_MAX];
    memset(all, true, sizeof(all));
    if (!tut_witness_policy_met(p, all))
        __builtin_trap(); /* a policy that nobody can meet is no policy */
    if (end)
        TUT_IGNORE(tut_witness_policy_check(
            p, (tut_str){(const char *)end + 1, input.len - len - 1}, &v, NULL));
    tut_witness_policy_free(p);
}

static void try_request(tut_span input)
{
    tut_witness_request r;
    tut_buf back = TUT_BUF_INIT;
    if (!tut_is_ok(tut_witness_request_read(input, &r, NULL)))
        return;
    if (!tut_is_ok(tut_witness_request_write(&r, &back, NULL)) || back.len != input.len ||
        memcmp(back.data, input.data, back.len) != 0)
        __builtin_trap();
    tut_buf_done(&back);
}

static tut_witness *the_witness(void)
{
    static tut_witness *w;
    static tut_key *key;
    static char dir[] = "/tmp/tutela-fuzz-witness-XXXXXX";
    tut_verifier log;
    if (w)
        return w;
    if (!mkdtemp(dir) || !tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)) ||
        !tut_is_ok(tut_verifier_parse(tut_str_of(log_vkey), &log, NULL)))
        abort();
    tut_witness_options o = {
        .dir = dir, .name = "w.example", .key = key, .logs = &log, .log_count = 1};
    if (!tut_is_ok(tut_witness_open(&o, &w, NULL)))
        abort();
    tut_verifier_done(&log);
    return w;
}

static void try_witness(tut_span input)
{
    tut_witness_answer a;
    tut_witness_add_checkpoint(the_witness(), input, &a);
    if (a.status < 200 || a.status >= 500)
        __builtin_trap(); /* nothing in a request is our own failure */
    tut_witness_answer_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    tut_span rest = tut_span_of(data + 1, size - 1);
    if (data[0] == 'p')
        try_policy(rest);
    else if (data[0] == 'r')
        try_request(rest);
    else if (data[0] == 'a')
        try_witness(rest);
    return 0;
}
