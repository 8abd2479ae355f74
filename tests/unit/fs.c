/* Files: reading, atomic writing under injected faults, opening beneath a directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/fs_internal.h"

static char dir[64];

static char *in_dir(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, 256, "%s/%s", dir, name);
    return path;
}

static int remove_tree(const char *path)
{
    char command[300];
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", path);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-test-fs-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    tut_fs_fault(TUT_FS_STEP_WRITE, 0, 0);
    tut_fs_pretend_no_openat2(false);
    return remove_tree(dir);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void assert_content(const char *path, const char *text)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(path, 1000000, &b, NULL)));
    assert_int_equal(b.len, strlen(text));
    assert_memory_equal(b.data, text, b.len);
}

static size_t count_entries(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;
    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n - 2;
}

static tut_status write_text(const char *path, const char *text, tut_error *err)
{
    return tut_fs_write(path, tut_span_of(text, strlen(text)), 0644, err);
}

static void write_then_read_is_the_same(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) big = TUT_BUF_INIT;
    for (unsigned i = 0; i < 100000; i++)
        tut_buf_add_u32le(&big, i);
    assert_true(tut_is_ok(tut_fs_write(in_dir("big"), tut_buf_span(&big), 0640, NULL)));
    TUT_CLEAN(tut_buf) back = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_fs_read(in_dir("big"), big.len, &back, NULL)));
    assert_int_equal(back.len, big.len);
    assert_memory_equal(back.data, big.data, big.len);
    struct stat st;
    assert_int_equal(stat(in_dir("big"), &st), 0);
    assert_int_equal(st.st_mode & 0777 & ~0640u, 0);
    assert_true(tut_is_ok(write_text(in_dir("empty"), "", NULL)));
    assert_content(in_dir("empty"), "");
}

static void read_above_the_cap_is_a_limit_and_adds_nothing(void **state)
{
    (void)state;
    put(in_dir("f"), "0123456789");
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_z(&b, "kept");
    tut_error err = {0};
    assert_int_equal(tut_fs_read(in_dir("f"), 9, &b, &err).code, TUT_LIMIT);
    assert_int_equal(b.len, 4);
    assert_non_null(strstr(err.text, "larger than 9 bytes"));
    assert_true(tut_is_ok(tut_fs_read(in_dir("f"), 10, &b, NULL)));
    assert_int_equal(b.len, 14);
}

static void read_takes_regular_files_only(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_error err = {0};
    assert_int_equal(tut_fs_read("-", 10, &b, NULL).code, TUT_USAGE);
    assert_int_equal(tut_fs_read(dir, 10, &b, NULL).code, TUT_UNSUPPORTED);
    assert_int_equal(tut_fs_read("/dev/zero", 10, &b, NULL).code, TUT_UNSUPPORTED);
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(tut_fs_read(in_dir("fifo"), 10, &b, NULL).code, TUT_UNSUPPORTED);
    assert_int_equal(tut_fs_read(in_dir("none"), 10, &b, &err).code, TUT_IO);
    assert_non_null(strstr(err.text, "No such file"));
    assert_string_equal(err.path, in_dir("none"));
}

typedef struct fault_case {
    tut_fs_step step;
    unsigned n;
    int errno_value;
} fault_case;

static void a_failed_write_leaves_the_old_file_and_no_other(void **state)
{
    (void)state;
    static const fault_case cases[] = {
        {TUT_FS_STEP_OPEN, 1, ENOSPC},  {TUT_FS_STEP_OPEN, 1, EROFS},
        {TUT_FS_STEP_WRITE, 1, ENOSPC}, {TUT_FS_STEP_WRITE, 1, EIO},
        {TUT_FS_STEP_FSYNC, 1, EIO},    {TUT_FS_STEP_FSYNC, 1, ENOSPC},
        {TUT_FS_STEP_RENAME, 1, EIO},   {TUT_FS_STEP_RENAME, 1, ENOSPC},
    };
    put(in_dir("f"), "old");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_error err = {0};
        tut_fs_fault(cases[i].step, cases[i].n, cases[i].errno_value);
        assert_int_equal(write_text(in_dir("f"), "new", &err).code, TUT_IO);
        assert_non_null(strstr(err.text, strerror(cases[i].errno_value)));
        assert_content(in_dir("f"), "old");
        assert_int_equal(count_entries(dir), 1);
    }
    /* the hook fires once: now it works */
    assert_true(tut_is_ok(write_text(in_dir("f"), "new", NULL)));
    assert_content(in_dir("f"), "new");
}

