/* Messages: mail as text, addresses, channels, bulletins, concerns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "govern/bulletin.h"
#include "govern/concern.h"
#include "govern/message_channel.h"
#include "memcheck.h"

static void assert_buf(tut_buf *b, const char *z)
{
    const char *text = tut_buf_z(b);
    if (!text || strcmp(text, z) != 0)
        fail_msg("\"%s\" is not \"%s\"", text, z);
}

/* --- mail --- */

static void a_body_is_quoted_so_that_no_server_changes_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *coded;
    } cases[] = {
        {"plain", "plain\r\n"},
        {"a = b", "a =3D b\r\n"},
        {".\nFrom x\nafter. From", "=2E\r\n=46rom x\r\nafter. From\r\n"},
        {"blank \nnext\t\nend ", "blank=20\r\nnext=09\r\nend=20\r\n"},
        {"\xc3\xa9", "=C3=A9\r\n"},
        {"one\r\ntwo", "one\r\ntwo\r\n"},
        {"bell\x07 cr\rx", "bell=07 cr=0Dx\r\n"},
        {"", "\r\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_mail_quoted(&out, tut_str_of(cases[i].text));
        assert_buf(&out, cases[i].coded);
    }
}

static void long_lines_are_broken_softly(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    for (int i = 0; i < 1000; i++)
        tut_buf_add_z(&text, i % 7 ? "x" : "\xe2\x80\x93");
    tut_mail_quoted(&out, tut_buf_str(&text));
    size_t line = 0;
    for (size_t i = 0; i < out.len; i++) {
        line = out.data[i] == '\n' ? 0 : line + 1;
        assert_true(line <= 77); /* 76 and CR */
    }
}

static void a_header_is_one_line_or_encoded_words(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) coded = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) attack = TUT_BUF_INIT;
    tut_mail_header(&plain, TUT_LIT("Poisoned captions"));
    assert_buf(&plain, "Poisoned captions");
    tut_mail_header(&coded, TUT_LIT("gr\xc3\xb6\xc3\x9f"
                                    "er als gedacht, viel"));
    assert_buf(&coded, "=?UTF-8?Q?gr=C3=B6=C3=9Fer_als_gedacht?=\r\n =?UTF-8?Q?=2C_viel?=");
    tut_mail_header(&attack, TUT_LIT("x\r\nBcc: all@example.org"));
    assert_buf(&attack, "=?UTF-8?Q?x=0D=0ABcc=3A_all=40example=2E?=\r\n =?UTF-8?Q?org?=");
}

