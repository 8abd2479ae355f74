/* The cage: what a hostile job can not do, while the other tasks of its batch finish. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "unit/cage_batch.h"

static void a_worker_has_no_other_descriptors(void **state)
{
    (void)state;
    int extra = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    assert_true(extra >= 0);
    TUT_AUTO(tut_cage) cage = open_cage(3, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(tut_is_ok(submit_with(cage, i, "descriptors", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    /* those of tasks sent ahead are rightly there; these have none */
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(b.results[i].reply, "0");
    (void)close(extra);
}

static void a_job_cannot_open_look_up_or_create_files(void **state)
{
    (void)state;
    if (!is_jailed())
        skip();
    static const char *const arguments[] = {"open:/etc/passwd",
                                            "open:/",
                                            "open:.",
                                            "open:/proc/self/status",
                                            "create:/tmp/tutela-test-cage-escape",
                                            "create:tutela-test-cage-escape"};
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        const result *r = run_among_others(1, 0, arguments[i], -1, -1);
        assert_int_equal(r->outcome, TUT_CAGE_DONE);
        assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
    }
    assert_int_equal(access("/tmp/tutela-test-cage-escape", F_OK), -1);
    assert_int_equal(access("tutela-test-cage-escape", F_OK), -1);
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.seccomp) {
        const result *r = run_among_others(1, 0, "stat:/etc/passwd", -1, -1);
        assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
    }
}

/* Each half of the jail keeps files shut without the other. */
static void either_half_alone_keeps_files_shut(void **state)
{
    (void)state;
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.landlock_abi > 0) {
        for (int abi = 1; abi <= jail.landlock_abi; abi++) {
            tut_cage_pretend(abi, false);
            const result *r = run_among_others(1, 0, "open:/etc/passwd", -1, -1);
            assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
            r = run_among_others(1, 0, "create:/tmp/tutela-test-cage-escape", -1, -1);
            assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
            if (abi >= 4) {
                r = run_among_others(1, 0, "connect", -1, -1);
                assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
            }
            if (abi >= 6) {
                r = run_among_others(1, 0, "kill", -1, -1);
                assert_int_equal(strtol(r->reply, NULL, 10), EPERM);
            }
        }
    }
    if (jail.seccomp) {
        tut_cage_pretend(0, true);
        const result *r = run_among_others(1, 0, "open:/etc/passwd", -1, -1);
        assert_int_equal(strtol(r->reply, NULL, 10), EACCES);
        assert_forbidden("connect");
    }
}

static void a_job_that_connects_is_killed(void **state)
{
    (void)state;
    assert_forbidden("connect");
}

static void a_job_that_forks_is_killed(void **state)
{
    (void)state;
    assert_forbidden("fork");
}

static void a_job_that_execs_is_killed(void **state)
{
    (void)state;
    assert_forbidden("exec");
}

static void a_job_that_signals_or_traces_its_parent_is_killed(void **state)
{
    (void)state;
    assert_forbidden("kill");
    assert_forbidden("ptrace");
}

static void a_job_that_wants_memory_to_run_is_killed(void **state)
{
    (void)state;
    assert_forbidden("execmem");
}

static void a_job_that_sends_descriptors_is_killed(void **state)
{
    (void)state;
    assert_forbidden("sendfd");
}

static void too_much_memory_is_an_error_of_that_task(void **state)
{
    (void)state;
    if (tut_cage_is_instrumented())
        skip(); /* no memory limit there */
    const result *r = run_among_others(2, 0, "memory", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_FAILED);
    assert_int_equal(r->error.code, TUT_NOMEM);
    unsigned mib = 0;
    const char *number = strstr(r->error.text, "after ");
    assert_non_null(number);
    mib = (unsigned)strtoul(number + 6, NULL, 10);
    assert_true(mib >= 256 && mib <= 400);
}

