/* Where something listens, as a policy has it: HOST:PORT or [HOST]:PORT. */
#ifndef TUT_GUARD_ADDRESS_H
#define TUT_GUARD_ADDRESS_H

#include "base/buf.h"

enum { TUT_ADDRESS_HOST = 256, TUT_ADDRESS_PORT = 8 };

typedef struct tut_address {
    char host[TUT_ADDRESS_HOST], port[TUT_ADDRESS_PORT]; /* host: without brackets */
} tut_address;

bool tut_address_parse(tut_str where, tut_address *ret);
/* "*", "0.0.0.0" and "::" are asked at this machine's own address. */
void tut_address_ask(tut_address *a);
/* Its host, in text, is of this machine alone: "localhost", 127.0.0.0/8, ::1. */
bool tut_address_is_loopback(const tut_address *a);
/* Something takes connections there. */
bool tut_address_answers(const tut_address *a);

#endif
