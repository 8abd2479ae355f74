/* What a system of texts says, read from JSON that nobody trusts. Each fills what tut_said_begin
 * has begun. */
#ifndef TUT_PROBE_TARGET_SAID_H
#define TUT_PROBE_TARGET_SAID_H

#include "probe/target_internal.h"

/* OpenAI's answer to chat or completions. What is none is TUT_FAILED, with the reason. */
TUT_MUST tut_status target_said_openai(tut_said *s, const tut_asked *asked, tut_span answer,
                                       bool is_chat, tut_error *err);
/* An answer with another status than 200: refused below 500 (but 429), else failed. */
TUT_MUST tut_status target_said_refusal(tut_said *s, tut_span answer, tut_error *err);
/* No answer at all, or none that is whole. */
TUT_MUST tut_status target_said_failed(tut_said *s, tut_span answer, const char *problem,
                                       tut_error *err);
/* {"text", "tool_calls", "logprobs", "refused"} as a command answers. */
TUT_MUST tut_status target_said_command(tut_said *s, const tut_asked *asked,
                                        const tut_json_value *line, tut_error *err);

#endif
