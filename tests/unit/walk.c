/* The walk: order, links, loops, limits, odd names, special files, speed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cage.h"
#include "base/fs.h"
#include "base/limits.h"

static char dir[64];

static char *in_dir(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, 512, "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-test-walk-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[256];
    (void)snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf -- '%s'", dir, dir);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static void put(const char *name)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "12345", 5), 5);
    assert_int_equal(close(fd), 0);
}

static void make(const char *name)
{
    assert_int_equal(mkdir(in_dir(name), 0755), 0);
}

typedef struct seen {
    tut_buf text; /* "F a/b\n": kind and path */
    size_t files, others;
    tut_code stop_with; /* after the first entry */
    char last[4096];
    bool is_out_of_order;
} seen;

static tut_status note(void *ctx, const tut_walk_entry *e, tut_error *err)
{
    static const char letters[] = {
        [TUT_WALK_FILE] = 'F',       [TUT_WALK_LINK_OUT] = 'O', [TUT_WALK_LINK_BROKEN] = 'B',
        [TUT_WALK_UNREADABLE] = 'U', [TUT_WALK_SPECIAL] = 'S',  [TUT_WALK_LIMIT] = 'L'};
    seen *s = ctx;
    tut_buf_printf(&s->text, "%c %s\n", letters[e->kind], e->rel);
    if (e->kind == TUT_WALK_FILE) {
        s->files++;
        assert_int_equal(e->size, 5);
        assert_null(e->problem);
        assert_true(e->ino != 0);
        if (strcmp(s->last, e->rel) >= 0)
            s->is_out_of_order = true;
        (void)snprintf(s->last, sizeof(s->last), "%s", e->rel);
    } else {
        s->others++;
        assert_non_null(e->problem);
    }
    if (s->stop_with != TUT_OK)
        return tut_fail(err, s->stop_with, "enough");
    return TUT_SUCCESS;
}

static void assert_walk(const char *root, const char *expected)
{
    seen s = {0};
    tut_error err = {0};
    tut_status status = tut_walk(root, note, &s, &err);
    if (!tut_is_ok(status))
        print_error("%s\n", err.text);
    assert_true(tut_is_ok(status));
    assert_false(s.is_out_of_order);
    const char *text = tut_buf_z(&s.text);
    assert_string_equal(text, expected);
    tut_buf_done(&s.text);
}

static void files_come_in_byte_order_of_the_whole_path(void **state)
{
    (void)state;
    make("a");
    make("a.b");
    make("Z");
    make("a/sub");
    put("a/x");
    put("a/sub/y");
    put("a-b");
    put("a.b/x");
    put("a0");
    put("ab");
    put("Z/last");
    put("B");
    assert_walk(dir, "F B\nF Z/last\nF a-b\nF a.b/x\nF a/sub/y\nF a/x\nF a0\nF ab\n");
}

static void an_empty_directory_has_nothing(void **state)
{
    (void)state;
    make("empty");
    assert_walk(dir, "");
}

static void tool_directories_are_passed_over_but_not_files_of_that_name(void **state)
{
    (void)state;
    static const char *const skipped[] = {".git", ".tutela", "node_modules", "__pycache__",
                                          ".venv"};
    make("a");
    for (size_t i = 0; i < 5; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "a/%s", skipped[i]);
        make(name);
        (void)snprintf(name, sizeof(name), "a/%s/x", skipped[i]);
        put(name);
        assert_true(tut_walk_skips(skipped[i]));
    }
    put(".venv");
    assert_false(tut_walk_skips(".gitignore"));
    assert_walk(dir, "F .venv\n");
    /* asked for by name, such a directory is walked */
    assert_walk(in_dir("a/.git"), "F x\n");
}

