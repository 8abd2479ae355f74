#include "formats/package.h"

#include <stdio.h>

const char *const tut_package_types[] = {"pypi", "npm", "cargo", "conda", "deb", NULL};

void tut_package_begin(tut_package_draft *d, const char *type)
{
    d->type = type;
    d->is_own = false;
    d->digests = 0;
    d->name[0] = d->version[0] = d->digest[0] = '\0';
}

static bool is_word(tut_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((uint8_t)s.data[i] <= 0x20 || s.data[i] == 0x7f)
            return false;
    }
    return s.len > 0;
}

/* PEP 503: runs of "-", "_" and "." are one "-", letters are small. */
static void normalise(char *name)
{
    char *to = name;
    bool is_run = false;
    for (const char *at = name; *at; at++) {
        bool is_mark = *at == '-' || *at == '_' || *at == '.';
        if (!is_mark)
            *to++ = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        else if (!is_run)
            *to++ = '-';
        is_run = is_mark;
    }
    *to = '\0';
}

void tut_package_name(tut_package_draft *d, tut_str name)
{
    d->name[0] = '\0';
    if (!is_word(name) || name.len >= sizeof(d->name))
        return;
    tut_str_copy(d->name, sizeof(d->name), name);
    if (d->type && strcmp(d->type, "pypi") == 0)
        normalise(d->name);
}

void tut_package_version(tut_package_draft *d, tut_str version)
{
    d->version[0] = '\0';
    if (is_word(version) && version.len < sizeof(d->version))
        tut_str_copy(d->version, sizeof(d->version), version);
}

/* The algorithm in front of ':' or '-', as package managers know them. */
static bool is_digest(tut_str s)
{
    static const char *const names[] = {"sha256", "sha384", "sha512", "sha1", "md5"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if (s.len > len + 1 && memcmp(s.data, names[i], len) == 0 &&
            (s.data[len] == ':' || s.data[len] == '-'))
            return is_word(s);
    }
    return false;
}

void tut_package_digest(tut_package_draft *d, tut_str digest)
{
    if (!is_digest(digest) || digest.len >= sizeof(d->digest) || d->digests == UINT32_MAX)
        return;
    if (d->digests++ == 0)
        tut_str_copy(d->digest, sizeof(d->digest), digest);
}

void tut_package_digest_of(tut_package_draft *d, const char *algorithm, tut_str hex)
{
    char text[TUT_PACKAGE_DIGEST];
    int len = snprintf(text, sizeof(text), "%s:%.*s", algorithm,
                       hex.len < sizeof(text) ? (int)hex.len : 0, hex.data ? hex.data : "");
    if (len > 0 && (size_t)len < sizeof(text))
        tut_package_digest(d, (tut_str){text, (size_t)len});
}

void tut_package_give(tut_exam *x, tut_package_draft *d)
{
    if (d->type && d->name[0] && !d->is_own && !x->is_member && x->ops->package) {
        tut_package p = {.type = d->type,
                         .name = tut_str_of(d->name),
                         .version = tut_str_of(d->version),
                         .digest = tut_str_of(d->digests == 1 ? d->digest : ""),
                         .digests = d->digests};
        x->ops->package(x->ctx, &p);
    }
    d->type = NULL;
}
