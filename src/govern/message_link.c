/* An open channel: its secrets, and tries with pauses. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cage.h"
#include "crypto/key.h"
#include "crypto/openssl.h"
#include "crypto/private_file.h"
#include "govern/message_channel.h"

enum { SECRET_BYTES = 4096, PAUSE_MAX_SECONDS = 600 };

void tut_link_free(tut_link *l)
{
    if (!l)
        return;
    tut_link_smtp_close(l);
    tut_secret_wipe(&l->secret);
    tut_secret_wipe(&l->address);
    tut_free(l->path);
    tut_free(l);
}

/* Its first line. */
static tut_status read_secret(const tut_system *system, tut_str file, const char *what,
                              tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_message_place(system, file);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_private_file_read(path, what, SECRET_BYTES, out, err));
    size_t len = 0;
    while (len < out->len && out->data[len] != '\n' && out->data[len] != '\r')
        len++;
    out->len = len;
    if (len && !memchr(out->data, '\0', len))
        return TUT_SUCCESS;
    tut_error_set_path(err, path);
    return tut_fail(err, TUT_USAGE, "%s has nothing in its first line", what);
}

static tut_status read_secrets(tut_link *l, const tut_system *system, tut_error *err)
{
    const tut_channel *c = l->channel;
    if (c->password_file.len)
        TUT_TRY(read_secret(system, c->password_file, "the file of the password", &l->secret, err));
    if (c->secret_file.len)
        TUT_TRY(read_secret(system, c->secret_file, "the file of the secret", &l->secret, err));
    if (c->url_file.len)
        TUT_TRY(read_secret(system, c->url_file, "the file of the URL", &l->address, err));
    else
        tut_buf_add_str(&l->address, c->url);
    const char *flaw = c->url_file.len ? tut_channel_url_flaw(tut_buf_str(&l->address)) : NULL;
    if (flaw)
        return tut_fail(err, TUT_USAGE, "%s", flaw);
    return tut_buf_check(&l->address, err);
}

tut_status tut_link_open(const tut_channel *c, const tut_system *system, tut_link **ret_link,
                         tut_error *err)
{
    TUT_AUTO(tut_link) l = tut_alloc_array(1, sizeof(*l));
    tut_str path = c->kind == TUT_CHANNEL_FILE ? c->folder : c->ca_file;
    if (!l)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->channel = c;
    if (path.len && !(l->path = tut_message_place(system, path)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(read_secrets(l, system, err));
    *ret_link = tut_move(&l);
    return TUT_SUCCESS;
}

static tut_status pause_for(uint64_t seconds, tut_error *err)
{
    uint64_t until = tut_clock_ms() + 1000 * seconds;
    const struct timespec moment = {.tv_nsec = 50000000};
    while (!tut_interrupted() && tut_clock_ms() < until)
        (void)nanosleep(&moment, NULL);
    return tut_interrupted() ? tut_fail(err, TUT_CANCELLED, "interrupted") : TUT_SUCCESS;
}

static tut_status try_once(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                           tut_error *err)
{
    *ret = (tut_posted_letter){.code = 0};
    switch (l->channel->kind) {
    case TUT_CHANNEL_SMTP:
        return tut_link_smtp(l, letter, ret, err);
    case TUT_CHANNEL_WEBHOOK:
        return tut_link_webhook(l, letter, ret, err);
    case TUT_CHANNEL_FILE:
        return tut_link_file(l, letter, ret, err);
    }
    return tut_fail(err, TUT_BUG, "a channel of no kind");
}

tut_status tut_link_deliver(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                            tut_error *err)
{
    uint64_t pause = l->channel->retry_seconds;
    for (uint32_t n = 1;; n++) {
        TUT_TRY(try_once(l, letter, ret, err));
        bool may_help = ret->posting == TUT_POST_LATER || ret->posting == TUT_POST_DEAD;
        if (!may_help || n >= l->channel->attempts)
            return TUT_SUCCESS;
        TUT_TRY(pause_for(pause, err));
        pause = pause * 2 < PAUSE_MAX_SECONDS ? pause * 2 : PAUSE_MAX_SECONDS;
    }
}
