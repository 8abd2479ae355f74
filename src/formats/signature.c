/*
 * Detached signatures: Sigstore bundles, the container of OpenSSF Model Signing, and files of
 * published digests as sha256sum writes them.
 *
 *   bundle  = JSON object of mediaType, dsseEnvelope, verificationMaterial
 *   digests = { 64HEX "  " path newline }
 *
 * They speak about an asset and are none themselves: neither inventoried nor part of the digest of
 * the directory that they lie in. `tutela verify` reads them.
 */
#include <string.h>

#include "formats/format.h"
#include "formats/text.h"

enum { DIGEST_CHARS = 64 };

static const char bundle_names[] = ".sig .sigstore .sigstore.json";

static bool begins_with_key(tut_str text)
{
    static const char *const keys[] = {"\"mediaType\"", "\"dsseEnvelope\"",
                                       "\"verificationMaterial\""};
    tut_str rest = tut_str_trim(text);
    if (rest.len == 0 || rest.data[0] != '{')
        return false;
    rest = tut_str_trim((tut_str){rest.data + 1, rest.len - 1});
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_starts(rest, tut_str_of(keys[i])))
            return true;
    return false;
}

static tut_match sniff_bundle(const tut_sniff *s)
{
    tut_str head = tut_text_head(s);
    size_t at;
    /* Only under a name that no loader of configuration takes: a key of this kind in front must not
     * hide what such a loader would call. */
    if (!tut_sniff_ext(s, bundle_names) || !tut_sniff_text(s) || !begins_with_key(head))
        return TUT_MATCH_NONE;
    bool is_bundle = tut_str_find(head, TUT_LIT("application/vnd.dev.sigstore.bundle"), &at) ||
                     (tut_str_find(head, TUT_LIT("\"dsseEnvelope\""), &at) &&
                      tut_str_find(head, TUT_LIT("\"payload\""), &at));
    return is_bundle ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static bool is_digest_line(tut_str line)
{
    if (line.len < DIGEST_CHARS + 3 || line.data[DIGEST_CHARS] != ' ' ||
        (line.data[DIGEST_CHARS + 1] != ' ' && line.data[DIGEST_CHARS + 1] != '*'))
        return false;
    for (size_t i = 0; i < DIGEST_CHARS; i++)
        if (!strchr("0123456789abcdef", line.data[i]) || line.data[i] == '\0')
            return false;
    return true;
}

static tut_match sniff_digests(const tut_sniff *s)
{
    tut_str rest = tut_text_head(s);
    tut_str line;
    if (!tut_sniff_text(s) || !tut_sniff_ext(s, ".sha256 .sha256sum .sha256sums") ||
        !tut_text_next_line(&rest, &line, NULL))
        return TUT_MATCH_NONE;
    return is_digest_line(line) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

extern const tut_format tut_format_signature;
const tut_format tut_format_signature = {
    .name = "signature",
    .label = "Signature",
    .kind = TUT_KIND_NONE,
    .sniff = sniff_bundle,
    .is_detached = true,
    .extensions = bundle_names,
};

extern const tut_format tut_format_digests;
const tut_format tut_format_digests = {
    .name = "digests",
    .label = "Published digests",
    .kind = TUT_KIND_NONE,
    .sniff = sniff_digests,
    .is_detached = true,
    .extensions = ".sha256 .sha256sum .sha256sums",
};