static void a_new_file_that_fails_is_not_there(void **state)
{
    (void)state;
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, ENOSPC);
    assert_int_equal(write_text(in_dir("f"), "new", NULL).code, TUT_IO);
    assert_int_equal(count_entries(dir), 0);
}

static void short_and_interrupted_writes_are_carried_on(void **state)
{
    (void)state;
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, TUT_FS_FAULT_SHORT);
    assert_true(tut_is_ok(write_text(in_dir("f"), "whole text", NULL)));
    assert_content(in_dir("f"), "whole text");
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, EINTR);
    assert_true(tut_is_ok(write_text(in_dir("f"), "other text", NULL)));
    assert_content(in_dir("f"), "other text");
    tut_fs_fault(TUT_FS_STEP_FSYNC, 1, EINTR);
    assert_true(tut_is_ok(write_text(in_dir("f"), "third", NULL)));
    assert_content(in_dir("f"), "third");
}

static void an_unconfirmed_directory_is_told_and_the_file_is_whole(void **state)
{
    (void)state;
    put(in_dir("f"), "old");
    tut_error err = {0};
    tut_fs_fault(TUT_FS_STEP_FSYNC, 2, EIO);
    assert_int_equal(write_text(in_dir("f"), "new", &err).code, TUT_IO);
    assert_non_null(strstr(err.text, "did not confirm"));
    assert_content(in_dir("f"), "new");
    assert_int_equal(count_entries(dir), 1);
    tut_fs_fault(TUT_FS_STEP_FSYNC, 2, EINVAL); /* a file system that cannot */
    assert_true(tut_is_ok(write_text(in_dir("f"), "newer", NULL)));
}

static void a_write_that_the_system_cuts_short_leaves_the_old_file(void **state)
{
    (void)state;
    put(in_dir("f"), "old");
    TUT_CLEAN(tut_buf) big = TUT_BUF_INIT;
    memset(tut_buf_extend(&big, 200000), 'x', 200000);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 65536;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    tut_error err = {0};
    tut_status status = tut_fs_write(in_dir("f"), tut_buf_span(&big), 0644, &err);
    tut_status appended = tut_fs_append(in_dir("f"), tut_buf_span(&big), NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status.code, TUT_IO);
    assert_int_equal(appended.code, TUT_IO);
    assert_non_null(strstr(err.text, "too large"));
    assert_content(in_dir("f"), "old");
    assert_int_equal(count_entries(dir), 1);
}

static void writing_to_what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(write_text("/dev/null/x", "new", NULL).code, TUT_IO);
    assert_int_equal(write_text(in_dir("absent/f"), "new", NULL).code, TUT_IO);
    assert_int_equal(write_text(in_dir(""), "new", NULL).code, TUT_USAGE);
    assert_int_equal(write_text("..", "new", NULL).code, TUT_USAGE);
}

