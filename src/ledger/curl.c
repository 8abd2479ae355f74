#include "ledger/curl.h"

#include <dlfcn.h>

enum { LEAST_VERSION = 0x075500 }; /* 7.85: protocols are named by text */

/* By its full name with the version of its interface, bound at once, its symbols for us alone. */
tut_status tut_curl_load(const tut_curl **ret_api, tut_error *err)
{
    static tut_curl api;
    static bool is_loaded;
    *ret_api = &api;
    if (is_loaded)
        return TUT_SUCCESS;
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "HTTP needs libcurl, which cannot be loaded (%s); install libcurl4",
                        dlerror());
    bool is_whole = true;
#define LOOK_UP(name)                                                                              \
    *(void **)&api.name = dlsym(library, #name);                                                   \
    is_whole = is_whole && api.name;
    TUT_CURL_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    if (!is_whole || api.curl_version_info(CURLVERSION_NOW)->version_num < LEAST_VERSION) {
        (void)dlclose(library);
        return tut_fail(err, TUT_UNSUPPORTED, "HTTP needs libcurl 7.85 or later");
    }
    if (api.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)dlclose(library);
        return tut_fail(err, TUT_IO, "libcurl does not start");
    }
    is_loaded = true;
    return TUT_SUCCESS;
}

bool tut_curl_add_header(const tut_curl *api, struct curl_slist **headers, const char *name,
                         const char *value)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!value)
        return true;
    tut_buf_printf(&text, "%s: %s", name, value);
    const char *z = tut_buf_z(&text);
    struct curl_slist *longer = z ? api->curl_slist_append(*headers, z) : NULL;
    if (longer)
        *headers = longer;
    return longer != NULL;
}
