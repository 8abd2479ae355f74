/* What rules may ask of each kind of element: tables, and finding a name in them. */
#include <pthread.h>

#include "assets/attributes.h"
#include "govern/threat_internal.h"

#define TRUSTS "public partner internal restricted"
#define ZONES "unstated production training development"
#define SENSITIVITIES "public internal confidential personal"
#define EFFECTS_WORDS "none internal external"

static const tut_threat_attribute derived[] = {
#define THREAT_ATTRIBUTE(element, symbol, name, type, words, absent, about)                        \
    {name, TUT_THREAT_##type, words, about, absent},
#include "govern/threat_attributes.def"
#undef THREAT_ATTRIBUTE
};

/* First of each kind in the table, whose order is that of threat_attributes.def. */
static const struct {
    size_t first, end;
} ranges[TUT_THREAT_ON_COUNT] = {
    [TUT_THREAT_ON_COMPONENT] = {TUT_AT_COMPONENT_BASE, TUT_AT_FLOW_BASE},
    [TUT_THREAT_ON_FLOW] = {TUT_AT_FLOW_BASE, TUT_AT_ASSET_BASE},
    [TUT_THREAT_ON_ASSET] = {TUT_AT_ASSET_BASE, TUT_AT_BOUNDARY_BASE},
    [TUT_THREAT_ON_BOUNDARY] = {TUT_AT_BOUNDARY_BASE, TUT_AT_PERMISSION_BASE},
    [TUT_THREAT_ON_PERMISSION] = {TUT_AT_PERMISSION_BASE, TUT_AT_SYSTEM_BASE},
    [TUT_THREAT_ON_SYSTEM] = {TUT_AT_SYSTEM_BASE, TUT_THREAT_DERIVED_COUNT},
};

enum { COMPONENT_MAX = 96, DERIVED_OF_COMPONENT = TUT_AT_FLOW_BASE - TUT_AT_COMPONENT_BASE };

/* Of a component: the derived ones, then those of tutela.yaml. */
static tut_threat_attribute of_component[COMPONENT_MAX];
static size_t of_component_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *const tut_threat_on_names[TUT_THREAT_ON_COUNT] = {"component", "flow",       "asset",
                                                              "boundary",  "permission", "system"};
const char *const tut_threat_link_names[TUT_THREAT_LINK_COUNT] = {
    "", "system", "asset", "boundary", "from", "to", "holder"};

static tut_threat_type type_of(tut_attribute_type t)
{
    switch (t) {
    case TUT_ATTRIBUTE_TEXT:
    case TUT_ATTRIBUTE_TIME:
        return TUT_THREAT_TEXT;
    case TUT_ATTRIBUTE_WORD:
        return TUT_THREAT_WORD;
    case TUT_ATTRIBUTE_LEVEL:
        return TUT_THREAT_LEVEL;
    case TUT_ATTRIBUTE_FLAG:
        return TUT_THREAT_FLAG;
    case TUT_ATTRIBUTE_NUMBER:
        return TUT_THREAT_NUMBER;
    case TUT_ATTRIBUTE_TEXTS:
        return TUT_THREAT_LIST;
    }
    return TUT_THREAT_TEXT;
}

static void join_component(void)
{
    size_t count;
    const tut_attribute_row *rows = tut_attribute_rows(&count);
    for (size_t i = 0; i < DERIVED_OF_COMPONENT; i++)
        of_component[of_component_count++] = derived[TUT_AT_COMPONENT_BASE + i];
    for (size_t i = 0; i < count && of_component_count < COMPONENT_MAX; i++) {
        int64_t absent = rows[i].words ? tut_threat_word(rows[i].words, tut_str_of(rows[i].absent))
                                       : 0;
        of_component[of_component_count++] = (tut_threat_attribute){
            rows[i].key, type_of(rows[i].type), rows[i].words, NULL, absent < 0 ? 0 : absent};
    }
}

tut_status tut_threat_attributes(tut_threat_on on, const tut_threat_attribute **ret,
                                 size_t *ret_count, tut_error *err)
{
    if (pthread_once(&once, join_component) != 0)
        return tut_fail(err, TUT_BUG, "the attributes of components were not put together");
    bool is_component = on == TUT_THREAT_ON_COMPONENT;
    *ret = is_component ? of_component : &derived[ranges[on].first];
    *ret_count = is_component ? of_component_count : ranges[on].end - ranges[on].first;
    return TUT_SUCCESS;
}

size_t tut_threat_attribute_find(tut_threat_on on, tut_str name)
{
    const tut_threat_attribute *rows;
    size_t count;
    if (!tut_is_ok(tut_threat_attributes(on, &rows, &count, NULL)))
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(name, rows[i].name))
            return i;
    return SIZE_MAX;
}

size_t tut_component_place(const char *key)
{
    size_t place = tut_threat_attribute_find(TUT_THREAT_ON_COMPONENT, tut_str_of(key));
    return place == SIZE_MAX ? 0 : place; /* each key here is in the table: unit test */
}

int64_t tut_threat_word(const char *words, tut_str word)
{
    int64_t place = 0;
    for (const char *at = words; *at; place++) {
        size_t len = strcspn(at, " ");
        if (tut_str_eq((tut_str){at, len}, word))
            return place;
        at += len + (at[len] == ' ');
    }
    return -1;
}
