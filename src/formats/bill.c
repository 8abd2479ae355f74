/*
 * Bills of materials: CycloneDX and SPDX in JSON. They speak about assets and are none themselves.
 * Only under names that no loader of configuration takes: a key of this kind in front must not hide
 * what such a loader would call.
 */
#include <string.h>

#include "formats/format.h"
#include "formats/text.h"

static tut_match sniff(const tut_sniff *s)
{
    static const char *const keys[] = {"{\"$schema\":\"http://cyclonedx.org/schema/",
                                       "{\"bomFormat\":\"CycloneDX\"",
                                       "{\"@context\":\"https://spdx.org/rdf/3"};
    char head[64];
    size_t n = 0;
    if (!tut_sniff_ext(s, ".cdx.json .spdx.json") || !tut_sniff_text(s))
        return TUT_MATCH_NONE;
    tut_str text = tut_text_head(s);
    for (size_t i = 0; i < text.len && n + 1 < sizeof(head); i++)
        if (!strchr(" \t\r\n", text.data[i]) || text.data[i] == '\0')
            head[n++] = text.data[i];
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_starts((tut_str){head, n}, tut_str_of(keys[i])))
            return TUT_MATCH_SURE;
    return TUT_MATCH_NONE;
}

extern const tut_format tut_format_bill;
const tut_format tut_format_bill = {
    .name = "bill-of-materials",
    .label = "Bill of materials",
    .kind = TUT_KIND_NONE,
    .is_detached = true,
    .sniff = sniff,
    .extensions = ".cdx.json .spdx.json",
};
