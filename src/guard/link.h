/*
 * Links as renderers of Markdown and HTML follow them: inline images and links, HTML elements that
 * fetch or lead somewhere, bare addresses. An image is fetched when it is shown, so what its
 * address carries is sent without anybody's doing.
 */
#ifndef TUT_GUARD_LINK_H
#define TUT_GUARD_LINK_H

#include "base/str.h"

typedef enum tut_link_kind {
    TUT_LINK_IMAGE,
    TUT_LINK_INLINE,
    TUT_LINK_ELEMENT,
    TUT_LINK_BARE
} tut_link_kind;

typedef struct tut_link {
    tut_link_kind kind;
    size_t begin, end;
    tut_str host;    /* "" for what has none and stays on the page; for what could run code, "?" */
    tut_str shown;   /* of an inline link: its text */
    bool is_open;    /* the text ends before the link does */
    bool is_outside; /* it leads to a host */
} tut_link;

enum { TUT_LINK_MOST = 2048 }; /* a longer one is none */

/* The first link that begins at or behind `from`. */
bool tut_link_next(tut_str text, size_t from, tut_link *ret_link);
/* The host of an address: "https://user@Host:8080/x" gives "Host"; false: it has none. */
bool tut_link_host(tut_str url, tut_str *ret_host);

#endif
