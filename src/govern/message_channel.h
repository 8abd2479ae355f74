/* What delivers a message: one letter at a time over one channel. */
#ifndef TUT_GOVERN_MESSAGE_CHANNEL_H
#define TUT_GOVERN_MESSAGE_CHANNEL_H

#include "govern/message.h"

typedef struct tut_letter {
    const char *name, *title; /* of the message */
    tut_str text;
    tut_sha256 digest;
    tut_str address; /* of mail; empty: the channel's own readers */
    tut_time at;
} tut_letter;

typedef enum tut_posting {
    TUT_POSTED,       /* the other side took it on */
    TUT_POST_LATER,   /* it may work later: busy, greylisted, broken off */
    TUT_POST_REFUSED, /* it will not */
    TUT_POST_DEAD     /* nobody answers: the others need not be tried */
} tut_posting;

typedef struct tut_posted_letter {
    tut_posting posting;
    int code;      /* that was answered; 0: none */
    char why[160]; /* without address, secret, or what the server said */
} tut_posted_letter;

typedef struct tut_link tut_link; /* an open channel, with its secrets */
/* IO, DENIED or UNSUPPORTED when it cannot be had (a password that nobody may read, no libcurl). */
TUT_MUST tut_status tut_link_open(const tut_channel *c, const tut_system *system,
                                  tut_link **ret_link, tut_error *err);
void tut_link_free(tut_link *l);
TUT_DEFINE_AUTO(tut_link)
/* Tries as often as the channel says, with pauses that double. CANCELLED after tut_interrupted();
 * NOMEM. */
TUT_MUST tut_status tut_link_deliver(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                                     tut_error *err);

/* Secrets and outboxes may lie beside the system: a path as it is, or below tutela.yaml's folder.
 * Caller frees; NULL: memory ran out. */
char *tut_message_place(const tut_system *system, tut_str path);
/* What is wrong with a webhook's URL, or NULL. */
const char *tut_channel_url_flaw(tut_str url);

/* --- of each kind --- */

struct tut_link {
    const tut_channel *channel;
    char *path;      /* of the folder, or of the file of certificates, as it is opened; or NULL */
    tut_buf secret;  /* the password, or the webhook's key */
    tut_buf address; /* the webhook's URL */
    void *handle;    /* of curl: one connection for all letters */
};
/* One try. */
TUT_MUST tut_status tut_link_smtp(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                                  tut_error *err);
void tut_link_smtp_close(tut_link *l);
TUT_MUST tut_status tut_link_webhook(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                                     tut_error *err);
TUT_MUST tut_status tut_link_file(tut_link *l, const tut_letter *letter, tut_posted_letter *ret,
                                  tut_error *err);

/* --- mail as text: RFC 5322, RFC 2045 --- */

/* The whole mail, lines ended by CR LF. */
TUT_MUST tut_status tut_mail_write(const tut_letter *letter, tut_str from, tut_buf *out,
                                   tut_error *err);
/* Quoted-printable, lines of at most 76 characters. */
void tut_mail_quoted(tut_buf *out, tut_str text);
/* The value of a header: as it is, or in encoded words (RFC 2047) of at most 75 characters. */
void tut_mail_header(tut_buf *out, tut_str text);

#endif
