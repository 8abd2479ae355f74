/*
 * What an organisation decided about findings and sources, as tutela.yaml says it: findings that
 * are accepted for a time, things that are refused whatever a scan says, and where components may
 * come from. An entry counts only with all that makes it one, and until it ends.
 */
#ifndef TUT_ASSETS_POLICY_H
#define TUT_ASSETS_POLICY_H

#include "base/str.h"
#include "base/time.h"
#include "base/yaml.h"
#include "crypto/digest.h"

typedef struct tut_listed { /* one entry of policy.scan.allow or policy.scan.deny */
    tut_str rule;           /* allow: the finding */
    tut_str asset, path;    /* an asset's id; a path or pattern below the directory */
    tut_str global, url;    /* deny: "module.name" of a pickle; an address and all below it */
    bool has_digest;
    tut_sha256 digest; /* of the file */
    tut_str reason, by;
    bool has_expires;
    tut_time expires;
    const tut_yaml_node *node;
} tut_listed;

typedef struct tut_approved_source { /* one entry of policy.sources */
    tut_str prefix;                  /* "https://models.example.org/team/" */
    tut_str reason, by;
    bool has_expires;
    tut_time expires;
    const tut_yaml_node *node;
} tut_approved_source;

/* Why the entry does not count at that time, for people; NULL: it counts. */
const char *tut_listed_lack(const tut_listed *entry, bool is_allowing, tut_time at);
const char *tut_approved_lack(const tut_approved_source *entry, tut_time at);

/* Does the address lie at or below this one? Same scheme and host (ASCII letters alike in either
 * case, the default port as none), and whole segments of the path: /team covers /team/x, not
 * /teams. An address with "..", "." or an encoded slash or dot in a segment, or with a user in its
 * host, lies below nothing. */
bool tut_url_is_below(tut_str prefix, tut_str url);

#endif