static void a_pipe_or_a_device_stays_what_it_is(void **state)
{
    (void)state;
    struct stat st;
    char got[8] = "";
    assert_int_equal(mkfifo(in_dir("pipe"), 0600), 0);
    assert_int_equal(symlink("/dev/full", in_dir("full")), 0);
    int fd = open(in_dir("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(tut_is_ok(write_text(in_dir("pipe"), "poured", NULL)));
    assert_int_equal(read(fd, got, sizeof(got)), 6);
    assert_memory_equal(got, "poured", 6);
    close(fd);
    assert_int_equal(stat(in_dir("pipe"), &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    tut_error err = {0};
    assert_int_equal(write_text(in_dir("full"), "x", &err).code, TUT_IO);
    assert_int_equal(lstat(in_dir("full"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void append_is_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_true(tut_is_ok(tut_fs_append(in_dir("log"), tut_span_of("one\n", 4), NULL)));
    struct stat st;
    assert_int_equal(stat(in_dir("log"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, ENOSPC);
    assert_int_equal(tut_fs_append(in_dir("log"), tut_span_of("two\n", 4), NULL).code, TUT_IO);
    assert_content(in_dir("log"), "one\n");
    tut_fs_fault(TUT_FS_STEP_FSYNC, 1, EIO);
    assert_int_equal(tut_fs_append(in_dir("log"), tut_span_of("two\n", 4), NULL).code, TUT_IO);
    assert_content(in_dir("log"), "one\n");
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, TUT_FS_FAULT_SHORT);
    assert_true(tut_is_ok(tut_fs_append(in_dir("log"), tut_span_of("two\n", 4), NULL)));
    assert_content(in_dir("log"), "one\ntwo\n");
    assert_int_equal(tut_fs_append("/dev/null", tut_span_of("x", 1), NULL).code, TUT_UNSUPPORTED);
}

static void mkdirs_makes_the_whole_path_and_refuses_a_file(void **state)
{
    (void)state;
    assert_true(tut_is_ok(tut_fs_mkdirs(in_dir("a//b/c/"), 0755, NULL)));
    assert_true(tut_is_ok(tut_fs_mkdirs(in_dir("a/b/c"), 0755, NULL)));
    assert_true(tut_fs_is_dir(in_dir("a/b/c")));
    put(in_dir("f"), "x");
    assert_int_equal(tut_fs_mkdirs(in_dir("f/x"), 0755, NULL).code, TUT_IO);
    assert_int_equal(tut_fs_mkdirs(in_dir("f"), 0755, NULL).code, TUT_IO);
    assert_int_equal(tut_fs_mkdirs("", 0755, NULL).code, TUT_USAGE);
    assert_false(tut_fs_is_dir(in_dir("f")));
    assert_true(tut_fs_exists(in_dir("f")));
    assert_false(tut_fs_exists(in_dir("g")));
}

static void relink_replaces_and_a_failure_keeps_the_old(void **state)
{
    (void)state;
    char target[64];
    assert_true(tut_is_ok(tut_fs_relink("one", in_dir("latest"), NULL)));
    assert_true(tut_is_ok(tut_fs_relink("two", in_dir("latest"), NULL)));
    assert_int_equal(readlink(in_dir("latest"), target, sizeof(target)), 3);
    assert_memory_equal(target, "two", 3);
    tut_fs_fault(TUT_FS_STEP_RENAME, 1, EIO);
    assert_int_equal(tut_fs_relink("three", in_dir("latest"), NULL).code, TUT_IO);
    assert_int_equal(readlink(in_dir("latest"), target, sizeof(target)), 3);
    assert_memory_equal(target, "two", 3);
    assert_int_equal(count_entries(dir), 1);
}

static void join_handles_the_ends(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"},     {".", "b", "b"},
        {"./", "b", "b"},  {"", "b", "b"},     {"/a//", "b", "/a/b"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO_FREE char *joined = tut_fs_join(cases[i][0], cases[i][1]);
        assert_string_equal(joined, cases[i][2]);
    }
}

static int open_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static tut_code code_beneath(int dirfd, const char *rel)
{
    int fd = -1;
    tut_status status = tut_fs_open_beneath(dirfd, rel, &fd, NULL);
    if (tut_is_ok(status)) {
        char byte;
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(write(fd, &byte, 1), -1);
        assert_int_equal(close(fd), 0);
    }
    return status.code;
}

static void make_tree_for_opening(void)
{
    assert_int_equal(mkdir(in_dir("in"), 0755), 0);
    assert_int_equal(mkdir(in_dir("in/sub"), 0755), 0);
    put(in_dir("in/f"), "f");
    put(in_dir("in/sub/g"), "g");
    put(in_dir("outside"), "o");
    assert_int_equal(symlink("sub/g", in_dir("in/link")), 0);
    assert_int_equal(symlink("../f", in_dir("in/sub/up")), 0);
    assert_int_equal(symlink("sub", in_dir("in/dirlink")), 0);
    assert_int_equal(symlink("../outside", in_dir("in/out")), 0);
    assert_int_equal(symlink("/etc/passwd", in_dir("in/abs")), 0);
    assert_int_equal(symlink("loop", in_dir("in/loop")), 0);
    assert_int_equal(symlink("nowhere", in_dir("in/broken")), 0);
    assert_int_equal(mkfifo(in_dir("in/fifo"), 0600), 0);
}

static void check_opening(void)
{
    static const struct {
        const char *rel;
        tut_code code;
    } cases[] = {
        {"f", TUT_OK},
        {"./f", TUT_OK},
        {"sub/g", TUT_OK},
        {"sub//g", TUT_OK},
        {"sub/../f", TUT_OK},
        {"link", TUT_OK},
        {"sub/up", TUT_OK},
        {"dirlink/g", TUT_OK},
        {"dirlink/up", TUT_OK},
        {"../outside", TUT_DENIED},
        {"sub/../../outside", TUT_DENIED},
        {"/etc/passwd", TUT_DENIED},
        {"out", TUT_DENIED},
        {"abs", TUT_DENIED},
        {"..", TUT_DENIED},
        {"absent", TUT_IO},
        {"absent/f", TUT_IO},
        {"f/", TUT_IO},
        {"f/x", TUT_IO},
        {"loop", TUT_IO},
        {"broken", TUT_IO},
        {"", TUT_IO},
        {"sub", TUT_UNSUPPORTED},
        {".", TUT_UNSUPPORTED},
        {"fifo", TUT_UNSUPPORTED},
    };
    int fd = open_dir(in_dir("in"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_code code = code_beneath(fd, cases[i].rel);
        if (code != cases[i].code)
            print_error("%s: %s, expected %s\n", cases[i].rel, tut_code_name(code),
                        tut_code_name(cases[i].code));
        assert_int_equal(code, cases[i].code);
    }
    assert_int_equal(close(fd), 0);
}

static void open_beneath_stays_inside(void **state)
{
    (void)state;
    make_tree_for_opening();
    check_opening();
}

static void open_beneath_without_openat2_is_the_same(void **state)
{
    (void)state;
    make_tree_for_opening();
    tut_fs_pretend_no_openat2(true);
    size_t before = count_entries("/proc/self/fd");
    check_opening();
    assert_int_equal(count_entries("/proc/self/fd"), before);
}

static void names_of_any_length_are_errors_not_overflows(void **state)
{
    (void)state;
    int fd = open_dir(dir);
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        tut_fs_pretend_no_openat2(by_hand);
        for (size_t len = 250; len < 9000; len += 249) {
            char *name = malloc(len + 1);
            assert_non_null(name);
            memset(name, 'x', len);
            name[len] = '\0';
            assert_int_equal(code_beneath(fd, name), TUT_IO);
            for (size_t i = 1; i < len; i += 2)
                name[i] = '/';
            assert_int_equal(code_beneath(fd, name), TUT_IO);
            free(name);
        }
    }
    assert_int_equal(close(fd), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(write_then_read_is_the_same),
        TEST(read_above_the_cap_is_a_limit_and_adds_nothing),
        TEST(read_takes_regular_files_only),
        TEST(a_failed_write_leaves_the_old_file_and_no_other),
        TEST(a_new_file_that_fails_is_not_there),
        TEST(short_and_interrupted_writes_are_carried_on),
        TEST(an_unconfirmed_directory_is_told_and_the_file_is_whole),
        TEST(a_write_that_the_system_cuts_short_leaves_the_old_file),
        TEST(writing_to_what_is_no_file_is_refused),
        TEST(a_pipe_or_a_device_stays_what_it_is),
        TEST(append_is_whole_or_not_at_all),
        TEST(mkdirs_makes_the_whole_path_and_refuses_a_file),
        TEST(relink_replaces_and_a_failure_keeps_the_old),
        TEST(join_handles_the_ends),
        TEST(open_beneath_stays_inside),
        TEST(open_beneath_without_openat2_is_the_same),
        TEST(names_of_any_length_are_errors_not_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
