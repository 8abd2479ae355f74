/*
 * A request, whole: refused unless the policy names its route, method, type, model and tools; then
 * taken apart into texts, each with who says it and where it stands.
 */
#ifndef TUT_GUARD_REQUEST_H
#define TUT_GUARD_REQUEST_H

#include "base/json.h"
#include "detect/cache.h"
#include "guard/text.h"
#include "guard/walk.h"

typedef enum tut_guard_role {
    TUT_ROLE_NONE,   /* no text: a name, a number, a setting */
    TUT_ROLE_SYSTEM, /* never scored as a user's text */
    TUT_ROLE_USER,
    TUT_ROLE_ASSISTANT,
    TUT_ROLE_TOOL,     /* what a tool answered */
    TUT_ROLE_DOCUMENT, /* what was retrieved */
    TUT_ROLE_TOOL_DEFINITION,
    TUT_ROLE_CALL, /* arguments of a call that was made before */
    TUT_ROLE_NAME, /* of a file */
    TUT_GUARD_ROLE_COUNT
} tut_guard_role;
const char *tut_guard_role_name(tut_guard_role r); /* "tool-definition" */
/* Text of outsiders, that reached the system through a tool or a search. */
static inline bool tut_role_is_untrusted(tut_guard_role r)
{
    return r == TUT_ROLE_TOOL || r == TUT_ROLE_DOCUMENT;
}
/* What a detector takes for data: no user and no system wrote it to be obeyed. */
static inline bool tut_role_is_data(tut_guard_role r)
{
    return tut_role_is_untrusted(r) || r == TUT_ROLE_TOOL_DEFINITION || r == TUT_ROLE_CALL ||
           r == TUT_ROLE_NAME;
}

typedef struct tut_guard_segment {
    tut_guard_role role;
    tut_str text;      /* lives as long as the request; made safe where the route asks for it */
    tut_str raw;       /* as it came */
    const char *where; /* "messages[2].content" */
    double score;      /* of the injection checks; -1: not scored */
    bool is_suspect;   /* of which something was told */
} tut_guard_segment;

/* How much a text looks like an instruction against the system: 0 to 1; why is a few words for
 * people. Tests put one in the place of the detector. */
typedef tut_status (*tut_guard_scorer)(void *ctx, tut_guard_role role, tut_str text,
                                       double *ret_score, char *why, size_t why_cap,
                                       tut_error *err);

typedef struct tut_guard_engine tut_guard_engine; /* what no policy changes: rules and model */

/* What requests and answers of one thread share. */
typedef struct tut_guard {
    const tut_guard_policy *policy;
    tut_guard_engine *engine; /* shared */
    tut_text_scanner *scanner;
    tut_guard_kinds kinds;
    tut_detector *detector; /* NULL: no route asks for the injection checks */
    tut_detect_cache *verdicts;
    tut_guard_scorer score; /* NULL: the detector */
    void *score_ctx;
    struct tut_access *access; /* borrowed; NULL: clients are named, not looked up (access.h) */
} tut_guard;
/* Of one thread. The policy is borrowed. */
TUT_MUST tut_status tut_guard_open(const tut_guard_policy *policy, tut_guard *ret_guard,
                                   tut_error *err);
/* With the rules and the model of another guard of the same thread, or NULL, which may end first.
 */
TUT_MUST tut_status tut_guard_open_beside(const tut_guard_policy *policy, const tut_guard *beside,
                                          tut_guard *ret_guard, tut_error *err);
void tut_guard_done_with(tut_guard *g);

typedef struct tut_guard_head { /* of a request or an answer; empty where it was absent */
    tut_str method, path, content_type, content_encoding, upgrade, client;
    unsigned status; /* of an answer */
} tut_guard_head;

typedef struct tut_guard_cut { /* of a text: what does not go on */
    size_t segment, begin, end;
    const char *label; /* constant */
} tut_guard_cut;

typedef struct tut_guard_request {
    const tut_guard *guard;
    const tut_guard_route *route;    /* NULL: none matched */
    const tut_guard_client *client;  /* NULL: the policy names none */
    const tut_guard_setting *checks; /* of the route, or the client's own; NULL: no route matched */
    tut_guard_limits limits;         /* of the route, and of the client where that is stricter */
    tut_guard_outputs outputs; /* of the route, or coarser where a client probes it (abuse.h) */
    tut_str model;
    bool is_stream, is_enforced;
    tut_arena arena;
    tut_buf body; /* of raw text */
    tut_json_doc *doc;
    tut_guard_segment *segments;
    size_t segment_count, segment_capacity;
    tut_str *tools; /* that the request offers to the model */
    size_t tool_count, tool_capacity;
    tut_guard_cut *cuts;
    size_t cut_count, cut_capacity;
    bool counts_tokens;          /* whoever reads the answer wants its usage; set before forward */
    bool adds_usage;             /* it is asked for upstream, and was not by the client */
    size_t scored;               /* segments that the detector is done with */
    bool is_approved;            /* by a person, where it was held */
    bool is_under_way;           /* the next one has been begun */
    tut_guard_decision decision; /* the last: its lists are not zeroed */
} tut_guard_request;

/* What is wrong with the request is in its decision; a failure means that no decision could be
 * made, and the request must not go on. Heads and body are copied where they are kept. */
TUT_MUST tut_status tut_guard_request_read(const tut_guard *g, const tut_guard_head *head,
                                           tut_span body, tut_guard_request **ret_request,
                                           tut_error *err);
/*
 * The same in steps, so that nobody waits for a long request: begin reads it and looks for all but
 * injections; a step scores about max_bytes of its texts (16 kB: a third of a millisecond), and a
 * request is decided when it is done. Requests of one guard may be under way side by side only
 * where each is finished before the next is begun, as they share one detector; one that is given up
 * is freed.
 */
TUT_MUST tut_status tut_guard_request_begin(const tut_guard *g, const tut_guard_head *head,
                                            tut_span body, tut_guard_request **ret_request,
                                            tut_error *err);
TUT_MUST tut_status tut_guard_request_step(tut_guard_request *r, size_t max_bytes,
                                           bool *ret_is_done, tut_error *err);
/* A person has decided about a request that is held: approved, it may go on (whoever asks for its
 * answer does so as for any other); else it is refused. */
TUT_MUST tut_status tut_guard_request_release(tut_guard_request *r, bool is_approved,
                                              tut_error *err);
/* Neither refused nor waiting for a person. */
bool tut_guard_request_may_go(const tut_guard_request *r);
/* The body that goes on upstream: false and nothing where it is the one that came, else a new one
 * (redacted, made safe, data marked, usage asked for). */
TUT_MUST tut_status tut_guard_request_forward(tut_guard_request *r, tut_buf *out, bool *ret_changed,
                                              tut_error *err);
void tut_guard_request_free(tut_guard_request *r);
TUT_DEFINE_AUTO(tut_guard_request)

/* For protocols: a tool that the request offers. */
TUT_MUST tut_status tut_guard_request_tool(tut_guard_request *r, tut_str name);
/* A kind of content that the policy has to name to let it pass. */
void tut_guard_request_unscanned(tut_guard_request *r, const char *kind, const tut_guard_way *way);
/* "application/json; charset=utf-8" is of this type. */
bool tut_guard_is_type(tut_str content_type, const char *type);

#endif
