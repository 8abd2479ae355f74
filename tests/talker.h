/* A target of texts that a test makes up: a function from what was sent to what is said. */
#ifndef TESTS_TALKER_H
#define TESTS_TALKER_H

#include <string.h>

#include "probe/target_internal.h"

typedef struct talker {
    /* Sets text, or calls, or answered; `heard` is all that was sent. */
    void (*say)(void *ctx, const tut_asked *asked, tut_str heard, tut_said *ret);
    void *ctx;
    tut_allowance allowance;
    tut_target target;
} talker;

static inline void talker_text(tut_said *s, tut_str text)
{
    s->text = tut_said_keep(s, text);
}

static inline void talker_call(tut_said *s, const char *name, tut_str arguments)
{
    s->calls = tut_alloc_array(1, sizeof(*s->calls));
    s->calls[0].name = tut_said_keep(s, tut_str_of(name));
    s->calls[0].arguments = tut_said_keep(s, arguments);
    s->call_count = 1;
}

static inline tut_status talker_ask(tut_target *t, const tut_asked *asked, size_t count,
                                    tut_said *ret, tut_error *err)
{
    talker *me = t->state;
    static const char room[8192] = "";
    for (size_t i = 0; i < count; i++) {
        if (tut_allowance_left(t->allowance, 1) == 0)
            return TUT_SUCCESS;
        tut_allowance_spend(t->allowance, 1, 1);
        TUT_TRY(tut_said_begin(&ret[i], tut_span_of(room, sizeof(room)), err));
        ret[i].answered = TUT_ANSWERED;
        me->say(me->ctx, &asked[i], asked[i].messages, &ret[i]);
    }
    return TUT_SUCCESS;
}

static const tut_target_driver talker_driver = {
    .kind = "openai-chat", .gives = TUT_GIVES_TEXT, .ask = talker_ask};

static inline void talker_init(talker *t, const char *kind,
                               void (*say)(void *, const tut_asked *, tut_str, tut_said *),
                               void *ctx)
{
    *t = (talker){.say = say, .ctx = ctx};
    t->target = (tut_target){.driver = &talker_driver,
                             .facts = {.kind = kind, .gives = TUT_GIVES_TEXT},
                             .allowance = &t->allowance,
                             .state = t};
}

#endif