static void links_are_never_followed(void **state)
{
    (void)state;
    make("t");
    make("t/d");
    make("t/.git");
    make("t2");
    put("outside");
    put("t/d/f");
    put("t/.git/hidden");
    put("t2/g");
    assert_int_equal(symlink("d/f", in_dir("t/in")), 0);
    assert_int_equal(symlink("d", in_dir("t/indir")), 0);
    assert_int_equal(symlink("..", in_dir("t/d/up")), 0);
    assert_int_equal(symlink("../outside", in_dir("t/out")), 0);
    assert_int_equal(symlink("../t2", in_dir("t/outdir")), 0);
    assert_int_equal(symlink("/etc/passwd", in_dir("t/abs")), 0);
    assert_int_equal(symlink(in_dir("t/d/f"), in_dir("t/absin")), 0);
    assert_int_equal(symlink("nothing", in_dir("t/broken")), 0);
    assert_int_equal(symlink("self", in_dir("t/self")), 0);
    assert_int_equal(symlink("ping", in_dir("t/pong")), 0);
    assert_int_equal(symlink("pong", in_dir("t/ping")), 0);
    assert_int_equal(symlink(".git/hidden", in_dir("t/sneak")), 0);
    assert_walk(in_dir("t"), "O abs\nB broken\nF d/f\nO out\nO outdir\nB ping\nB pong\nB self\n"
                             "O sneak\n");
    /* the root itself may be a link: it was named */
    assert_int_equal(symlink("t2", in_dir("named")), 0);
    assert_walk(in_dir("named"), "F g\n");
}

static void special_files_are_not_opened(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    put("f");
    assert_walk(dir, "F f\nS fifo\n");
}

static void names_that_are_not_utf8_pass_as_bytes(void **state)
{
    (void)state;
    put("\xff\xfe");
    put("a\nb");
    put("\xc3\xa4");
    make("\x80");
    put("\x80/\x01");
    assert_walk(dir, "F a\nb\nF \x80/\x01\nF \xc3\xa4\nF \xff\xfe\n");
}

static void too_deep_is_a_limit_and_the_rest_is_walked(void **state)
{
    (void)state;
    /* relative, so that the path as given stays short */
    int at = open(dir, O_RDONLY | O_DIRECTORY);
    int fd = at;
    for (unsigned i = 0; i < TUT_LIMIT_WALK_DEPTH + 3; i++) {
        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        if (fd != at)
            assert_int_equal(close(fd), 0);
        fd = next;
    }
    assert_int_equal(close(fd), 0);
    put("d/f");
    put("z");
    seen s = {0};
    assert_true(tut_is_ok(tut_walk(dir, note, &s, NULL)));
    assert_int_equal(s.files, 2);
    assert_int_equal(s.others, 1);
    assert_non_null(strstr(tut_buf_z(&s.text), "\nF d/f\nF z\n"));
    assert_non_null(strstr(tut_buf_z(&s.text), "L d/d"));
    tut_buf_done(&s.text);
    assert_int_equal(close(at), 0);
}

static void a_visitor_that_fails_ends_the_walk(void **state)
{
    (void)state;
    put("a");
    put("b");
    seen s = {.stop_with = TUT_LIMIT};
    tut_error err = {0};
    assert_int_equal(tut_walk(dir, note, &s, &err).code, TUT_LIMIT);
    assert_string_equal(err.text, "enough");
    assert_int_equal(s.files, 1);
    tut_buf_done(&s.text);
}

static void a_root_that_is_no_directory_is_an_error(void **state)
{
    (void)state;
    seen s = {0};
    tut_error err = {0};
    put("f");
    assert_int_equal(tut_walk(in_dir("f"), note, &s, &err).code, TUT_IO);
    assert_int_equal(tut_walk(in_dir("none"), note, &s, &err).code, TUT_IO);
    assert_int_equal(s.files + s.others, 0);
}