static void a_worker_that_breaks_the_protocol_is_given_up(void **state)
{
    (void)state;
    static const char kinds[] = "kzslmeortdga";
    for (const char *k = kinds; *k; k++) {
        char argument[16];
        (void)snprintf(argument, sizeof(argument), "breach:%c", *k);
        int dirfd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const result *r = run_among_others(1, patience_ms(1000), argument, -1, dirfd);
        (void)close(dirfd);
        /* an answer of its own, twice, is that of its task; the second one is the breach */
        tut_cage_outcome wanted = *k == 'd' ? TUT_CAGE_DONE : TUT_CAGE_CRASHED;
        if (r->outcome != wanted)
            print_error("breach %c: outcome %d, %s\n", *k, (int)r->outcome, r->error.text);
        assert_int_equal(r->outcome, wanted);
        if (wanted == TUT_CAGE_CRASHED)
            assert_non_null(strstr(r->error.text, "protocol"));
    }
    const result *r = run_among_others(1, patience_ms(100), "breach:h", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_TIMEOUT);
    r = run_among_others(1, patience_ms(100), "breach:n", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_TIMEOUT);
}

static void siblings_come_from_beneath_only(void **state)
{
    (void)state;
    char dir[] = "/tmp/tutela-test-cage-XXXXXX";
    assert_non_null(mkdtemp(dir));
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(at, "t", 0755), 0);
    int t = openat(at, "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(t, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "shard", 5), 5);
    assert_int_equal(close(fd), 0);
    fd = openat(at, "x", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "secret", 6), 6);
    assert_int_equal(close(fd), 0);
    assert_int_equal(symlinkat("../x", t, "out"), 0);
    assert_int_equal(symlinkat("f", t, "in"), 0);
    assert_int_equal(mkfifoat(t, "fifo", 0600), 0);
    static const struct {
        const char *argument;
        tut_code code;
    } cases[] = {
        {"sibling:f", TUT_OK},          {"sibling:in", TUT_OK},
        {"sibling:../x", TUT_DENIED},   {"sibling:/etc/passwd", TUT_DENIED},
        {"sibling:out", TUT_DENIED},    {"sibling:absent", TUT_IO},
        {"sibling:", TUT_DENIED},       {"sibling:fifo", TUT_UNSUPPORTED},
        {"sibling:.", TUT_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const result *r = run_among_others(2, 0, cases[i].argument, -1, t);
        if (cases[i].code == TUT_OK) {
            assert_int_equal(r->outcome, TUT_CAGE_DONE);
            assert_string_equal(r->reply, "shard");
            continue;
        }
        assert_int_equal(r->outcome, TUT_CAGE_FAILED);
        assert_int_equal(r->error.code, cases[i].code);
    }
    const result *r = run_among_others(2, 0, "sibling:f", -1, -1);
    assert_int_equal(r->error.code, TUT_DENIED);
    char argument[32];
    (void)snprintf(argument, sizeof(argument), "siblings:%u", TUT_LIMIT_SIBLINGS);
    r = run_among_others(1, 0, argument, -1, t);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    (void)snprintf(argument, sizeof(argument), "siblings:%u", TUT_LIMIT_SIBLINGS + 1);
    r = run_among_others(1, 0, argument, -1, t);
    assert_int_equal(r->error.code, TUT_LIMIT);
    TUT_AUTO(tut_cage) cage = open_cage(1, 0);
    (void)snprintf(argument, sizeof(argument), "rawsiblings:%u", TUT_LIMIT_SIBLINGS);
    assert_true(tut_is_ok(submit_with(cage, 0, argument, -1, t)));
    (void)snprintf(argument, sizeof(argument), "rawsiblings:%u", TUT_LIMIT_SIBLINGS + 1);
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    assert_true(tut_is_ok(submit_with(cage, 1, argument, -1, t)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    assert_int_equal(strtol(b.results[0].reply, NULL, 10), TUT_OK);
    assert_int_equal(strtol(b.results[1].reply, NULL, 10), TUT_LIMIT);
    assert_int_equal(unlinkat(t, "f", 0) | unlinkat(t, "in", 0) | unlinkat(t, "out", 0), 0);
    assert_int_equal(unlinkat(t, "fifo", 0) | unlinkat(at, "x", 0), 0);
    assert_int_equal(unlinkat(at, "t", AT_REMOVEDIR), 0);
    (void)close(t);
    (void)close(at);
    assert_int_equal(rmdir(dir), 0);
}

static const result *run_lent(const char *argument, const tut_cage_lent *lent, size_t count)
{
    TUT_AUTO(tut_cage) cage = open_cage(1, 0);
    tut_cage_request request = {.fd = -1,
                                .sibling_dirfd = -1,
                                .lent = lent,
                                .lent_count = count,
                                .argument = tut_span_of(argument, strlen(argument)),
                                .tag = (void *)0};
    assert_true(tut_is_ok(tut_cage_submit(cage, &request, take, &b, NULL)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    return &b.results[0];
}

static void files_are_lent_by_name_and_written_only_where_that_is_said(void **state)
{
    (void)state;
    int in = -1, out = -1;
    char text[16] = "";
    assert_true(tut_is_ok(tut_fs_open_nameless(&in, NULL)));
    assert_true(tut_is_ok(tut_fs_open_nameless(&out, NULL)));
    assert_int_equal(write(in, "shard", 5), 5);
    const tut_cage_lent lent[] = {{.name = "in", .fd = in},
                                  {.name = "out", .fd = out, .is_writable = true}};
    const result *r = run_lent("sibling:in", lent, 2);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_string_equal(r->reply, "shard");
    assert_int_equal(strtol(run_lent("write:in", lent, 2)->reply, NULL, 10), -EBADF);
    assert_int_equal(strtol(run_lent("write:out", lent, 2)->reply, NULL, 10), 7);
    assert_int_equal(pread(out, text, sizeof(text), 0), 7);
    assert_string_equal(text, "written");
    for (size_t count = 0; count <= 1; count++) {
        r = run_lent("write:out", lent, count);
        assert_int_equal(r->outcome, TUT_CAGE_FAILED);
        assert_int_equal(r->error.code, TUT_DENIED);
    }
    (void)close(in);
    (void)close(out);
}

static void facts_tell_what_the_kernel_gave(void **state)
{
    (void)state;
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    tut_cage_facts f;
    tut_cage *cage = open_cage(1, 0);
    tut_cage_get_facts(cage, &f);
    assert_int_equal(f.landlock_abi, jail.landlock_abi);
    assert_int_equal(f.seccomp, jail.seccomp);
    assert_int_equal(f.complete, f.lacking[0] == '\0');
    assert_true(tut_is_ok(submit_with(cage, 0, "echo:x", -1, -1)));
    assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
    tut_cage_facts after;
    tut_cage_get_facts(cage, &after);
    assert_memory_equal(&f, &after, sizeof(f));
    tut_cage_free(cage);
}

static void a_lacking_part_is_told_and_require_refuses(void **state)
{
    (void)state;
    static const struct {
        int abi;
        bool seccomp;
        const char *lacking;
    } cases[] = {{0, true, "landlock"}, {-1, false, "seccomp"}, {0, false, "landlock, seccomp"}};
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.landlock_abi < 4 || !jail.seccomp)
        skip();
    for (size_t i = 0; i < 3; i++) {
        tut_cage_pretend(cases[i].abi, cases[i].seccomp);
        tut_cage *cage = open_cage(1, 0);
        assert_true(tut_is_ok(submit_with(cage, 0, "echo:x", -1, -1)));
        assert_true(tut_is_ok(tut_cage_drain(cage, take, &b, NULL)));
        assert_string_equal(b.results[0].reply, "x");
        tut_cage_facts f;
        tut_cage_get_facts(cage, &f);
        assert_false(f.complete);
        assert_non_null(strstr(f.lacking, cases[i].lacking));
        tut_cage_free(cage);
        cage = NULL;
        tut_cage_options o = {.mode = TUT_CAGE_REQUIRE};
        tut_error err = {0};
        assert_int_equal(tut_cage_open(job, &o, &cage, &err).code, TUT_UNSUPPORTED);
        assert_non_null(strstr(err.text, cases[i].lacking));
        assert_null(cage);
    }
    tut_cage_pretend(-1, true);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_cage_options o = {.mode = TUT_CAGE_REQUIRE};
    assert_true(tut_is_ok(tut_cage_call(job, &o, -1, tut_span_of("echo:x", 6), &out, NULL)));
}

/* The probe was too hopeful: the worker itself finds out, and nothing is parsed. */
static void require_holds_when_only_the_worker_finds_out(void **state)
{
    (void)state;
    tut_cage_jail jail;
    tut_cage_jail_probe(&jail);
    if (jail.landlock_abi < 4 || !jail.seccomp)
        skip();
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true((const volatile void *)shared != MAP_FAILED);
    /* Often, because the parent may be quick to end a worker that goes on. */
    for (int round = 0; round < 40; round++) {
        tut_cage *cage = NULL;
        tut_cage_options o = {.mode = TUT_CAGE_REQUIRE, .workers = 1};
        b = (batch){0};
        tut_cage_pretend(-1, true);
        assert_true(tut_is_ok(tut_cage_open(job, &o, &cage, NULL)));
        tut_cage_pretend(0, true);
        assert_true(tut_is_ok(submit_with(cage, 0, "mark", -1, -1)));
        tut_error err = {0};
        (void)usleep(2000);
        assert_int_equal(tut_cage_drain(cage, take, &b, &err).code, TUT_UNSUPPORTED);
        assert_non_null(strstr(err.text, "landlock"));
        assert_int_equal(b.count, 0);
        tut_cage_free(cage);
        assert_int_equal(*shared, 0);
    }
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_cage_call(job, NULL, -1, tut_span_of("mark", 4), &out, NULL)));
    assert_int_equal(*shared, 1); /* the mark works */
    assert_int_equal(munmap((void *)(uintptr_t)shared, 4096), 0);
}

/* All that a worker can write to: without a name, gone at once, and not more often than its limit.
 */
static void scratch_files_are_lent(void **state)
{
    (void)state;
    char argument[32];
    const result *r = run_among_others(2, 0, "scratch:3", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_string_equal(r->reply, "3");
    (void)snprintf(argument, sizeof(argument), "scratch:%u", TUT_LIMIT_SCRATCHES);
    r = run_among_others(1, 0, argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    (void)snprintf(argument, sizeof(argument), "scratch:%u", TUT_LIMIT_SCRATCHES + 1);
    r = run_among_others(1, 0, argument, -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_FAILED);
}

static void limits_hold_without_either_half(void **state)
{
    (void)state;
    if (tut_cage_is_instrumented())
        skip(); /* such tools need more */
    tut_cage_pretend(0, false);
    const result *r = run_among_others(1, 0, "limits", -1, -1);
    assert_int_equal(r->outcome, TUT_CAGE_DONE);
    assert_string_equal(r->reply, "1 1 1 1 1 1 0");
}

static int as_ordinary_user(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 77;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    if (!tut_is_ok(tut_cage_call(job, NULL, -1, tut_span_of("open:/etc/passwd", 16), &out, NULL)))
        return 1;
    if (is_jailed() && strtol(tut_buf_z(&out), NULL, 10) != EACCES)
        return 2;
    const result *r = run_among_others(2, patience_ms(5000), "segv", -1, -1);
    if (r->outcome != TUT_CAGE_CRASHED)
        return 3;
    r = run_among_others(2, patience_ms(100), "loop", -1, -1);
    return r->outcome == TUT_CAGE_TIMEOUT ? 0 : 4;
}

static void it_holds_for_an_ordinary_user(void **state)
{
    (void)state;
    assert_int_equal(in_child(as_ordinary_user), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worker_has_no_other_descriptors),
        TEST(a_job_cannot_open_look_up_or_create_files),
        TEST(either_half_alone_keeps_files_shut),
        TEST(a_job_that_connects_is_killed),
        TEST(a_job_that_forks_is_killed),
        TEST(a_job_that_execs_is_killed),
        TEST(a_job_that_signals_or_traces_its_parent_is_killed),
        TEST(a_job_that_wants_memory_to_run_is_killed),
        TEST(a_job_that_sends_descriptors_is_killed),
        TEST(too_much_memory_is_an_error_of_that_task),
        TEST(a_worker_that_breaks_the_protocol_is_given_up),
        TEST(siblings_come_from_beneath_only),
        TEST(files_are_lent_by_name_and_written_only_where_that_is_said),
        TEST(facts_tell_what_the_kernel_gave),
        TEST(a_lacking_part_is_told_and_require_refuses),
        TEST(require_holds_when_only_the_worker_finds_out),
        TEST(scratch_files_are_lent),
        TEST(limits_hold_without_either_half),
        TEST(it_holds_for_an_ordinary_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
