#include "text/hs.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static tut_hs loaded;
static bool is_whole;

static const struct {
    const char *name;
    size_t place;
} calls[] = {
    {"hs_scan", offsetof(tut_hs, scan)},
    {"hs_alloc_scratch", offsetof(tut_hs, alloc_scratch)},
    {"hs_free_scratch", offsetof(tut_hs, free_scratch)},
    {"hs_deserialize_database", offsetof(tut_hs, deserialize)},
    {"hs_serialize_database", offsetof(tut_hs, serialize)},
    {"hs_free_database", offsetof(tut_hs, free_database)},
    {"hs_compile_ext_multi", offsetof(tut_hs, compile)},
    {"hs_compile", offsetof(tut_hs, compile_one)},
    {"hs_free_compile_error", offsetof(tut_hs, free_error)},
    {"hs_expression_info", offsetof(tut_hs, info)},
    {"hs_version", offsetof(tut_hs, version)},
};

/* By its full name with the version of its interface. */
static void load(void)
{
    void *library = dlopen("libhs.so.5", RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        return;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        void *found = dlsym(library, calls[i].name);
        if (!found)
            return;
        *(void **)((char *)&loaded + calls[i].place) = found;
    }
    is_whole = true;
}

const tut_hs *tut_hs_load(void)
{
    (void)pthread_once(&once, load);
    return is_whole ? &loaded : NULL;
}
