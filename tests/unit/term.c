#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/term.h"

static const tut_term wide = {.unicode = true, .is_terminal = true, .width = 80};
static const tut_term ascii = {.unicode = false, .is_terminal = true, .width = 40};
static const tut_term pipe_end = {.unicode = true, .is_terminal = false, .width = 80};

static void clean_environment(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG",
                                        "TERM",   "NO_COLOR", "COLUMNS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
}

static void off_a_terminal_width_is_80_without_colour(void **state)
{
    (void)state;
    clean_environment();
    setenv("TERM", "xterm", 1);
    setenv("COLUMNS", "120", 1);
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    tut_term t;
    tut_term_detect(fd, TUT_COLOR_AUTO, &t);
    assert_false(t.is_terminal);
    assert_false(t.color);
    assert_int_equal(t.width, 80);
    tut_term_detect(fd, TUT_COLOR_ALWAYS, &t);
    assert_true(t.color);
    close(fd);
}

static bool is_unicode(const char *name, const char *value)
{
    tut_term t;
    clean_environment();
    setenv("LANG", "en_GB.UTF-8", 1);
    setenv(name, value, 1);
    tut_term_detect(-1, TUT_COLOR_AUTO, &t);
    return t.unicode;
}

static void locale_decides_between_unicode_and_ascii(void **state)
{
    (void)state;
    assert_true(is_unicode("LANG", "C.UTF-8"));
    assert_true(is_unicode("LANG", "de_DE.utf8@euro"));
    assert_false(is_unicode("LANG", "C"));
    assert_false(is_unicode("LANG", "de_DE.ISO-8859-1"));
    assert_false(is_unicode("LC_ALL", "C"));
    assert_false(is_unicode("LC_CTYPE", "POSIX"));
    assert_true(is_unicode("LC_ALL", ""));
    assert_false(is_unicode("TERM", "dumb"));
    assert_true(is_unicode("TERM", "xterm"));
}

static void terminal_has_its_width_and_colour(void **state)
{
    (void)state;
    clean_environment();
    setenv("TERM", "xterm", 1);
    struct winsize size = {.ws_row = 24, .ws_col = 97};
    int master;
    int slave;
    if (openpty(&master, &slave, NULL, NULL, &size) != 0) {
        print_message("no pseudo terminal here: skipped\n");
        skip();
    }
    tut_term t;
    tut_term_detect(slave, TUT_COLOR_AUTO, &t);
    assert_true(t.is_terminal && t.color);
    assert_int_equal(t.width, 97);
    tut_term_detect(slave, TUT_COLOR_NEVER, &t);
    assert_false(t.color);
    setenv("NO_COLOR", "1", 1);
    tut_term_detect(slave, TUT_COLOR_AUTO, &t);
    assert_false(t.color);
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    tut_term_detect(slave, TUT_COLOR_AUTO, &t);
    assert_false(t.color);
    size.ws_col = 0;
    ioctl(master, TIOCSWINSZ, &size);
    setenv("COLUMNS", "61", 1);
    tut_term_detect(slave, TUT_COLOR_AUTO, &t);
    assert_int_equal(t.width, 61);
    setenv("COLUMNS", "many", 1);
    tut_term_detect(slave, TUT_COLOR_AUTO, &t);
    assert_int_equal(t.width, 80);
    close(master);
    close(slave);
}

static void every_sign_has_an_ascii_one(void **state)
{
    (void)state;
    for (int g = TUT_GLYPH_MET; g <= TUT_GLYPH_BAR_EMPTY; g++) {
        for (const char *p = tut_term_glyph(&ascii, (tut_glyph)g); *p; p++)
            assert_in_range(*p, 0x21, 0x7E);
        assert_int_equal(tut_utf8_columns(tut_str_of(tut_term_glyph(&wide, (tut_glyph)g))), 1);
    }
    assert_string_equal(tut_term_glyph(&wide, TUT_GLYPH_NOT_MET), "\xC3\x97");
    assert_string_equal(tut_term_glyph(&ascii, TUT_GLYPH_TICK), "ok");
}

static void style_shows_only_with_colour(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_term t = wide;
    tut_term_printf(&t, &out, TUT_STYLE_BAD, "%d bad", 3);
    assert_string_equal(tut_buf_z(&out), "3 bad");
    t.color = true;
    tut_buf_clear(&out);
    tut_term_text(&t, &out, TUT_STYLE_BAD, TUT_LIT("x"));
    tut_term_text(&t, &out, TUT_STYLE_PLAIN, TUT_LIT("y"));
    tut_term_text(&t, &out, TUT_STYLE_GOOD, TUT_LIT(""));
    assert_string_equal(tut_buf_z(&out), "\033[31mx\033[0my");
}

static const char *path(const tut_term *t, const char *text, size_t columns, tut_buf *out)
{
    tut_buf_clear(out);
    tut_term_path(t, out, tut_str_of(text), columns);
    return tut_buf_z(out);
}

