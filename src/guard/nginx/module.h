/*
 * The guard as an nginx module: the only code that knows nginx. It asks the library (guard/) what
 * to do with each request and answer, and does it; no rule of the policy is decided here.
 *
 *   module.c   directives, what a worker has, its begin and end
 *   access.c   the access phase: the body, the decision, step by step where it is long
 *   gate.c     before that: the form, who asks, how much he may
 *   pass.c     answers that nothing looks into
 *   filter.c   the answer: headers and body on their way to the client
 *   out.c      its buffers
 *   reply.c    what the guard answers itself
 *   audit.c    events to the ledger, and what waits for it
 *   bodies.c   requests and answers that are kept, sealed
 *   limits.c   clients that take their time, or send too much
 *   trace.c    trace context, and the variables of nginx's configuration
 *   wait.c     what waits for a person
 */
#ifndef TUT_GUARD_NGINX_MODULE_H
#define TUT_GUARD_NGINX_MODULE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "guard/abuse.h"
#include "guard/answer.h"
#include "guard/exchange.h"
#include "guard/live.h"
#include "guard/quota.h"
#include "ledger/feed.h"

extern ngx_module_t ngx_http_tutela_module;

typedef struct guard_conf { /* of http{} */
    ngx_str_t dir;          /* .tutela/guard */
} guard_conf;

typedef struct guard_place { /* of a location */
    ngx_flag_t is_on;
    ngx_flag_t is_for_strangers; /* nginx sends requests here whose certificate it does not take */
} guard_place;

typedef struct guard_worker {
    bool is_ready; /* false: everything is refused */
    char dir[1024];
    char why[256]; /* it is not ready, or keeps an older policy */
    tut_live *live;
    uint64_t changes; /* of the live map, as last looked at */
    tut_inforce *inforce;
    unsigned routes[TUT_LIVE_NAMES]; /* places of the policy's routes in the live map */
    tut_exchange_keys *keys;
    uint8_t random[4096]; /* of which so many bytes are left, for the numbers of exchanges */
    size_t random_left;
    tut_feed *feed;
    tut_bodies *bodies;
    ngx_connection_t *link; /* of the feed's descriptor */
    int link_fd;
    ngx_event_t tick;
    ngx_queue_t waiting; /* exchanges whose last byte waits for the ledger */
    ngx_queue_t scored;  /* long requests, the first of which is scored step by step */
    ngx_event_t step;
    ngx_queue_t held; /* exchanges that wait for a person */
    ngx_event_t look;
    uint64_t decisions; /* of the live map, as last looked at */
    bool looks_again;   /* a decision is there that does not count yet */
    ngx_queue_t all;    /* exchanges; looked at once a second */
    ngx_event_t slow;
    int64_t looked_ms;
} guard_worker;
extern guard_worker tut_worker;

typedef enum guard_stage {
    GUARD_BEGUN,  /* the body is being read */
    GUARD_READ,   /* it is here */
    GUARD_SCORED, /* step by step; then decided */
    GUARD_HELD,   /* waits for a person */
    GUARD_SLOWED, /* waits, because its client asks too much alike */
    GUARD_PASSED, /* sent on */
    GUARD_REPLIED /* the guard answers itself */
} guard_stage;

/* One exchange. Lives in the request's pool; its cleanup frees what the library made. */
typedef struct guard_ctx {
    ngx_http_request_t *r;
    guard_stage stage;
    tut_inforce *policy;
    tut_guard_request *request;
    tut_guard_answer *answer;
    tut_guard_decision *refused; /* before the request was read; or NULL */
    tut_exchange x;
    unsigned route; /* in the live map */
    uint64_t begun_ns, added_ns, first_ns;
    uint64_t came_ns, below_ns; /* when what is being looked at came; in the filters below since */
    tut_who who;
    tut_quota_ticket ticket_of_quota;
    tut_abuse_answer abuse;
    ngx_event_t slow; /* until it may go on */
    ngx_queue_t of_all;
    uint64_t behind_ns, behind_bytes; /* since when it does not take what is there; taken then */
    bool is_too_slow;
    uint64_t came_bytes; /* of the body */
    tut_span sent;       /* the body that goes on, where it is another one */
    tut_buf kept;        /* of the answer, where bodies are kept */
    bool is_kept_cut;
    tut_span body;
    char hold_id[TUT_HOLD_ID];
    size_t calls_shown; /* of the answer, to whoever decides about them */
    tut_hold *hold;     /* what waits for a person, or did; NULL: nothing */
    bool is_in_queue;   /* `queue` is in one of the worker's */
    /* the answer on its way */
    bool is_passed; /* unread, and past this filter */
    bool is_header_held, has_header_gone, is_whole, is_over, has_failed, wants_flush, leaves_rest;
    bool has_end_gone; /* to the next filter: what the client has not taken is busy */
    ngx_chain_t *in, *busy, *free;
    size_t busy_bytes, left_bytes;
    uint64_t left_ns;
    tut_buf out, tail; /* tail: what waits for the ledger */
    bool is_durable, is_keeping_tail, is_waiting, is_logged, is_decided, is_settled;
    uint64_t ticket, waiting_since;
    ngx_queue_t queue;
} guard_ctx;

/* Of the main request; NULL: none. nginx forgets a module's context at an internal redirect, which
 * must not make an exchange look new: it is found again by its cleanup. */
guard_ctx *tut_ctx_of(ngx_http_request_t *r);
/* What it came to is taken off its client's quota; once. Before the client has the last byte, so
 * that what it asks next finds that done. */
