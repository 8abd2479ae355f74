/* A webhook, and a file in a folder. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "govern/message_channel.h"
#include "ledger/post.h"
#include "watch/tell.h"

/* --- a webhook: tutela.message/1, signed as alarms are (watch/tell.h) --- */

/* "text" is what chat services show. */
static tut_status write_json(const tut_letter *l, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%s\n\n", l->title);
    tut_buf_add_str(&text, l->text);
    TUT_TRY(tut_buf_check(&text, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.message/1");
    tut_json_put_z(j, "id", l->name);
    tut_json_put_z(j, "title", l->title);
    tut_json_put_str(j, "text", tut_buf_str(&text));
    tut_json_put_time(j, "at", l->at);
    tut_json_key(j, "digest");
    tut_json_sha256(j, l->digest.bytes);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static void judge(int status, tut_posted_letter *ret)
{
    ret->code = status;
    if (status >= 200 && status < 300) {
        ret->posting = TUT_POSTED;
        return;
    }
    bool is_busy = status >= 500 || status == 408 || status == 425 || status == 429;
    ret->posting = is_busy ? TUT_POST_LATER : TUT_POST_REFUSED;
    if (status >= 300 && status < 400)
        (void)snprintf(ret->why, sizeof(ret->why),
                       "answered %d: it points elsewhere, and that is not followed", status);
    else
        (void)snprintf(ret->why, sizeof(ret->why), "answered %d", status);
}

static void judge_failure(const tut_posted *answer, tut_posted_letter *ret)
{
    bool is_dead = answer->did_time_out || !answer->did_connect;
    ret->posting = is_dead ? TUT_POST_DEAD : TUT_POST_LATER;
    (void)snprintf(ret->why, sizeof(ret->why), "%s",
                   answer->did_time_out ? "did not answer in time"
                   : answer->why        ? answer->why
                                        : "cannot be asked");
}

tut_status tut_link_webhook(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                            tut_error *err)
{
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    TUT_CLEAN(tut_posted) answer = {0};
    char signature[TUT_TELL_SIGNATURE];
    tut_error why = {0};
    TUT_TRY(write_json(letter, &json, err));
    tut_post post = {.url = tut_buf_z(&l->address),
                     .content_type = "application/json",
                     .body = tut_buf_span(&json),
                     .timeout_ms = 1000 * l->channel->timeout_seconds,
                     .ca_file = l->path};
    if (!post.url)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (l->secret.len) {
        TUT_TRY(tut_tell_sign(tut_buf_str(&l->secret), tut_time_now(), tut_buf_str(&json),
                              signature, err));
        post.header = "Tutela-Signature";
        post.header_value = signature;
    }
    tut_status status = tut_post_send(&post, &answer, &why);
    if (status.code == TUT_CANCELLED || status.code == TUT_NOMEM)
        return tut_fail(err, status.code, "interrupted");
    if (tut_is_ok(status) || status.code == TUT_LIMIT) /* too long an answer is one all the same */
        judge(answer.status, ret);
    else
        judge_failure(&answer, ret);
    if (status.code == TUT_UNSUPPORTED) {
        ret->posting = TUT_POST_REFUSED;
        (void)snprintf(ret->why, sizeof(ret->why), "%.150s", why.text);
    }
    return TUT_SUCCESS;
}

/* --- a file --- */

/* "bulletin/a@1" -> "bulletin-a-1-0123456789ab.md" */
static char *file_name(const tut_letter *l)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    for (const char *c = l->name; *c && name.len < 180; c++) {
        bool is_word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                       (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || *c == '.';
        tut_buf_add_byte(&name, is_word ? (uint8_t)*c : '-');
    }
    tut_buf_add_byte(&name, '-');
    tut_buf_add_hex(&name, l->digest.bytes, 6);
    tut_buf_add_z(&name, ".md");
    return tut_buf_steal(&name);
}

tut_status tut_link_file(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO_FREE char *name = file_name(letter);
    TUT_AUTO_FREE char *path = name ? tut_fs_join(l->path, name) : NULL;
    tut_error why = {0};
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    ret->posting = TUT_POST_REFUSED;
    if (!tut_fs_is_dir(l->path)) {
        (void)snprintf(ret->why, sizeof(ret->why), "its folder is not there");
        return TUT_SUCCESS;
    }
    tut_buf_printf(&text, "# %s\n\n", letter->title);
    tut_buf_add_str(&text, letter->text);
    TUT_TRY(tut_buf_check(&text, err));
    tut_status status = tut_fs_write(path, tut_buf_span(&text), 0644, &why);
    if (tut_is_ok(status))
        ret->posting = TUT_POSTED;
    else
        (void)snprintf(ret->why, sizeof(ret->why), "%.150s", why.text);
    return TUT_SUCCESS;
}
