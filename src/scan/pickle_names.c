#include "scan/pickle_names.h"

#include "scan/pickle_names.def"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool list_has(const char *const *list, size_t count, tut_str word)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = tut_str_cmp(tut_str_of(list[middle]), word);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool tut_python2_map(tut_str *module, tut_str *name)
{
    for (size_t i = 0; i < COUNT(name_map); i++) {
        if (tut_str_eq_z(*module, name_map[i][0]) && tut_str_eq_z(*name, name_map[i][1])) {
            *module = tut_str_of(name_map[i][2]);
            *name = tut_str_of(name_map[i][3]);
            return true;
        }
    }
    for (size_t i = 0; i < COUNT(module_map); i++) {
        if (tut_str_eq_z(*module, module_map[i][0])) {
            *module = tut_str_of(module_map[i][1]);
            return true;
        }
    }
    return false;
}

static tut_str top_of(tut_str module)
{
    const char *dot = memchr(module.data, '.', module.len);
    return dot ? (tut_str){module.data, (size_t)(dot - module.data)} : module;
}

bool tut_python_is_standard(tut_str module)
{
    return module.len > 0 && list_has(standard_modules, COUNT(standard_modules), top_of(module));
}

bool tut_python_is_library(tut_str module)
{
    return module.len > 0 && list_has(known_libraries, COUNT(known_libraries), top_of(module));
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool tut_python_is_dotted_name(tut_str text)
{
    bool is_start = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '.' && !is_start) {
            is_start = true;
            continue;
        }
        if (!is_letter(c) && (is_start || c < '0' || c > '9'))
            return false;
        is_start = false;
    }
    return !is_start;
}

uint64_t tut_name_hash(tut_str module, tut_str name)
{
    uint64_t h = 1469598103934665603ull;
    for (size_t i = 0; i < module.len; i++)
        h = (h ^ (uint8_t)module.data[i]) * 1099511628211ull;
    h = (h ^ 0xffu) * 1099511628211ull;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (uint8_t)name.data[i]) * 1099511628211ull;
    return h;
}
