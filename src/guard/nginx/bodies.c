/* What is kept of an exchange, where the policy says so: gathered as it goes, sealed with its
 * event. */
#include "guard/nginx/module.h"

static bool is_wanted(const guard_ctx *c)
{
    return c->request && c->request->route && c->request->route->seals_bodies;
}

void tut_bodies_begin_worker(const char *name)
{
    tut_error err = {0};
    char plain[64]; /* it becomes a file's name */
    tut_str_copy(plain, sizeof(plain), tut_str_of(name));
    for (char *at = plain; *at; at++)
        if (*at == '/')
            *at = '-';
    if (!tut_is_ok(tut_bodies_new(tut_worker.dir, plain, &tut_worker.bodies, &err)))
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "tutela: no bodies are kept: %s", err.text);
}

void tut_bodies_end_worker(void)
{
    tut_bodies_free(tut_worker.bodies);
    tut_worker.bodies = NULL;
}

void tut_bodies_note(guard_ctx *c, tut_str piece)
{
    if (!is_wanted(c) || c->is_logged || piece.len == 0)
        return;
    size_t room = c->kept.len < TUT_BODIES_MOST ? TUT_BODIES_MOST - c->kept.len : 0;
    if (piece.len > room) {
        c->is_kept_cut = true;
        piece.len = room;
    }
    tut_buf_add_str(&c->kept, piece);
}

/* The request as it went on; one that did not, as it came. */
void tut_bodies_seal(guard_ctx *c)
{
    tut_error err = {0};
    tut_bodies_pair pair = {
        .id = c->x.id, .request = c->sent.len ? c->sent : c->body, .is_answer_cut = c->x.is_cut};
    if (!is_wanted(c))
        return;
    tut_bodies_note(c, tut_buf_str(&c->out));
    tut_bodies_note(c, tut_buf_str(&c->tail));
    pair.is_answer_cut = pair.is_answer_cut || c->is_kept_cut || c->kept.failed != TUT_OK;
    pair.answer = tut_buf_span(&c->kept);
    if (c->x.has_prompt)
        pair.prompt = c->x.prompt;
    if (tut_worker.bodies &&
        tut_is_ok(tut_bodies_put(tut_worker.bodies, ngx_time(), &pair, &c->x.bodies, &err)))
        return;
    c->x.bodies.day[0] = '\0';
    c->x.bodies_lost = "they could not be written";
    tut_live_count(tut_worker.live, c->route, TUT_COUNT_ERRORS, 1);
    ngx_log_error(NGX_LOG_ERR, c->r->connection->log, 0, "tutela: a body is not kept: %s",
                  err.text);
}