/* In a child, because it gives its rights up. Exit status: 0 as expected, 77 skipped. */
static int as_ordinary_user(int (*what)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
            _exit(77);
        _exit(what());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int walk_unreadable(void)
{
    seen s = {0};
    tut_status status = tut_walk(dir, note, &s, NULL);
    const char *want = "F a\nU closed\nU secret\n";
    bool is_good = tut_is_ok(status) && strcmp(tut_buf_z(&s.text), want) == 0;
    tut_buf_done(&s.text);
    return is_good ? 0 : 1;
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    put("a");
    put("secret");
    make("closed");
    put("closed/f");
    if (geteuid() == 0)
        assert_int_equal(chown(in_dir("closed"), 0, 0), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(chmod(in_dir("secret"), 0), 0);
    assert_int_equal(chmod(in_dir("closed"), 0), 0);
    int rc = as_ordinary_user(walk_unreadable);
    assert_int_equal(chmod(in_dir("closed"), 0755), 0);
    if (rc == 77)
        skip();
    assert_int_equal(rc, 0);
}

static void a_directory_mounted_into_itself_is_a_loop(void **state)
{
    (void)state;
    make("a");
    make("a/b");
    put("a/f");
    if (mount(in_dir("a"), in_dir("a/b"), "none", MS_BIND, NULL) != 0) {
        print_message("no bind mounts here: skipped\n");
        skip();
    }
    seen s = {0};
    tut_status status = tut_walk(dir, note, &s, NULL);
    assert_int_equal(umount(in_dir("a/b")), 0);
    assert_true(tut_is_ok(status));
    assert_string_equal(tut_buf_z(&s.text), "B a/b\nF a/f\n");
    tut_buf_done(&s.text);
}

static size_t open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static void two_thousand_files_take_little_time_and_no_descriptor(void **state)
{
    (void)state;
    for (unsigned d = 0; d < 20; d++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "d%u", d);
        make(name);
        for (unsigned i = 0; i < 100; i++) {
            (void)snprintf(name, sizeof(name), "d%u/f%u", d, i);
            put(name);
        }
    }
    size_t before = open_descriptors();
    uint64_t best_us = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        seen s = {0};
        struct timespec a, b;
        (void)clock_gettime(CLOCK_MONOTONIC, &a);
        assert_true(tut_is_ok(tut_walk(dir, note, &s, NULL)));
        (void)clock_gettime(CLOCK_MONOTONIC, &b);
        assert_int_equal(s.files, 2000);
        assert_false(s.is_out_of_order);
        tut_buf_done(&s.text);
        uint64_t us = (uint64_t)((b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
        best_us = us < best_us ? us : best_us;
    }
    assert_int_equal(open_descriptors(), before);
    print_message("2,000 files walked in %llu us\n", (unsigned long long)best_us);
    /* Ten times what it takes, for slow machines and tools that watch memory. */
    assert_true(best_us < 500000);
}

static int walk_interrupted(void)
{
    seen s = {0};
    tut_interrupt_install();
    (void)raise(SIGINT);
    if (!tut_interrupted())
        return 2;
    return tut_walk(dir, note, &s, NULL).code == TUT_CANCELLED && s.files == 0 ? 0 : 1;
}

static void interruption_ends_the_walk(void **state)
{
    (void)state;
    put("f");
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(as_ordinary_user(walk_interrupted), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_come_in_byte_order_of_the_whole_path),
        TEST(an_empty_directory_has_nothing),
        TEST(tool_directories_are_passed_over_but_not_files_of_that_name),
        TEST(links_are_never_followed),
        TEST(special_files_are_not_opened),
        TEST(names_that_are_not_utf8_pass_as_bytes),
        TEST(too_deep_is_a_limit_and_the_rest_is_walked),
        TEST(a_visitor_that_fails_ends_the_walk),
        TEST(a_root_that_is_no_directory_is_an_error),
        TEST(what_cannot_be_read_is_told),
        TEST(a_directory_mounted_into_itself_is_a_loop),
        TEST(two_thousand_files_take_little_time_and_no_descriptor),
        TEST(interruption_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
