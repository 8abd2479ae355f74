/* An answer's inside, shared by answer*.c, sse.c and taint.c. */
#ifndef TUT_GUARD_ANSWER_INTERNAL_H
#define TUT_GUARD_ANSWER_INTERNAL_H

#include "guard/answer.h"
#include "guard/protocol.h"

enum { TUT_GUARD_KEY = 160 };

typedef struct tut_guard_channel { /* a text that comes in pieces */
    char key[TUT_GUARD_KEY];       /* "choices#0.delta.content" */
    int64_t choice;                /* index of the choice; -1: of a response */
    tut_str field;                 /* "content" */
    tut_json_doc *last;            /* of a response: the event that began it; names its item */
    tut_guard_text text;
    tut_buf whole; /* structured output, until it is whole */
    bool is_structured;
} tut_guard_channel;

typedef struct tut_guard_call { /* a tool call under way */
    int64_t choice, index;
    tut_buf name, arguments;
    bool is_text; /* it takes text, not JSON */
} tut_guard_call;

/* Events of a stream that differ in the text they add and in nothing else: what stands before and
 * behind that text, as it came and as it goes on. */
typedef struct tut_guard_same {
    tut_buf before, behind, out_before, out_behind;
    tut_str name;
    tut_guard_channel *channel;
    uint64_t scanned; /* bytes of the other texts of the event */
} tut_guard_same;

enum { TUT_GUARD_SAMES = 4, TUT_GUARD_KNOWN = 12 };

typedef struct tut_sse { /* lines of a stream of events */
    tut_buf line, event, data;
    bool was_return, has_data;
} tut_sse;

typedef enum tut_answer_kind {
    TUT_ANSWER_JSON,
    TUT_ANSWER_EVENTS,
    TUT_ANSWER_TEXT
} tut_answer_kind;

struct tut_guard_answer {
    const tut_guard_request *request;
    tut_answer_kind kind;
    tut_guard_look look;
    tut_arena arena;
    tut_buf body;  /* JSON that is not whole */
    uint64_t read; /* bytes of the answer */
    tut_sse sse;
    tut_guard_text text;
    tut_guard_text whole; /* for texts that do not come in pieces */
    tut_guard_leak leak;
    tut_guard_channel **channels;
    size_t channel_count, channel_capacity;
    tut_guard_call **calls;
    size_t call_count, call_capacity;
    tut_buf waiting;                   /* events behind a call under way */
    tut_buf piece, json, ready, plain; /* of the event that is being written */
    tut_json *writer;
    unsigned pieces; /* texts of it that add to what came before; the last of them: */
    tut_guard_channel *last_channel;
    tut_guard_same same[TUT_GUARD_SAMES];
    size_t same_count, same_tries;
    bool has_begun;                 /* an event was there; the first seldom is like the others */
    tut_str known[TUT_GUARD_KNOWN]; /* names and ids that were looked at, and are clean */
    size_t known_count;
    tut_buf later;                 /* what came while a person decides */
    struct tut_guard_taint *taint; /* NULL until the first call */
    tut_guard_held *held;
    size_t held_count, held_capacity;
    bool has_call, is_over;
    bool is_passed;   /* nothing is asked of it */
    bool is_unread;   /* nothing, where it holds no call */
    bool is_waiting;  /* for a person */
    uint32_t holds;   /* of the decision, that somebody was asked about */
    bool can_release; /* whoever reads the answer hands it on when it is released */
    bool has_ended;   /* meanwhile */
    uint64_t tokens_in, tokens_out;
    const tut_json_value *schema; /* of the text; NULL: none */
    tut_json_doc *schema_doc;     /* where it is the route's */
    bool is_any_object;           /* any object is of it */
    tut_str id, model, object;    /* of the events, for those that are added */
    int64_t created;
    tut_str *tools;
    size_t tool_count, tool_capacity;
    tut_guard_decision decision; /* the last: its lists are not zeroed */
};