void tut_ctx_settle(guard_ctx *c);
/* Runs the phases of this request again, at the next turn of the loop. */
void tut_ctx_resume(guard_ctx *c);
static inline void tut_ctx_enqueue(guard_ctx *c, ngx_queue_t *queue)
{
    ngx_queue_insert_tail(queue, &c->queue);
    c->is_in_queue = true;
}
static inline void tut_ctx_dequeue(guard_ctx *c)
{
    if (!c->is_in_queue)
        return;
    ngx_queue_remove(&c->queue);
    c->is_in_queue = false;
}
/* A person has stopped what this exchange is part of: also while it is under way. Hot. */
static inline bool tut_ctx_is_stopped(const guard_ctx *c)
{
    tut_str none = {"", 0};
    return tut_live_is_stopped(tut_worker.live, c->x.route ? c->x.route->id : none,
                               c->request ? c->request->model : none, c->x.client, NULL);
}
uint64_t tut_now_ns(void);
/* Since 1970, as nginx last looked: once a turn of its loop. */
static inline uint64_t tut_ngx_now_ms(void)
{
    return (uint64_t)ngx_cached_time->sec * 1000u + (uint64_t)ngx_cached_time->msec;
}
static inline tut_str tut_str_of_ngx(ngx_str_t s)
{
    return (tut_str){(const char *)s.data, s.len};
}

/* gate.c: NGX_DECLINED where nothing speaks against it so far; else it was answered. */
ngx_int_t tut_gate(ngx_http_request_t *r, guard_ctx *c);
/* The first of this name that counts; empty where there is none. */
tut_str tut_header_of(const ngx_list_t *headers, const char *name);
tut_guard_head tut_head_of(ngx_http_request_t *r, const guard_ctx *c);
ngx_int_t tut_refuse(ngx_http_request_t *r, guard_ctx *c, unsigned status, const char *check,
                     const char *why);
ngx_int_t tut_shed(ngx_http_request_t *r, guard_ctx *c, const char *why);
ngx_int_t tut_over_quota(ngx_http_request_t *r, guard_ctx *c, const tut_quota_refusal *why);
/* access.c */
ngx_int_t tut_access_handler(ngx_http_request_t *r);
/* The policy in force, taken anew where it changed; false: there is none. */
bool tut_take_policy(ngx_log_t *log);
/* out.c */
extern ngx_http_output_body_filter_pt tut_next_body;
/* What c->out holds, or the end. */
ngx_int_t tut_send_out(ngx_http_request_t *r, guard_ctx *c, bool is_last);
ngx_int_t tut_hand_on(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *chain);
/* pass.c: an answer that no check looks into; decided when its first buffer is here. */
bool tut_pass_may(ngx_http_request_t *r, guard_ctx *c, const ngx_chain_t *in);
ngx_int_t tut_pass_begin(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *in);
ngx_int_t tut_pass(ngx_http_request_t *r, guard_ctx *c, ngx_chain_t *in);
/* filter.c */
ngx_int_t tut_send_header(ngx_http_request_t *r, guard_ctx *c);
ngx_int_t tut_filter_init(ngx_conf_t *cf);
/* trace.c */
const tut_trace *tut_ctx_trace(guard_ctx *c);
ngx_int_t tut_add_variables(ngx_conf_t *cf);
/* limits.c */
void tut_limits_init(void);
void tut_slow_begin(void);
void tut_slow_end(void);
void tut_slow_watch(guard_ctx *c);
void tut_slow_forget(guard_ctx *c);
/* bodies.c: name of a worker; what goes to the client; the end of it, before its event. */
void tut_bodies_begin_worker(const char *name);
void tut_bodies_end_worker(void);
void tut_bodies_note(guard_ctx *c, tut_str piece);
void tut_bodies_seal(guard_ctx *c);
/* reply.c: answers and finalizes; NGX_DONE. */
ngx_int_t tut_reply_refusal(ngx_http_request_t *r, guard_ctx *c, const tut_guard_decision *d);
ngx_int_t tut_reply_error(ngx_http_request_t *r, guard_ctx *c, ngx_uint_t status, const char *code,
                          const char *message, unsigned retry_after);
void tut_reply_json(tut_buf *out, const char *code, const char *message, const char *id);
ngx_int_t tut_reply_headers(ngx_http_request_t *r, const guard_ctx *c);
/* Headers of the model server that no client needs do not go on. */
void tut_reply_hide(ngx_http_request_t *r);
ngx_int_t tut_notice_handler(ngx_http_request_t *r);
ngx_int_t tut_metrics_handler(ngx_http_request_t *r);
/* wait.c: c->stage is GUARD_HELD, and the phases run again when it was decided; false: it cannot be
 * held. */
bool tut_hold_begin(guard_ctx *c, const tut_hold_facts *facts);
void tut_hold_forget(guard_ctx *c);
/* Holds the calls of the answer that a person decides about, and lets go what was decided.
 * *ret_waits: nothing more goes on until then. */
ngx_int_t tut_wait_for_calls(guard_ctx *c, bool *ret_waits);
void tut_wait_begin(void);
void tut_wait_end(void);
/* audit.c */
bool tut_audit_begin(void);
void tut_audit_end(void);
/* False: the ledger has been away for too long, and the policy does not go on without it. */
bool tut_audit_is_there(const tut_inforce *p);
/* Of an exchange that is not logged yet; its ticket then. */
bool tut_audit_admit(guard_ctx *c);
/* What was told of its client for the first time. */
void tut_audit_alarms(guard_ctx *c);
bool tut_audit_log(guard_ctx *c);
bool tut_audit_is_durable(const guard_ctx *c);
void tut_audit_wait(guard_ctx *c); /* its write handler is run when the event is durable */
ngx_int_t tut_log_handler(ngx_http_request_t *r);

#endif
