#include <dlfcn.h>
#include <pthread.h>

#include "scan/yara_internal.h"

static tut_yara_api loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *failure = "it was not loaded";

/* By its full name with the version of its interface: the structures of the headers are those of
 * this one alone. What matched is kept by place, never by content. */
static void load(void)
{
    tut_yara_api api;
    void *library = dlopen("libyara.so.9", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        failure = "it cannot be loaded";
        return;
    }
    bool is_whole = true;
#define LOOK_UP(name)                                                                              \
    *(void **)&api.name = dlsym(library, "yr_" #name);                                             \
    is_whole = is_whole && api.name;
    TUT_YARA_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    if (!is_whole || api.initialize() != ERROR_SUCCESS ||
        api.set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, 0) != ERROR_SUCCESS) {
        failure = "it is not the one that this program was built for";
        return;
    }
    loaded = api;
    failure = NULL;
}

tut_status tut_yara_api_load(const tut_yara_api **ret_api, tut_error *err)
{
    if (pthread_once(&once, load) != 0 || failure)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "YARA rules need libyara (libyara.so.9), and %s; install libyara9",
                        failure);
    *ret_api = &loaded;
    return TUT_SUCCESS;
}

const tut_yara_api *tut_yara_api_get(void)
{
    return &loaded;
}