/* Blocked, or waiting for a person: nothing more goes on. */
bool tut_answer_is_stopped(const tut_guard_answer *a);
/* A text that is there at once. */
TUT_MUST tut_status tut_answer_whole(tut_guard_answer *a, const char *where, tut_str text,
                                     tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_answer_whole_at(tut_guard_answer *a, const tut_guard_way *way, tut_str text,
                                        tut_buf *out, tut_error *err);
/* answer_event.c: one event, or the whole document. */
TUT_MUST tut_status tut_answer_event(tut_guard_answer *a, tut_str name, tut_str data, tut_buf *out,
                                     tut_error *err);
TUT_MUST tut_status tut_answer_document(tut_guard_answer *a, tut_str json, tut_buf *out,
                                        tut_error *err);
/* answer_hold.c: where something was found for which a person is asked, what was added to `out`
 * from `from` on waits, for it is shown to him. */
TUT_MUST tut_status tut_answer_hold(tut_guard_answer *a, tut_buf *out, size_t from, tut_error *err);
/* One of the things that wait; copied. */
TUT_MUST tut_status tut_answer_keep_held(tut_guard_answer *a, const tut_guard_held *held,
                                         tut_error *err);
/* What waited, unless it has to wait on. */
void tut_answer_pass_on(tut_guard_answer *a, tut_buf *out);
void tut_answer_frame(tut_str name, tut_str json, tut_buf *out);
/* How much there was to tell so far. */
size_t tut_answer_findings(const tut_guard_answer *a);
/* answer_write.c: fills a->json. */
TUT_MUST tut_status tut_answer_write(tut_guard_answer *a, const tut_json_value *event,
                                     tut_error *err);
bool tut_answer_is_plain(tut_str text);
/* The same of a document, but where nothing of it has to be changed: false, and a->json is empty.
 * may_call: there may be calls in it, whose parts are judged as such. */
TUT_MUST tut_status tut_answer_write_document(tut_guard_answer *a, const tut_json_value *root,
                                              bool may_call, bool *ret_is_changed, tut_error *err);
/* walk_edit.c: visits, and writes only where the visitor changed something. */
TUT_MUST tut_status tut_guard_walk_edit(const tut_json_value *root, tut_guard_visit visit,
                                        void *ctx, tut_buf *out, bool *ret_is_changed,
                                        tut_error *err);
TUT_MUST tut_status tut_answer_keep_whole(tut_guard_answer *a, tut_guard_channel *c, bool is_end,
                                          tut_error *err);
bool tut_answer_choice_ends(const tut_json_value *event, int64_t choice);
/* answer_same.c: hands on an event that is the same as one before but for its text; learns from an
 * event that told nothing. */
TUT_MUST tut_status tut_answer_same(tut_guard_answer *a, tut_str name, tut_str data, tut_buf *out,
                                    bool *ret_is_done, tut_error *err);
TUT_MUST tut_status tut_answer_learn(tut_guard_answer *a, tut_str name, tut_str data,
                                     const tut_json_value *event, uint64_t scanned, tut_error *err);
void tut_guard_same_done(tut_guard_same *s);
/* The rest of every text, and the calls that never ended. */
TUT_MUST tut_status tut_answer_flush(tut_guard_answer *a, tut_buf *out, tut_error *err);
/* answer_pass.c: how much of it has to be read. */
void tut_answer_begin_pass(tut_guard_answer *a);
void tut_answer_note_pass(tut_guard_answer *a);
/* False: whoever reads these bytes as JSON finds no call of a tool in them. */
bool tut_answer_may_call(tut_str json);
/* answer_call.c */
TUT_MUST tut_status tut_answer_collect(tut_guard_answer *a, const tut_json_value *event,
                                       tut_error *err);
TUT_MUST tut_status tut_answer_end_item(tut_guard_answer *a, const tut_json_value *event,
                                        tut_error *err);
TUT_MUST tut_status tut_answer_judge_calls(tut_guard_answer *a, int64_t choice, tut_error *err);
bool tut_answer_has_call(const tut_json_value *event);
/* taint.c: a text of the arguments that only tool results and documents hold; *ret_source: where
 * that stands, where it makes the call wait. */
TUT_MUST tut_status tut_answer_taint(tut_guard_answer *a, const tut_guard_tool *tool, tut_str text,
                                     const char *where, const char **ret_source, tut_error *err);
/* The same of a number. */
TUT_MUST tut_status tut_answer_taint_number(tut_guard_answer *a, const tut_guard_tool *tool,
                                            double value, const char *where,
                                            const char **ret_source, tut_error *err);
typedef struct tut_guard_taint tut_guard_taint;
void tut_guard_taint_free(tut_guard_taint *t);
/* Calls that follow what a detector took for orders inside data. */
TUT_MUST tut_status tut_answer_taint_all(tut_guard_answer *a, const tut_guard_tool *tool,
                                         const char *where, const char **ret_source,
                                         tut_error *err);
/* answer_numbers.c. A tensor's data, or the probabilities of tokens, as they may be known: in
 * a->piece where that is something else. */
void tut_answer_note_usage(tut_guard_answer *a, const tut_json_value *event);
TUT_MUST tut_status tut_answer_tensor(tut_guard_answer *a, const tut_json_value *tensor,
                                      const tut_json_value *data, bool *ret_is_changed,
                                      tut_error *err);
TUT_MUST tut_status tut_answer_logprobs(tut_guard_answer *a, const tut_json_value *value,
                                        bool *ret_is_changed, tut_error *err);
/* answer_schema.c */
TUT_MUST tut_status tut_answer_find_schema(tut_guard_answer *a, tut_error *err);
bool tut_answer_has_schema(const tut_guard_answer *a);
/* Nothing of the text goes on before it was checked. */
bool tut_answer_keeps_whole(const tut_guard_answer *a);
TUT_MUST tut_status tut_answer_check_schema(tut_guard_answer *a, tut_str text, const char *where,
                                            tut_error *err);
/* sse.c: what a piece completes. */
TUT_MUST tut_status tut_sse_feed(tut_guard_answer *a, tut_span piece, size_t *ret_read,
                                 tut_buf *out, tut_error *err);

#endif