static void long_paths_lose_their_middle(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const char *deep = "models/very/deep/down/below/a.pkl";
    assert_string_equal(path(&wide, deep, 33, &out), deep);
    assert_string_equal(path(&wide, deep, 0, &out), deep);
    assert_string_equal(path(&wide, deep, 14, &out), "models/\xE2\x80\xA6/a.pkl");
    assert_string_equal(path(&wide, deep, 20, &out), "models/\xE2\x80\xA6/below/a.pkl");
    assert_string_equal(path(&ascii, deep, 16, &out), "models/.../a.pkl");
    assert_string_equal(path(&pipe_end, deep, 14, &out), deep);
    for (size_t columns = 1; columns < 40; columns++) {
        assert_in_range(tut_utf8_columns(tut_str_of(path(&wide, deep, columns, &out))), 1, columns);
        assert_in_range(tut_utf8_columns(tut_str_of(path(&ascii, deep, columns, &out))), 1,
                        columns);
        assert_in_range(tut_utf8_columns(tut_str_of(
                            path(&wide,
                                 "\xE6\xA8\xA1\xE5\x9E\x8B/\xE6\xA8\xA1\xE5\x9E\x8B/\xE6\xA8\xA1"
                                 "\xE5\x9E\x8B\xE6\xA8\xA1\xE5\x9E\x8B.bin",
                                 columns, &out))),
                        0, columns);
    }
}

static void paths_are_escaped(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const char *shown = path(&wide, "a\033[31m\n\xE2\x80\xAE\xFF", 0, &out);
    for (const char *p = shown; *p; p++)
        assert_in_range(*p, 0x20, 0x7E);
    assert_null(strstr(shown, "\033"));
}

static void text_is_folded_at_words(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_buf_add_z(&out, "Label    ");
    tut_term_wrap(&ascii, &out, 9,
                  TUT_LIT("Published hashes match for four of the five  shared "
                          "components.\n  tutela x\n"));
    assert_string_equal(tut_buf_z(&out), "Label    Published hashes match for four\n"
                                         "         of the five shared components.\n"
                                         "           tutela x\n");
    tut_buf_clear(&out);
    tut_term_wrap(&ascii, &out, 0,
                  TUT_LIT("a-word-that-is-longer-than-any-line-of-forty-columns b"));
    assert_string_equal(tut_buf_z(&out),
                        "a-word-that-is-longer-than-any-line-of-forty-columns\nb\n");
}

static const char *bytes(uint64_t n)
{
    static char text[16];
    tut_human_bytes(n, text);
    return text;
}

static const char *count(uint64_t n)
{
    static char text[32];
    tut_human_count(n, text);
    return text;
}

static void sizes_and_counts_are_for_people(void **state)
{
    (void)state;
    assert_string_equal(bytes(0), "0 B");
    assert_string_equal(bytes(999), "999 B");
    assert_string_equal(bytes(1000), "1.0 kB");
    assert_string_equal(bytes(1234), "1.2 kB");
    assert_string_equal(bytes(1250), "1.3 kB");
    assert_string_equal(bytes(9949), "9.9 kB");
    assert_string_equal(bytes(9950), "10 kB");
    assert_string_equal(bytes(212000000), "212 MB");
    assert_string_equal(bytes(999499), "999 kB");
    assert_string_equal(bytes(999500), "1.0 MB");
    assert_string_equal(bytes(999999999), "1.0 GB");
    assert_string_equal(bytes(UINT64_MAX), "18 EB");
    assert_string_equal(count(0), "0");
    assert_string_equal(count(999), "999");
    assert_string_equal(count(8412), "8,412");
    assert_string_equal(count(1226904), "1,226,904");
    assert_string_equal(count(UINT64_MAX), "18,446,744,073,709,551,615");
}

static void progress_is_silent_where_it_should_be(void **state)
{
    (void)state;
    tut_progress p;
    clean_environment();
    tut_progress_start(&p, true, TUT_COLOR_AUTO);
    assert_null(p.to);
    setenv("TERM", "dumb", 1);
    tut_progress_start(&p, false, TUT_COLOR_AUTO);
    assert_null(p.to);
    tut_progress_step(&p, "scan", 1, 2);
    tut_progress_end(&p);
    assert_false(p.is_drawn);
}

static void progress_draws_one_line_and_erases_it(void **state)
{
    (void)state;
    char *written = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&written, &len);
    assert_non_null(to);
    tut_progress p = {.to = to, .term = wide};
    tut_progress_step(&p, "scan", 9, 15);
    tut_progress_step(&p, "scan", 10, 15); /* too soon after the first */
    tut_progress_end(&p);
    fclose(to);
    assert_true(tut_str_starts(tut_str_of(written), TUT_LIT("\rscan \xE2\x96\x88")));
    assert_non_null(strstr(written, "\xE2\x96\x91 9/15   "));
    assert_null(strstr(written, "10/15"));
    assert_null(strchr(written, '\n'));
    assert_true(tut_str_ends(tut_str_of(written), TUT_LIT("\r\033[K")));
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_a_terminal_width_is_80_without_colour),
        cmocka_unit_test(locale_decides_between_unicode_and_ascii),
        cmocka_unit_test(terminal_has_its_width_and_colour),
        cmocka_unit_test(every_sign_has_an_ascii_one),
        cmocka_unit_test(style_shows_only_with_colour),
        cmocka_unit_test(long_paths_lose_their_middle),
        cmocka_unit_test(paths_are_escaped),
        cmocka_unit_test(text_is_folded_at_words),
        cmocka_unit_test(sizes_and_counts_are_for_people),
        cmocka_unit_test(progress_is_silent_where_it_should_be),
        cmocka_unit_test(progress_draws_one_line_and_erases_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
