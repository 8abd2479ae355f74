#include "probe/target.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/target_internal.h"

enum { SAID_ROOM = 512 };

#define PROBE_TARGET(symbol) extern const tut_target_driver tut_target_##symbol;
#include "probe/target_drivers.def"
#undef PROBE_TARGET

static const tut_target_driver *const drivers[] = {
#define PROBE_TARGET(symbol) &tut_target_##symbol,
#include "probe/target_drivers.def"
#undef PROBE_TARGET
};

static const tut_target_driver *driver_of(const char *place)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (drivers[i]->takes(place))
            return drivers[i];
    return NULL;
}

unsigned tut_target_gives(tut_str place)
{
    char z[TUT_ERROR_PATH_MAX];
    tut_str_copy(z, sizeof(z), place);
    const tut_target_driver *driver = driver_of(z);
    return driver ? driver->gives : 0;
}

/* http://127.x.x.x, [::1] and localhost: what runs on this machine is its owner's to test. A user
 * before the host ("http://127.0.0.1@example.org/") makes it another host. */
bool tut_target_is_loopback(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t len = strcspn(host, "/?#");
    if (memchr(host, '@', len))
        return false;
    if (len >= 5 && strncmp(host, "[::1]", 5) == 0)
        return len == 5 || host[5] == ':';
    size_t name = strcspn(host, ":/?#");
    if (name == 9 && strncmp(host, "localhost", 9) == 0)
        return true;
    unsigned dots = 0;
    for (size_t i = 0; i < name; i++) {
        dots += host[i] == '.';
        if (host[i] != '.' && (host[i] < '0' || host[i] > '9'))
            return false;
    }
    return dots == 3 && strncmp(host, "127.", 4) == 0;
}

static void show_place(const char *place, char *ret, size_t cap)
{
    const char *host = strstr(place, "://");
    size_t head = host ? (size_t)(host + 3 - place) : 0;
    size_t len = strcspn(place + head, host ? "/?#" : "");
    const char *at = host ? memchr(place + head, '@', len) : NULL;
    tut_buf b = TUT_BUF_INIT;
    tut_buf_add(&b, place, head);
    const char *rest = at ? at + 1 : place + head;
    /* What stands behind a question mark may be a key. */
    tut_buf_add(&b, rest, host ? strcspn(rest, "?#") : strlen(rest));
    tut_str_copy(ret, cap, tut_buf_str(&b));
    tut_buf_done(&b);
}

/* Whose answers they are: another model, or another way to it, answers otherwise. */
static tut_status open_journal(tut_target *t, const tut_target_wish *wish, tut_error *err)
{
    TUT_CLEAN(tut_buf) who = TUT_BUF_INIT;
    tut_buf_printf(&who, "%s %s", t->facts.kind, t->facts.shown);
    if (wish->model)
        tut_buf_printf(&who, " %s", wish->model);
    TUT_TRY(tut_buf_check(&who, err));
    return tut_journal_open(wish->journal, tut_buf_str(&who), &t->journal, err);
}

