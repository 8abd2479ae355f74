/* How the sending of a message is told. */
#ifndef TUT_CMD_MESSAGE_VIEW_H
#define TUT_CMD_MESSAGE_VIEW_H

#include "base/json_write.h"
#include "cmd/command.h"
#include "govern/message.h"

/* For tut_sending: a line on the terminal's stderr. ctx is the tut_progress. */
void tut_message_progress(void *ctx, const char *channel, size_t done, size_t total);
/* One line a channel, and one for each delivery that failed. */
void tut_message_tell(const tut_sent_all *sent, tut_buf *out);
/* One item a channel: tutela.train/1, tutela.threats-notices/1. */
void tut_message_put_items(tut_json *j, const tut_sent_all *sent, const char *name, const char *by);
/* Every delivery that was tried. */
bool tut_message_is_delivered(const tut_sent_all *sent);
/* A text line by line, escaped: a terminal obeys nothing that somebody sent. */
void tut_message_lines(tut_buf *out, tut_str text);
/* The keys that each item of tutela.NAME/1 has; the object stays open. Zero times: null; by NULL:
 * nobody; index UINT64_MAX: none. */
void tut_item_put_head(tut_json *j, const char *id, const char *state, tut_time since, tut_time due,
                       const char *by, uint64_t index);

#endif
