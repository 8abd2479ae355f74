/*
 * Telling people something, and knowing that it reached them: bulletins of training, notices of
 * threats. A message is a text at a digest. Who issues it signs it; it goes to people over the
 * channels that `messages:` of tutela.yaml names; what became of each delivery is recorded; whoever
 * read it signs that. Three kinds of event, all about (name, digest of the text):
 *
 *   message.issued     by the person's key; the body is the text
 *   message.sent       one a channel, by the tool; the body is tutela.delivery/1; what an earlier
 *                      one of the same channel delivered is carried over
 *   message.received   by the reader's own key
 *
 * Addresses are in no entry: a keyed digest stands for each (ledger/bodies.h). Nor is what a server
 * answered in words, which repeats addresses: only its number.
 */
#ifndef TUT_GOVERN_MESSAGE_H
#define TUT_GOVERN_MESSAGE_H

#include "assets/system.h"
#include "ledger/people.h"

#define TUT_MESSAGE_ISSUED "message.issued"
#define TUT_MESSAGE_SENT "message.sent"
#define TUT_MESSAGE_RECEIVED "message.received"

enum {
    TUT_MESSAGE_BYTES = 256 << 10, /* a text that somebody is to read */
    TUT_MESSAGE_CHANNELS = 32,
    TUT_MESSAGE_CONTACTS = 10000,
    TUT_MESSAGE_ADDRESS = 254 /* bytes of an address: RFC 5321, 4.5.3.1.3 */
};

/* --- messages: of tutela.yaml --- */

typedef enum tut_channel_kind {
    TUT_CHANNEL_SMTP,
    TUT_CHANNEL_WEBHOOK,
    TUT_CHANNEL_FILE
} tut_channel_kind;
extern const char *const tut_channel_kinds[]; /* "smtp", "webhook", "file" */

typedef struct tut_channel {
    tut_str id, kind_word, reaches;                 /* reaches: staff, users, everyone */
    tut_str server, tls, from, user, password_file; /* of smtp; tls: starttls, tls, none */
    tut_str url, url_file, secret_file;             /* of a webhook */
    tut_str folder;                                 /* of a file */
    tut_str ca_file;                                /* certificates that are believed; or empty */
    uint32_t port, timeout_seconds, attempts, retry_seconds;
    tut_channel_kind kind;
} tut_channel;

typedef struct tut_message_policy { /* borrows from the system */
    const tut_yaml_node *node;      /* NULL: there is no such section */
    tut_channel *channels;
    size_t channel_count;
    tut_str addresses;  /* file "NAME: ADDRESS" of people and of users' contacts; or empty */
    tut_str_list users; /* names in it that stand for users */
} tut_message_policy;

/* MALFORMED, with place, for what is no such section. */
TUT_MUST tut_status tut_message_policy_read(tut_system *system, tut_message_policy *ret_policy,
                                            tut_buf *ret_shown, tut_error *err);
bool tut_channel_reaches(const tut_channel *c, bool users);

typedef struct tut_contacts { /* names and addresses */
    tut_yaml *yaml;           /* owns the text; its root is the mapping */
} tut_contacts;
void tut_contacts_done(tut_contacts *c);
/* Reads the file of addresses, which nobody else may read (DENIED else); none named: no contacts.
 * MALFORMED for what is no address, with the line. */
TUT_MUST tut_status tut_contacts_read(const tut_system *system, const tut_message_policy *policy,
                                      tut_contacts *ret_contacts, tut_error *err);
/* Of this name; empty: there is none. */
tut_str tut_contacts_address(const tut_contacts *c, tut_str name);
/* local@domain of printable ASCII, as RFC 5321 has it without quoting; nothing that could end a
 * line or a command. */
bool tut_message_is_address(tut_str address);

/* --- deliveries --- */

typedef struct tut_delivery {
    char *to; /* name of a person or of a contact; NULL: the channel itself, whoever reads it */
    bool has_address;
    tut_sha256 address; /* keyed digest */
    bool is_delivered;
    tut_time at;
    int code;      /* of SMTP or HTTP; 0: none was heard */
    char why[160]; /* it was not delivered */
} tut_delivery;

typedef struct tut_sent { /* over one channel */
    char *channel, *kind;
    tut_delivery *items;
    size_t count, capacity;
    const tut_record *record; /* of what was read back */
    uint64_t index;
} tut_sent;
void tut_sent_done(tut_sent *s);
/* Everything that was tried was delivered, and something was. */
bool tut_sent_is_whole(const tut_sent *s);

/* --- messages on record --- */

typedef struct tut_receipt_given { /* by a person, for the text of a message */
    const char *by;
    const tut_record *record;
} tut_receipt_given;

typedef struct tut_message {
    const char *name; /* "bulletin/ID@VERSION", "notice/operators/RISK" */
    tut_sha256 digest;
    const tut_record *issued;
    const char *by; /* who signed it; his roles then */
    uint32_t roles;
    tut_buf text;   /* empty where it is missing from the ledger, or was altered */
    tut_sent *sent; /* the newest of each channel */
    size_t sent_count, sent_capacity;
    tut_receipt_given *receipts; /* the first of each person */
    size_t receipt_count, receipt_capacity;
} tut_message;

typedef struct tut_messages {
    tut_message *items; /* by name; of each the newest that was signed by somebody who counts */
    size_t count, capacity;
    const tut_records *records; /* borrowed */
} tut_messages;

/* Those whose name begins like that. Borrows the records. */
TUT_MUST tut_status tut_messages_read(const tut_ledger *ledger, const tut_records *records,
                                      const char *beginning, tut_messages *ret, tut_error *err);
void tut_messages_done(tut_messages *m);
const tut_message *tut_messages_find(const tut_messages *m, const char *name); /* or NULL */
/* The person's own receipt for this very text; or NULL. */
const tut_record *tut_message_receipt(const tut_message *m, const char *person);
/* Channels over which all of it was delivered. */
size_t tut_message_channels(const tut_message *m);

/* --- issuing, sending, receiving --- */

typedef struct tut_sending {
    tut_system *system;
    const char *state_dir; /* the log is opened for each entry: nobody waits for a slow server */
    const tut_message_policy *policy;
    const char *name, *title;
    tut_str text;               /* what is issued: the digest is of it */
    tut_str shown;              /* as it is sent: the same for people */
    const char *const *readers; /* names */
    size_t reader_count;
    bool to_users;
    const tut_message *before; /* this very text was issued already: what was delivered stands */
    const char *by;
    const struct tut_key *signer;
    /* For people; may be NULL. */
    void (*progress)(void *ctx, const char *channel, size_t done, size_t total);
    void *ctx;
} tut_sending;

typedef struct tut_sent_all {
    uint64_t issued; /* entry */
    tut_sent *items; /* one a channel, in the order of tutela.yaml */
    size_t count;
} tut_sent_all;
void tut_sent_all_done(tut_sent_all *s);

/* Signs, then delivers channel by channel; what is recorded after each is durable. A delivery that
 * fails is no error: it is in what comes back. USAGE when no channel reaches them. */
TUT_MUST tut_status tut_message_send(const tut_sending *s, tut_sent_all *ret, tut_error *err);
/* The reader's receipt. */
TUT_MUST tut_status tut_message_receive(tut_ledger *ledger, const tut_message *m,
                                        const char *person, const struct tut_key *key,
                                        uint64_t *ret_index, tut_error *err);

#endif
