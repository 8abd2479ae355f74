/*
 * pkcs11: URIs (RFC 7512) -> what they say:
 *   pkcs11:token=LABEL;object=LABEL;id=%01?module-path=/usr/lib/MODULE.so&pin-source=file:/PIN
 * A PIN in the URI (pin-value) is USAGE: it would stand in argv or a configuration file.
 */
#ifndef TUT_CRYPTO_PKCS11_URI_H
#define TUT_CRYPTO_PKCS11_URI_H

#include "base/buf.h"
#include "base/str.h"

enum {
    TUT_PKCS11_LABEL_MAX = 33,
    TUT_PKCS11_SERIAL_MAX = 17,
    TUT_PKCS11_OBJECT_MAX = 256,
    TUT_PKCS11_PATH_MAX = 4096
};

/* Decoded; empty where the URI does not say. id may hold NUL, the others do not. */
typedef struct tut_pkcs11_uri {
    char token[TUT_PKCS11_LABEL_MAX];
    char manufacturer[TUT_PKCS11_LABEL_MAX];
    char model[TUT_PKCS11_SERIAL_MAX];
    char serial[TUT_PKCS11_SERIAL_MAX];
    char object[TUT_PKCS11_OBJECT_MAX];
    char id[TUT_PKCS11_OBJECT_MAX];
    size_t id_len;
    char module_path[TUT_PKCS11_PATH_MAX]; /* absolute */
    char pin_source[TUT_PKCS11_PATH_MAX];  /* a path; "file:" is gone */
} tut_pkcs11_uri;

TUT_MUST tut_status tut_pkcs11_uri_parse(tut_str uri, tut_pkcs11_uri *ret, tut_error *err);

#endif
