#include "state/sqlite_load.h"

#include <dlfcn.h>
#include <pthread.h>

enum { LEAST_VERSION = 3038000 }; /* strict tables; 3.37 has them, 3.38 mended them */

struct tut_sqlite tut_sqlite;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *failure = "it was not loaded";

/* By its full name with the version of its interface, bound at once, its symbols for us alone. */
static void load(void)
{
    struct tut_sqlite api;
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        failure = "it cannot be loaded";
        return;
    }
    bool is_whole = true;
#define LOOK_UP(name)                                                                              \
    *(void **)&api.name = dlsym(library, "sqlite3_" #name);                                        \
    is_whole = is_whole && api.name;
    TUT_SQLITE_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    if (!is_whole || api.libversion_number() < LEAST_VERSION) {
        (void)dlclose(library);
        failure = "it is older than 3.38";
        return;
    }
    tut_sqlite = api;
    failure = NULL;
}

tut_status tut_sqlite_load(tut_error *err)
{
    if (pthread_once(&once, load) != 0 || failure)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the index needs SQLite (libsqlite3.so.0), and %s; install libsqlite3-0",
                        failure);
    return TUT_SUCCESS;
}
