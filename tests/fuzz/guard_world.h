/* One policy for the fuzz targets of the guard: every protocol, tools of two classes, a canary. */
#ifndef TUT_GUARD_WORLD_H
#define TUT_GUARD_WORLD_H

#include <stdlib.h>

#include "guard/answer.h"

static const char guard_world[] =
    "schema: tutela.system/1\nsystem:\n  name: f\nguard:\n  canaries:\n    - zebra quartz 7731\n"
    "  tools:\n    - name: look_up\n      class: read\n    - name: send_mail\n      class: send\n"
    "  routes:\n"
    "    - id: a\n      path: /0\n      protocol: openai-chat\n"
    "    - id: b\n      path: /1\n      protocol: openai-completions\n"
    "    - id: c\n      path: /2\n      protocol: openai-responses\n"
    "    - id: d\n      path: /3\n      protocol: openai-embeddings\n"
    "    - id: e\n      path: /4\n      protocol: kserve-v2\n      tensors:\n"
    "        - name: x\n          datatype: FP32\n          shape:\n            - \"-1\"\n"
    "    - id: f\n      path: /5\n      protocol: text\n"
    "    - id: g\n      path: /6\n      protocol: anthropic-messages\n"
    "    - id: h\n      path: /7\n      protocol: openai-chat\n      spotlight: mark\n"
    "      count_tokens: on\n      outputs:\n        round: 2\n        top_k: 1\n      checks:\n"
    "        secrets_in: redact\n        personal_in: redact\n        prompt_leak: redact\n"
    "        logprobs: allow\n        injection: flag\n        injection_data: flag\n"
    "      answer_schema: '{\"type\": \"object\"}'\n";

static tut_guard_policy guard_policy;
static tut_guard guard;

static inline void guard_open_world(void)
{
    static tut_system *system;
    if (system)
        return;
    if (!tut_is_ok(tut_system_parse(".", "t", tut_str_of(guard_world), &system, NULL, NULL)) ||
        !tut_is_ok(tut_guard_policy_read(system, &guard_policy, NULL, NULL)) ||
        !tut_is_ok(tut_guard_open(&guard_policy, &guard, NULL)))
        abort();
}

static inline tut_guard_request *guard_ask(char route, tut_span body)
{
    char path[3] = {'/', (char)('0' + (uint8_t)route % 8), '\0'};
    tut_guard_request *r = NULL;
    tut_guard_head head = {.method = TUT_LIT("POST"),
                           .path = tut_str_of(path),
                           .content_type = path[1] == '5' ? TUT_LIT("text/plain")
                                                          : TUT_LIT("application/json")};
    if (!tut_is_ok(tut_guard_request_read(&guard, &head, body, &r, NULL)))
        abort();
    return r;
}

#endif
