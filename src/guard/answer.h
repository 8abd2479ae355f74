/*
 * An answer, piece by piece as it comes from the model server: what may be handed on to the client,
 * by the same policy whether it is one JSON document, a stream of events or plain text.
 *
 * A JSON document is read whole and then handed on; of a stream each event is, but for the words
 * that a text keeps back (text.h) and for tool calls: from the first piece of a call on events wait
 * until the call is whole and has been judged.
 */
#ifndef TUT_GUARD_ANSWER_H
#define TUT_GUARD_ANSWER_H

#include "guard/request.h"

typedef struct tut_guard_answer tut_guard_answer;

/* The request must outlive it. What is wrong with the head is in the decision. */
TUT_MUST tut_status tut_guard_answer_new(const tut_guard_request *request,
                                         const tut_guard_head *head, tut_guard_answer **ret_answer,
                                         tut_error *err);
void tut_guard_answer_free(tut_guard_answer *a);
TUT_DEFINE_AUTO(tut_guard_answer)
/* No check of the route looks into it: its bytes go on as they come, by feed or past it; what goes
 * past is told by tut_guard_answer_pass. LIMIT when it is longer than an answer of the route may
 * be. */
bool tut_guard_answer_is_passed(const tut_guard_answer *a);
TUT_MUST tut_status tut_guard_answer_pass(tut_guard_answer *a, size_t len, tut_error *err);
/* The whole of an answer, before anything of it was fed: true where it is one of those after all.
 */
bool tut_guard_answer_may_pass(tut_guard_answer *a, tut_span whole);
/* Adds to out what may go on. After a failure nothing more may. */
TUT_MUST tut_status tut_guard_answer_feed(tut_guard_answer *a, tut_span piece, tut_buf *out,
                                          tut_error *err);
TUT_MUST tut_status tut_guard_answer_end(tut_guard_answer *a, tut_buf *out, tut_error *err);
const tut_guard_decision *tut_guard_answer_decision(const tut_guard_answer *a);
/* Tools that the answer called, each once. */
size_t tut_guard_answer_tools(const tut_guard_answer *a, const tut_str **ret_names);

/*
 * Where a call, or a text by its check, waits for a person. Without tut_guard_answer_can_wait the
 * answer ends with a refusal there. With it, nothing more is handed on, what comes meanwhile is
 * kept (held_bytes of the route), and tut_guard_answer_release ends the wait: with the bytes as if
 * the call had been allowed, or with the refusal. Another call may have to wait behind it. Release
 * may come before or after the end of the answer.
 */
typedef struct tut_guard_held {
    tut_str tool, arguments; /* JSON, or the text of a custom tool; tool empty: bytes of the answer
                                itself, in which something was found that a person judges */
    const char *type;        /* class of the tool; NULL: it is not declared */
    const char *source;      /* of the request: "messages[3].content"; NULL: nothing taints it */
    const char *reason;      /* a few words */
    int64_t choice, index;   /* which call of the answer */
} tut_guard_held;
void tut_guard_answer_can_wait(tut_guard_answer *a);
/* A person has thrown the stop switch: nothing more of it is handed on, in monitor mode too. */
void tut_guard_answer_stop(tut_guard_answer *a);
bool tut_guard_answer_is_waiting(const tut_guard_answer *a);
/* What the client gets is the refusal: blocked, or held and never released. */
bool tut_guard_answer_is_refused(const tut_guard_answer *a);
/* Calls that waited or wait, in order. */
size_t tut_guard_answer_held(const tut_guard_answer *a, const tut_guard_held **ret_held);
TUT_MUST tut_status tut_guard_answer_release(tut_guard_answer *a, bool is_approved, tut_buf *out,
                                             tut_error *err);

/* Tokens that the server says it took; false: it did not say. */
bool tut_guard_answer_usage(const tut_guard_answer *a, uint64_t *ret_in, uint64_t *ret_out);

/* {"error": {...}}: what a client gets in the place of what it asked for. */
void tut_guard_refusal(const tut_guard_decision *d, tut_buf *out);

#endif