tut_status tut_target_open(const tut_target_wish *wish, tut_target **ret_target, tut_error *err)
{
    const tut_target_driver *driver = driver_of(wish->place);
    if (!driver)
        return tut_fail(err, TUT_USAGE,
                        "%s is no target: a model.onnx, recorded predictions (.npy, .csv), "
                        "command:PROGRAM, or an http address of an inference interface",
                        wish->place);
    if (driver->needs_leave && !wish->is_declared && !tut_target_is_loopback(wish->place) &&
        !(wish->authorised_by && wish->authorised_by[0]))
        return tut_fail(err, TUT_DENIED,
                        "%s is neither on this machine nor declared in tutela.yaml: say who "
                        "allows the test with --i-am-authorised-to-test NAME",
                        wish->place);
    TUT_AUTO(tut_target) t = tut_alloc_array(1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->driver = driver;
    t->allowance = wish->allowance;
    t->facts.kind = driver->kind;
    t->facts.gives = driver->gives;
    show_place(wish->place, t->facts.shown, sizeof(t->facts.shown));
    TUT_TRY(driver->open(t, wish, err));
    if (wish->journal && driver->keeps)
        TUT_TRY(open_journal(t, wish, err));
    *ret_target = tut_move(&t);
    return TUT_SUCCESS;
}

void tut_target_free(tut_target *t)
{
    if (!t)
        return;
    if (t->state)
        t->driver->close(t);
    tut_journal_free(t->journal);
    tut_free(t);
}

const tut_target_facts *tut_target_about(const tut_target *t)
{
    return &t->facts;
}

uint64_t tut_target_spent(const tut_target *t)
{
    return t->allowance ? t->allowance->queries : 0;
}

/* --- asking --- */

void tut_predictions_done(tut_predictions *p)
{
    tut_free(p->values);
    tut_free(p->answered);
    *p = (tut_predictions){.count = 0};
}

static tut_status make_room(tut_predictions *p, size_t count, size_t classes, tut_error *err)
{
    p->count = count;
    p->classes = classes;
    p->answered = tut_alloc_array(count + 1, sizeof(*p->answered));
    p->values = classes ? tut_alloc_array(count * classes + 1, sizeof(*p->values)) : NULL;
    if (!p->answered || (classes && !p->values))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        p->answered[i] = TUT_UNASKED;
    for (size_t i = 0; i < count * classes; i++)
        p->values[i] = NAN;
    return TUT_SUCCESS;
}

tut_status tut_target_predict(tut_target *t, const float *rows, size_t count, size_t width,
                              uint64_t first, tut_predictions *ret, tut_error *err)
{
    *ret = (tut_predictions){.count = 0};
    if (!t->driver->predict || !(t->facts.gives & (TUT_GIVES_LABELS | TUT_GIVES_PROBABILITIES)))
        return tut_fail(err, TUT_USAGE, "%s takes texts, not rows of numbers", t->facts.shown);
    if (t->facts.width && width != t->facts.width)
        return tut_fail(err, TUT_USAGE, "%s takes rows of %zu numbers, the data have %zu",
                        t->facts.shown, t->facts.width, width);
    tut_status status = make_room(ret, count, t->facts.classes, err);
    if (tut_is_ok(status))
        status = t->journal ? tut_target_predict_kept(t, rows, count, width, first, ret, err)
                            : t->driver->predict(t, rows, count, width, first, ret, err);
    if (!tut_is_ok(status) && status.code != TUT_IO && status.code != TUT_CANCELLED)
        tut_predictions_done(ret);
    return status;
}

bool tut_target_fix_classes(tut_target *t, tut_predictions *p, size_t classes)
{
    if (t->facts.classes && t->facts.classes != classes) {
        tut_target_note(p, "an answer has %zu classes, where others have %zu", classes,
                        t->facts.classes);
        return false;
    }
    t->facts.classes = classes;
    if (p->values)
        return true;
    p->values = tut_alloc_array(p->count * classes + 1, sizeof(*p->values));
    if (!p->values) {
        tut_target_note(p, "memory ran out");
        return false;
    }
    p->classes = classes;
    for (size_t i = 0; i < p->count * classes; i++)
        p->values[i] = NAN;
    return true;
}

void tut_target_note(tut_predictions *p, const char *fmt, ...)
{
    va_list ap;
    if (p->problem[0])
        return;
    va_start(ap, fmt);
    (void)vsnprintf(p->problem, sizeof(p->problem), fmt, ap);
    va_end(ap);
}

tut_status tut_said_begin(tut_said *s, tut_span answer, tut_error *err)
{
    /* What is decoded is never longer than it was in quotes; a reason has some words of ours. */
    tut_buf_add(&s->body, answer.data, answer.len);
    (void)tut_buf_extend(&s->body, answer.len + SAID_ROOM);
    TUT_TRY(tut_buf_check(&s->body, err));
    s->body.len = answer.len;
    s->texts = answer.len;
    return TUT_SUCCESS;
}

tut_str tut_said_keep(tut_said *s, tut_str text)
{
    size_t left = s->body.cap - s->texts;
    char *to = (char *)s->body.data + s->texts;
    if (text.len > left)
        text.len = left;
    if (text.len)
        memcpy(to, text.data, text.len);
    s->texts += text.len;
    return (tut_str){to, text.len};
}

void tut_said_done(tut_said *s)
{
    tut_free(s->calls);
    tut_free(s->logprobs);
    tut_free(s->relative);
    tut_buf_done(&s->body);
    *s = (tut_said){.status = 0};
}

tut_status tut_target_ask(tut_target *t, const tut_asked *asked, size_t count, tut_said *ret_said,
                          tut_error *err)
{
    if (!t->driver->ask || !(t->facts.gives & TUT_GIVES_TEXT))
        return tut_fail(err, TUT_USAGE, "%s takes rows of numbers, not texts", t->facts.shown);
    for (size_t i = 0; i < count; i++)
        ret_said[i] = (tut_said){.answered = TUT_UNASKED};
    return t->journal ? tut_target_ask_kept(t, asked, count, ret_said, err)
                      : t->driver->ask(t, asked, count, ret_said, err);
}
