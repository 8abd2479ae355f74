/*
 * The table of capabilities.
 *
 * A row names a module, or with ".*" a module and all below it, and names in it: "*" for all, or
 * words, in which a '*' at either end stands for anything. The first row that fits
 * decides, so particular rows stand before general ones. What no row speaks of is not harmless by
 * that: see pickle_policy.c.
 */
#include "scan/pickle_capability.h"

typedef struct capability_row {
    const char *module;
    const char *names;
    tut_capability capability;
} capability_row;

#define ROW(module, capability, names) {module, names, TUT_CAPABILITY_##capability},
static const capability_row rows[] = {
#include "scan/pickle_capability.def"
};
#undef ROW

static bool is_module(tut_str module, const char *pattern)
{
    size_t len = strlen(pattern);
    bool is_tree = len > 2 && strcmp(pattern + len - 2, ".*") == 0;
    if (!is_tree)
        return tut_str_eq_z(module, pattern);
    len -= 2;
    if (module.len < len || memcmp(module.data, pattern, len) != 0)
        return false;
    return module.len == len || module.data[len] == '.';
}

/* "word", "word*", "*word", "*word*" */
static bool fits(tut_str name, tut_str word)
{
    bool any_start = tut_str_starts(word, TUT_LIT("*"));
    bool any_end = tut_str_ends(word, TUT_LIT("*")) && word.len > 1;
    size_t at;
    tut_str fixed = {word.data + any_start, word.len - any_start - any_end};
    if (any_start && any_end)
        return tut_str_find(name, fixed, &at);
    if (any_start)
        return tut_str_ends(name, fixed);
    return any_end ? tut_str_starts(name, fixed) : tut_str_eq(name, fixed);
}

static bool is_name(tut_str name, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, " ");
        if (fits(name, (tut_str){names, len}))
            return true;
        names += len;
        names += strspn(names, " ");
    }
    return false;
}

static tut_capability look_up(tut_str module, tut_str name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (is_module(module, rows[i].module) && is_name(name, rows[i].names))
            return rows[i].capability;
    }
    return TUT_CAPABILITY_NONE;
}

/* The attribute chain is cut at each dot: the part before may be a module that the walk reached. */
tut_capability tut_capability_of(tut_str module, tut_str name)
{
    tut_capability found = look_up(module, name);
    for (size_t start = 0; found == TUT_CAPABILITY_NONE && start < name.len; start++) {
        if (start > 0 && name.data[start - 1] != '.')
            continue;
        for (size_t dot = start; dot < name.len && found == TUT_CAPABILITY_NONE; dot++) {
            if (name.data[dot] != '.')
                continue;
            tut_str inner = {name.data + start, dot - start};
            tut_str rest = {name.data + dot + 1, name.len - dot - 1};
            found = look_up(inner, rest);
        }
    }
    return found;
}

static const char *const titles[] = {[TUT_CAPABILITY_NONE] = "Does nothing that is known",
#define TITLE(name, severity, title) [TUT_CAPABILITY_##name] = title,
                                     TUT_CAPABILITIES(TITLE)
#undef TITLE
};
static const tut_severity severities[] = {[TUT_CAPABILITY_NONE] = TUT_SEVERITY_INFO,
#define SEVERITY(name, severity, title) [TUT_CAPABILITY_##name] = TUT_SEVERITY_##severity,
                                          TUT_CAPABILITIES(SEVERITY)
#undef SEVERITY
};

const char *tut_capability_title(tut_capability c)
{
    return titles[c];
}

tut_severity tut_capability_severity(tut_capability c)
{
    return severities[c];
}