static void a_letter_has_what_mail_needs(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const tut_letter letter = {.name = "bulletin/a@1",
                               .title = "Title",
                               .text = TUT_LIT("Text.\n"),
                               .digest = {{0xab, 0xcd}},
                               .address = TUT_LIT("ada@example.org"),
                               .at = 1796000000};
    assert_true(tut_is_ok(tut_mail_write(&letter, TUT_LIT("t@example.org"), &out, NULL)));
    assert_buf(&out, "Date: Mon, 30 Nov 2026 00:53:20 +0000\r\nFrom: <t@example.org>\r\n"
                     "To: <ada@example.org>\r\nSubject: Title\r\n"
                     "Message-ID: <tutela.abcd0000000000000000000000000000@example.org>\r\n"
                     "X-Tutela-Message: bulletin/a@1\r\nAuto-Submitted: auto-generated\r\n"
                     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\nText.\r\n\r\n");
}

/* --- addresses, URLs --- */

static void addresses_hold_nothing_that_ends_a_command(void **state)
{
    (void)state;
    static const char *const good[] = {"ada@example.org", "a.b+c@x.example", "o'neil@e-x.org",
                                       "x@localhost"};
    static const char *const bad[] = {"",
                                      "ada",
                                      "@example.org",
                                      "ada@",
                                      "a b@example.org",
                                      "ada@example.org\r\nRCPT TO:<x@y>",
                                      "<ada@example.org>",
                                      "ada@example.org,eve@example.org",
                                      "\"a\"@example.org",
                                      "ada@[127.0.0.1]",
                                      "ada@.example",
                                      "\xc3\xa9@example.org",
                                      "a@b@c"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(tut_message_is_address(tut_str_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (tut_message_is_address(tut_str_of(bad[i])))
            fail_msg("\"%s\" is taken", bad[i]);
    char large[300];
    memset(large, 'a', sizeof(large));
    memcpy(large + 250, "@example.org", 12);
    assert_false(tut_message_is_address((tut_str){large, sizeof(large)}));
    assert_false(tut_message_is_address((tut_str){"a\0b@example.org", 15}));
}

static void only_this_machine_is_told_in_the_clear(void **state)
{
    (void)state;
    static const char *const good[] = {"https://chat.example.org/hook?x=1",
                                       "http://127.0.0.1:8080/", "http://localhost/x",
                                       "http://[::1]:99/x"};
    static const char *const bad[] = {"http://chat.example.org/",
                                      "ftp://x/",
                                      "https://",
                                      "https://u:p@example.org/",
                                      "https://exa mple.org/",
                                      "http://127.0.0.1.example.org/",
                                      "http://localhost.example/",
                                      "https://x/\r\nHost: y"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (tut_channel_url_flaw(tut_str_of(good[i])))
            fail_msg("\"%s\" is refused", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!tut_channel_url_flaw(tut_str_of(bad[i])))
            fail_msg("\"%s\" is taken", bad[i]);
}

/* --- messages: of tutela.yaml --- */

static const char *policy_flaw(const char *section, tut_message_policy *ret, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO_FREE char *text = tut_asprintf("schema: tutela.system/1\nsystem: {name: s, version: "
                                            "\"1\", purpose: p}\n%s",
                                            section);
    assert_non_null(text);
    assert_true(
        tut_is_ok(tut_system_parse_here(".", "tutela.yaml", tut_str_of(text), &system, err)));
    return tut_is_ok(tut_message_policy_read(system, ret, NULL, err)) ? NULL : err->text;
}

static void channels_are_read_and_flaws_named(void **state)
{
    (void)state;
    tut_message_policy p;
    tut_error err = {0};
#define CHANNEL(text) "messages:\n  channels:\n    - {" text "}\n"
    assert_null(policy_flaw("messages: {addresses: a.yaml, users: [U]}\n", &p, &err));
    assert_int_equal(p.channel_count, 0);
    assert_null(policy_flaw(CHANNEL("id: m, kind: smtp, server: mail.example.org, from: t@e.org, "
                                    "user: u, password_file: p"),
                            &p, &err));
    static const struct {
        const char *section, *why;
    } cases[] = {
        {CHANNEL("id: m, kind: smtp, server: h, from: nobody"), "from is the address"},
        {CHANNEL("id: m, kind: smtp, server: \"h/x\", from: t@e.org"), "server is the host"},
        {CHANNEL("id: m, kind: smtp, server: h, from: t@e.org, port: 70000"), "port is a number"},
        {CHANNEL("id: m, kind: smtp, server: h, from: t@e.org, user: u"), "go together"},
        {CHANNEL("id: m, kind: smtp, server: h.example, from: t@e.org, tls: none"), "this machine"},
        {CHANNEL("id: \"a/b\", kind: file, folder: f"), "id is a name"},
        {CHANNEL("id: f, kind: file"), "folder is where"},
        {CHANNEL("id: w, kind: webhook"), "url or url_file"},
        {CHANNEL("id: w, kind: webhook, url: \"https://x/\", url_file: y"), "url or url_file"},
        {CHANNEL("id: w, kind: webhook, url: \"http://x.example/\""), "only this machine"},
        {CHANNEL("id: w, kind: pigeon, url: x"), "pigeon"},
        {CHANNEL("id: f, folder: x"), "a channel has a kind"},
        {CHANNEL("id: f, kind: file, folder: x, attempts: 0"), "attempts is from 1"},
        {CHANNEL("id: f, kind: file, folder: x, timeout_seconds: 999"), "timeout_seconds"},
        {CHANNEL("id: f, kind: file, folder: x, retry_seconds: 999"), "retry_seconds"},
        {CHANNEL("id: f, kind: file, folder: x, flavour: y"), "flavour"},
        {"messages:\n  channels:\n    - {id: f, kind: file, folder: x}\n    - {id: f, kind: file, "
         "folder: y}\n",
         "two channels are called"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_error e = {0};
        const char *told = policy_flaw(cases[i].section, &p, &e);
        if (!told || !strstr(told, cases[i].why))
            fail_msg("\"%s\": %s, not %s", cases[i].section, told ? told : "taken", cases[i].why);
    }
}

/* --- bulletins --- */

#define FRONT                                                                                      \
    "---\nid: captions\ntitle: Poisoned captions\nversion: 2\nfor: [developer, operator]\n"        \
    "threats: [data_poisoning]\natlas: [AML.T0020]\nuntil: 2027-03-01\n---\n"
#define BODY                                                                                       \
    "## What happens\nThis.\n\n## Who is affected\nThose.\n\n## Countermeasures\nNone known.\n"
static const char *const whole = FRONT BODY;

static void a_bulletin_is_read_with_all_its_parts(void **state)
{
    (void)state;
    TUT_CLEAN(tut_bulletin) b = {.name = NULL};
    assert_true(tut_is_ok(tut_bulletin_parse("b.md", tut_str_of(whole), &b, NULL)));
    assert_string_equal(b.name, "bulletin/captions@2");
    assert_int_equal(b.roles, TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR);
    assert_true(b.has_until && b.threats.count == 1 && b.atlas.count == 1);
    assert_true(tut_str_eq_z(b.text, BODY));
}

static void what_a_bulletin_lacks_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "front matter"},
        {"---\nid: x\n", "front matter"},
        {"---\n---\n" BODY, ""},
        {FRONT, "\"Countermeasures\""},
        {FRONT "## What happens\nTODO\n## Who is affected\nx y\n## Countermeasures\nnone\n",
         "\"What happens\""},
        {"---\nid: A B\ntitle: t\nversion: 1\nfor: [developer]\n---\n" BODY, "id is a name"},
        {"---\nid: a\ntitle: t\nversion: 0\nfor: [developer]\n---\n" BODY, "version"},
        {"---\nid: a\ntitle: t\nversion: 1\nfor: []\n---\n" BODY, "for says"},
        {"---\nid: a\ntitle: \"t\\r\\nBcc: x\"\nversion: 1\nfor: [developer]\n---\n" BODY,
         "title is one line"},
        {"---\nid: a\ntitle: t\nversion: 1\nfor: [developer]\natlas: [T1]\n---\n" BODY, "atlas"},
        {"---\nid: a\ntitle: t\nversion: 1\nfor: &x [developer]\n---\n" BODY, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_CLEAN(tut_bulletin) b = {.name = NULL};
        tut_error err = {0};
        if (tut_is_ok(tut_bulletin_parse_here("b.md", tut_str_of(cases[i].text), &b, &err)))
            fail_msg("case %zu is taken", i);
        if (!strstr(err.text, cases[i].why))
            fail_msg("case %zu: \"%s\", not \"%s\"", i, err.text, cases[i].why);
    }
}

static void every_cut_and_flipped_bit_is_told_or_read(void **state)
{
    (void)state;
    size_t len = strlen(whole);
    char copy[1024];
    for (size_t i = 0; i < len; i += memcheck_step(7)) {
        TUT_CLEAN(tut_bulletin) b = {.name = NULL};
        tut_error err = {0};
        memcpy(copy, whole, len);
        if (!tut_is_ok(tut_bulletin_parse_here("b.md", (tut_str){copy, i}, &b, &err)))
            assert_true(err.text[0] != '\0');
        for (int bit = 0; bit < 8; bit += 3) {
            TUT_CLEAN(tut_bulletin) flipped = {.name = NULL};
            tut_error why = {0};
            copy[i] = (char)(copy[i] ^ (1 << bit));
            if (!tut_is_ok(tut_bulletin_parse_here("b.md", (tut_str){copy, len}, &flipped, &why)))
                assert_true(why.text[0] != '\0');
            copy[i] = whole[i];
        }
    }
}

/* --- concerns --- */

static void a_receipt_says_what_was_raised(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_concern_receipt r = {.number = "C-7F3K9QXM", .index = 41, .at = 1796000000};
    tut_concern_receipt_file f;
    tut_sha256 again;
    memset(r.salt, 'a', 64);
    assert_true(tut_is_ok(tut_concern_commitment(tut_str_of(r.salt), TUT_LIT("subject"),
                                                 TUT_LIT("text\n"), &r.commitment, NULL)));
    assert_true(tut_is_ok(
        tut_concern_receipt_write(&r, "subject", TUT_LIT("log"), TUT_LIT("proof"), &out, NULL)));
    assert_true(tut_is_ok(tut_concern_receipt_read(tut_buf_span(&out), &f, NULL)));
    assert_string_equal(f.says.number, r.number);
    assert_string_equal(f.says.salt, r.salt);
    assert_string_equal(f.subject, "subject");
    assert_int_equal(f.says.index, 41);
    assert_true(tut_sha256_eq(&f.says.commitment, &r.commitment));
    assert_true(tut_is_ok(tut_concern_commitment(tut_str_of(f.says.salt), TUT_LIT("subject"),
                                                 TUT_LIT("texts\n"), &again, NULL)));
    assert_false(tut_sha256_eq(&again, &r.commitment));
    for (size_t i = 0; i < out.len; i++)
        assert_false(tut_is_ok(
            tut_concern_receipt_read(tut_span_of(out.data, i < 2 ? i : i - 1), &f, NULL)));
}

static void who_triages_is_named_or_has_the_role(void **state)
{
    (void)state;
    tut_str words[] = {TUT_LIT("Olga"), TUT_LIT("custodian")};
    const tut_concern_policy p = {.triage = {words, 2}};
    assert_true(tut_concern_triages(&p, "olga", 0));
    assert_true(tut_concern_triages(&p, "Eve", TUT_PERSON_CUSTODIAN));
    assert_false(tut_concern_triages(&p, "Eve", TUT_PERSON_OPERATOR));
    assert_false(tut_concern_triages(&p, "custodian of it", TUT_PERSON_OPERATOR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_quoted_so_that_no_server_changes_it),
        cmocka_unit_test(long_lines_are_broken_softly),
        cmocka_unit_test(a_header_is_one_line_or_encoded_words),
        cmocka_unit_test(a_letter_has_what_mail_needs),
        cmocka_unit_test(addresses_hold_nothing_that_ends_a_command),
        cmocka_unit_test(only_this_machine_is_told_in_the_clear),
        cmocka_unit_test(channels_are_read_and_flaws_named),
        cmocka_unit_test(a_bulletin_is_read_with_all_its_parts),
        cmocka_unit_test(what_a_bulletin_lacks_is_named),
        cmocka_unit_test(every_cut_and_flipped_bit_is_told_or_read),
        cmocka_unit_test(a_receipt_says_what_was_raised),
        cmocka_unit_test(who_triages_is_named_or_has_the_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
