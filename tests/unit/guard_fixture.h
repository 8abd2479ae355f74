/* A policy from text, and a live file in a directory of its own, for the tests of the guard. */
#ifndef TUT_TEST_GUARD_FIXTURE_H
#define TUT_TEST_GUARD_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard/live.h"
#include "guard/policy.h"

static char world_dir[64], world_live[96];

static inline int make_world(void **state)
{
    (void)state;
    strcpy(world_dir, "/tmp/tutela-guard-XXXXXX");
    assert_non_null(mkdtemp(world_dir));
    snprintf(world_live, sizeof(world_live), "%s/live", world_dir);
    return 0;
}

static inline int drop_world(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", world_dir);
    return system(command);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

/* Children of these tests end as they stand; what they have open is not lost, for all that. */
enum { OPENED = 64 };
static tut_live *volatile opened[OPENED];
static size_t opened_count;

/* With a slot. */
static inline tut_live *open_live(bool create)
{
    tut_live *live = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_live_open(world_live, create, &live, NULL, &err)) ||
        !tut_is_ok(tut_live_join(live, &err))) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    opened[opened_count++ % OPENED] = live;
    return live;
}

/* Of this process: what others do on the machine does not count. */
static inline uint64_t cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void wait_for(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("a child ended with %x", (unsigned)status);
}

#define WORLD_HEAD "schema: tutela.system/1\nsystem:\n  name: demo\nguard:\n"
#define WORLD_ROUTES                                                                               \
    "  routes:\n    - id: chat\n      path: /v1/chat/completions\n      protocol: openai-chat\n"   \
    "    - id: infer\n      path: /v2/models/m/infer\n      protocol: kserve-v2\n"

/* keys and clients: what stands in guard:. Returns the error, or NULL. */
static inline const char *try_policy(const char *keys, tut_system **ret_system,
                                     tut_guard_policy *ret_policy)
{
    static tut_error err;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, WORLD_HEAD WORLD_ROUTES);
    tut_buf_add_z(&text, keys);
    err = (tut_error){0};
    *ret_system = NULL;
    if (!tut_is_ok(tut_system_parse(world_dir, "tutela.yaml", tut_buf_str(&text), ret_system, NULL,
                                    &err)) ||
        !tut_is_ok(tut_guard_policy_read(*ret_system, ret_policy, NULL, &err))) {
        tut_system_free(*ret_system);
        *ret_system = NULL;
        return err.text;
    }
    return NULL;
}

static inline tut_guard_policy read_policy(const char *keys, tut_system **ret_system)
{
    tut_guard_policy p;
    const char *problem = try_policy(keys, ret_system, &p);
    if (problem)
        fail_msg("%s", problem);
    return p;
}

static inline void check_refused(const char *keys, const char *why)
{
    tut_system *system = NULL;
    tut_guard_policy p;
    const char *problem = try_policy(keys, &system, &p);
    if (!problem)
        fail_msg("accepted: %s", keys);
    if (!strstr(problem, why))
        fail_msg("\"%s\" does not say \"%s\"", problem, why);
}

#endif
