/* What a service or a command answers to a probe: it is taken, or failed with a reason; the first
 * byte says which reader has it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "probe/target_http.h"
#include "probe/target_numbers.h"
#include "probe/target_said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static bool lies_in(const tut_said *s, tut_str text)
{
    const char *begin = (const char *)s->body.data;
    return text.len == 0 || (text.data >= begin && text.data + text.len <= begin + s->body.cap);
}

static void hear_text(unsigned way, tut_span answer)
{
    TUT_CLEAN(tut_said) said = {.status = 200};
    const tut_asked asked = {.messages = TUT_LIT("\"one two\""), .wants_echo = way & 2};
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error err = {0};
    demand(tut_is_ok(tut_said_begin(&said, answer, &err)));
    if (way < 4) {
        demand(tut_is_ok(target_said_openai(&said, &asked, answer, way & 1, &err)));
    } else if (way == 4) {
        said.status = 403;
        demand(tut_is_ok(target_said_refusal(&said, answer, &err)));
        demand(said.answered == TUT_REFUSED);
    } else {
        if (!tut_is_ok(tut_json_parse(answer, NULL, &doc, &err)))
            return;
        demand(tut_is_ok(target_said_command(&said, &asked, tut_json_root(doc), &err)));
    }
    demand(said.answered != TUT_FAILED || said.reason.len > 0);
    demand(lies_in(&said, said.text) && lies_in(&said, said.reason));
    for (size_t i = 0; i < said.call_count; i++)
        demand(lies_in(&said, said.calls[i].name) && lies_in(&said, said.calls[i].arguments));
    for (size_t i = 0; i < said.logprob_count; i++)
        demand(said.logprobs[i] <= 0 && !(said.relative && isinf(said.relative[i])));
}

static void take_numbers(bool are_labels, tut_span answer)
{
    tut_target t = {.facts = {.gives = TUT_GIVES_PROBABILITIES}};
    target_numbers n = {.width = 0};
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_predictions) p = {.count = 2};
    double *values = NULL;
    if (!tut_is_ok(tut_json_parse(answer, NULL, &doc, NULL)))
        return;
    p.answered = tut_alloc_array(2, 1);
    demand(p.answered && tut_is_ok(target_numbers_begin(&n, &t, &p, NULL)));
    for (unsigned again = 0; again < 2; again++) {
        if (!target_numbers_take(&n, &t, &p, tut_json_root(doc), 2, are_labels, &values)) {
            demand(p.problem[0] != '\0' && again == 0);
            break;
        }
        for (size_t i = 0; i < 2; i++) {
            p.answered[i] = TUT_ANSWERED;
            target_numbers_put(&n, &p, i, values, i);
        }
    }
    demand(tut_is_ok(target_numbers_end(&n, &t, &p, NULL)));
    for (size_t i = 0; p.values && i < 2 * p.classes; i++)
        demand(p.values[i] >= -1e-5 && p.values[i] <= 1 + 1e-5);
    tut_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_CLEAN(tut_buf) reason = TUT_BUF_INIT;
    if (size == 0)
        return 0;
    tut_span answer = {data + 1, size - 1};
    unsigned way = data[0] % 8;
    if (way < 6)
        hear_text(way, answer);
    else
        take_numbers(way == 7, answer);
    http_reason(answer, &reason);
    return 0;
}
