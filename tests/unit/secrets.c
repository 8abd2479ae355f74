/* The text engine: shapes, check digits, windows, what is shown and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "text/check.h"
#include "text/gitleaks.h"
#include "text/number.h"
#include "text/shape.h"
#include "text/text.h"

/* Of the form that GitHub documents, with its checksum; made for this test, never given out. */
#define GITHUB "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"
#define AWS "AKIAQ3EGV7HZJ2XKLM5R"

static tut_text_set *set;
static tut_text_scanner *scanner;

enum { KEPT = 32 };
typedef struct kept {
    tut_text_match items[KEPT];
    size_t count;
} kept;

static bool keep(void *ctx, const tut_text_match *m)
{
    kept *k = ctx;
    if (k->count < KEPT)
        k->items[k->count] = *m;
    k->count++;
    return true;
}

static kept look(tut_str text, unsigned classes)
{
    kept k = {0};
    tut_text_wish wish = {.classes = classes, .match = keep, .ctx = &k};
    assert_true(tut_is_ok(tut_text_scan(scanner, text, &wish, NULL)));
    return k;
}

static void must_find(const char *text, const char *id)
{
    kept k = look(tut_str_of(text), TUT_TEXT_ALL & ~TUT_TEXT_CLASS_BIT(TUT_TEXT_NETWORK));
    if (k.count != 1 || strcmp(k.items[0].id, id) != 0)
        fail_msg("%s: %zu found, the first is %s, not %s", text, k.count,
                 k.count ? k.items[0].id : "none", id);
}

static void must_pass(const char *text)
{
    kept k = look(tut_str_of(text), TUT_TEXT_ALL & ~TUT_TEXT_CLASS_BIT(TUT_TEXT_NETWORK));
    if (k.count != 0)
        fail_msg("%s: %s", text, k.items[0].id);
}

static void shapes_are_read_greedily_and_end(void **state)
{
    (void)state;
    size_t len = 0;
    assert_true(tut_shape_match("ab%d{2,3}-%h{2}", TUT_LIT("ab123-0f!"), true, &len));
    assert_int_equal(len, 8);
    assert_false(tut_shape_match("ab%d{2,3}-%h{2}", TUT_LIT("ab123-0ff"), true, &len));
    assert_true(tut_shape_match("ab%d{2,3}-%h{2}", TUT_LIT("ab123-0ff"), false, &len));
    assert_false(tut_shape_match("ab%d{2,3}", TUT_LIT("ab1"), true, &len));
    assert_true(tut_shape_match("a%%%d{1}", TUT_LIT("a%5"), true, &len));
}

static void every_trigger_is_of_the_width_that_is_said(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_shape_trigger("%h{32}-us%d{1,2}", &b);
    assert_string_equal(tut_buf_z(&b), "\\-us[0-9]{1}");
    assert_int_equal(tut_shape_lead("%h{32}-us%d{1,2}"), 36);
    tut_buf_clear(&b);
    tut_shape_trigger("sk-%a{20}T3BlbkFJ%a{20}", &b);
    assert_string_equal(tut_buf_z(&b), "T3BlbkFJ[A-Za-z0-9]{8}");
    assert_int_equal(tut_shape_lead("sk-%a{20}T3BlbkFJ%a{20}"), 39);
}

typedef struct digits_row {
    const char *name, *good;
    tut_check_digits check;
} digits_row;

/* The numbers are the examples of those who issue them, or follow their published method; each
 * fails with any digit one higher but where the method has no check digit. */
static void check_digits_hold_and_fail(void **state)
{
    (void)state;
    static const digits_row rows[] = {
        {"luhn", "79927398713", tut_check_luhn},
        {"card", "4012888888881881", tut_check_card},
        {"nhs", "9434765919", tut_check_uk_nhs},
        {"bsn", "111222333", tut_check_nl_bsn},
        {"pesel", "44051401359", tut_check_pl_pesel},
        {"cpf", "52998224725", tut_check_br_cpf},
        {"cnpj", "11222333000181", tut_check_br_cnpj},
        {"nir", "255081416802538", tut_check_fr_nir},
        {"tfn", "123456782", tut_check_au_tfn},
        {"abn", "51824753556", tut_check_au_abn},
        {"sin", "130692544", tut_check_ca_sin},
        {"nif", "501964843", tut_check_pt_nif},
        {"steuer", "86095742719", tut_check_de_steuer},
        {"aba", "111000025", tut_check_us_aba},
        {"personnummer", "8112189876", tut_check_se_pnr},
        {"npi", "1234567893", tut_check_us_npi},
        {"aadhaar", "234123412346", tut_check_in_aadhaar},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t d[32];
        size_t n = strlen(rows[i].good);
        for (size_t k = 0; k < n; k++)
            d[k] = (uint8_t)(rows[i].good[k] - '0');
        if (!rows[i].check(d, n))
            fail_msg("%s: %s does not hold", rows[i].name, rows[i].good);
        d[n - 1] = (uint8_t)((d[n - 1] + 1) % 10);
        if (rows[i].check(d, n))
            fail_msg("%s: holds with another check digit", rows[i].name);
        assert_false(rows[i].check(d, n - 1));
    }
}

static void words_with_check_characters_hold_and_fail(void **state)
{
    (void)state;
    assert_true(tut_check_iban(TUT_LIT("GB82WEST12345698765432")));
    assert_true(tut_check_iban(TUT_LIT("DE89370400440532013000")));
    assert_false(tut_check_iban(TUT_LIT("DE89370400440532013001")));
    assert_false(tut_check_iban(TUT_LIT("DE8937040044053201300")));
    assert_true(tut_check_es_dni(TUT_LIT("12345678Z")));
    assert_false(tut_check_es_dni(TUT_LIT("12345678A")));
    assert_true(tut_check_es_dni(TUT_LIT("X1234567L")));
    assert_true(tut_check_it_fiscale(TUT_LIT("RSSMRA85T10A562S")));
    assert_false(tut_check_it_fiscale(TUT_LIT("RSSMRA85T10A562T")));
    assert_true(tut_check_fi_hetu(TUT_LIT("131052-308T")));
    assert_false(tut_check_fi_hetu(TUT_LIT("131052-308U")));
    assert_true(tut_check_sg_nric(TUT_LIT("S1234567D")));
    assert_false(tut_check_sg_nric(TUT_LIT("S1234567E")));
    assert_true(tut_check_uk_nino(TUT_LIT("AB123456C")));
    assert_false(tut_check_uk_nino(TUT_LIT("BG123456C")));
}

static void keys_with_checksums_hold_and_fail(void **state)
{
    (void)state;
    /* BIP 173's own vectors, valid and not */
    assert_true(tut_check_bech32(TUT_LIT("A12UEL5L")));
    assert_true(tut_check_bech32(TUT_LIT("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw")));
    assert_false(tut_check_bech32(TUT_LIT("A1G7SGD8")));
    assert_true(tut_check_jwt(TUT_LIT("eyJhbGciOiJIUzI1NiJ9.e30.x")));
    assert_false(tut_check_jwt(TUT_LIT("eyJub25lIjoxfQ.e30.x")));
    assert_false(tut_check_crc_base62(TUT_LIT("ghp_short")));
    assert_false(tut_check_crc_base62(TUT_LIT("")));
}

static void secrets_are_found(void **state)
{
    (void)state;
    must_find("key: " AWS, "aws-access-key-id");
    must_find("AWS_SECRET_ACCESS_KEY=wJ4lrXUtnFEMIxK7MDENGxbPxRfiCYq2LsT8aZ0e", "aws-secret-key");
    must_find("x = '" GITHUB "'", "github-token");
    must_find("TUTELA_KEY=tut_eXr0vR3M3s6DIz21RLklm2OKoFqu482fGmrppmtfRXr0idOwi", "tutela-key");
    must_find("\"line\\n" AWS "\"", "aws-access-key-id");
    must_find("?a=%20" AWS "&", "aws-access-key-id");
    must_find("postgres://app:k3Y8dLw0qZr@db.internal:5432/x", "url-credentials");
    must_find("password = \"g7Kq2Zx9Lw4T\"", "generic-secret");
    must_find("Server=db;User Id=sa;Password=g7Kq2Zx9Lw4;", "connection-string");
    must_find("Authorization: Bearer a8Kd73bQ0sLw92Jd7Xm4Qp1T", "bearer-token");
    must_find("{\"k\": \"\\u0041KIAQ3EGV7HZJ2XKLM5R\"}", "aws-access-key-id");
    must_find("c: YXdzX2FjY2Vzc19rZXlfaWQgPSBBS0lBUTNFR1Y3SFpKMlhLTE01Ug==", "aws-access-key-id");
}

static void stand_ins_are_none(void **state)
{
    (void)state;
    must_pass("AKIAIOSFODNN7EXAMPLE");
    must_pass("token = ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    must_pass("password = \"${DB_PASSWORD}\"");
    must_pass("password: <your-password>");
    must_pass("api_key = os.environ['OPENAI_API_KEY']");
    must_pass("password=changeme12345");
    must_pass("https://user:password@example.com/x");
    must_pass("sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    must_pass("\"integrity\": "
              "\"sha512-q1W8xX0b2G0h1m5d3cJ8sZ7pKfLrT9yVnQeUaI2oPwM6tRbYkHgXzCvBnMlKjHg==\"");
    must_pass("token_type: Bearer, secret_name: my-secret-name-v2");
    must_pass("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----");
    must_pass("commit 1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014");
    must_pass("550e8400-e29b-41d4-a716-446655440000");
    must_pass(
        "model-7f3c1b52-ad35-11f1-8abc-0242ac120002.bin"); /* check digits of an account hold */
}

static void people_are_found(void **state)
{
    (void)state;
    must_find("My card 4539988915720591 is lost", "credit-card");
    must_find("4539 9889 1572 0591", "credit-card");
    must_find("IBAN gb82 west 1234 5698 7654 32.", "iban");
    must_find("ssn: 460-89-9847", "us-ssn");
    must_find("NHS number 943 476 5919", "uk-nhs");
    must_find("Aadhaar 2341 2341 2346", "in-aadhaar");
    must_find("my SIN number is 130-692-544", "ca-sin");
    must_find("CPF 529.982.247-25", "br-cpf");
    must_find("CF: RSSMRA85T10A562S", "it-codice-fiscale");
    must_find("hetu 131052-308T", "fi-hetu");
    must_find("write to jane.doe+x@mail.acme.io.", "email");
    must_find("call me at (96) 627-277", "phone");
    must_find("+1-903-140-4508x769", "phone");
}

static void numbers_of_nobody_pass(void **state)
{
    (void)state;
    must_pass("version 1.2.3.4567 of 2024-01-31 12:34:56");
    must_pass("0.4539988915720591, 3.14159265358979");
    must_pass("4111 1111 1111 1111");
    must_pass("9E9E 5212 5213 5214 5215 AAAA");
    must_pass("copyright 2005-2014");
    must_pass("ssn 666-12-3456, 000-12-3456, 987-00-1234");
    must_pass("git@github.com:a/b.git icon@2x.png pkg@1.2.3");
    must_pass("1700000000000 1700000000 86400000");
    must_pass("NHS number 943 476 5918");
}

static void a_value_is_never_shown(void **state)
{
    (void)state;
    kept k = look(TUT_LIT("k " AWS " and ssn: 460-89-9847"), TUT_TEXT_ALL);
    assert_int_equal(k.count, 2);
    assert_string_equal(k.items[0].shown, "...LM5R");
    assert_string_equal(k.items[1].shown, "(11 characters)");
}

/* Whatever the pieces are, and wherever the border of two windows falls. */
static void pieces_and_borders_change_nothing(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    while (text.len < (256u << 10) + 9200)
        tut_buf_add_z(&text, "plain words in a line\n");
    tut_str filler = tut_buf_str(&text);
    for (size_t at = (256u << 10) - 40; at < (256u << 10) + 9216; at += at % 7 == 0 ? 1 : 97) {
        kept k = {0};
        tut_text_wish wish = {.classes = TUT_TEXT_SECRETS, .match = keep, .ctx = &k};
        assert_true(tut_is_ok(tut_text_begin(scanner, &wish, NULL)));
        assert_true(tut_is_ok(tut_text_feed(scanner, tut_span_of(filler.data, at), NULL)));
        static const char key[] = " " AWS "\n";
        for (size_t i = 0; i < sizeof(key) - 1; i += 5) {
            size_t n = sizeof(key) - 1 - i < 5 ? sizeof(key) - 1 - i : 5;
            assert_true(tut_is_ok(tut_text_feed(scanner, tut_span_of(key + i, n), NULL)));
        }
        assert_true(tut_is_ok(tut_text_feed(scanner, tut_span_of(filler.data, 4000), NULL)));
        assert_true(tut_is_ok(tut_text_end(scanner, NULL)));
        if (k.count != 1 || k.items[0].begin != at + 1)
            fail_msg("at %zu: %zu found", at, k.count);
        size_t lines = 1;
        for (size_t i = 0; i < at; i++)
            lines += filler.data[i] == '\n';
        assert_int_equal(k.items[0].line, lines);
    }
}

static void utf16_is_read(void **state)
{
    (void)state;
    static const char text[] = "k: " AWS "\n";
    uint8_t wide[2 * sizeof(text)] = {0xff, 0xfe};
    for (size_t i = 0; i + 1 < sizeof(text); i++)
        wide[2 + 2 * i] = (uint8_t)text[i];
    for (size_t piece = 1; piece < 9; piece++) {
        kept k = {0};
        tut_text_wish wish = {.classes = TUT_TEXT_SECRETS, .match = keep, .ctx = &k};
        assert_true(tut_is_ok(tut_text_begin(scanner, &wish, NULL)));
        size_t first = piece < 4 ? 4 : piece; /* the mark is in the first piece */
        assert_true(tut_is_ok(tut_text_feed(scanner, tut_span_of(wide, first), NULL)));
        for (size_t i = first; i < sizeof(wide); i += piece) {
            size_t n = sizeof(wide) - i < piece ? sizeof(wide) - i : piece;
            assert_true(tut_is_ok(tut_text_feed(scanner, tut_span_of(wide + i, n), NULL)));
        }
        assert_true(tut_is_ok(tut_text_end(scanner, NULL)));
        assert_int_equal(k.count, 1);
    }
}

static void binary_shows_keys_and_nothing_loose(void **state)
{
    (void)state;
    static const char pickled[] = "\x80\x02}X\x14\0\0\0k3" AWS "q\x01X\x28\0\0\0" GITHUB "q\x02"
                                  "password = \"g7Kq2Zx9Lw4T\"";
    kept k = {0};
    tut_text_wish wish = {.classes = TUT_TEXT_ALL, .is_binary = true, .match = keep, .ctx = &k};
    tut_str bytes = {pickled, sizeof(pickled) - 1};
    assert_true(tut_is_ok(tut_text_scan(scanner, bytes, &wish, NULL)));
    assert_int_equal(k.count, 2);
    assert_string_equal(k.items[0].id, "aws-access-key-id");
    assert_string_equal(k.items[1].id, "github-token");
}

/* --- rules of a file --- */
static const char rules[] =
    "[[rules]]\nid = \"acme\"\ndescription = \"Acme\"\nregex = '''acme_([0-9a-z]{12})\\b'''\n"
    "keywords = [\"acme_\"]\nentropy = 2.0\n"
    "[[rules.allowlists]]\nstopwords = [\"demo\"]\n"
    "[[rules]]\nid = \"broken\"\nregex = '''(unclosed'''\n"
    "[[rules]]\nid = \"by-name\"\npath = '''\\.p12$'''\n";

static void rules_of_a_file_are_used(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) list = TUT_BUF_INIT;
    TUT_AUTO(tut_text_user) user = NULL;
    TUT_AUTO(tut_text_set) own = NULL;
    TUT_AUTO(tut_text_scanner) s = NULL;
    assert_true(tut_is_ok(tut_gitleaks_parse(tut_str_of(rules), &list, NULL)));
    tut_span none = {0};
    assert_true(tut_is_ok(tut_text_user_new(tut_buf_span(&list), none, &user, NULL)));
    assert_int_equal(tut_text_user_count(user), 2);
    assert_non_null(tut_text_user_problem(user, 0));
    assert_null(tut_text_user_problem(user, 1));
    assert_true(tut_is_ok(tut_text_set_open(user, &own, NULL)));
    assert_true(tut_is_ok(tut_text_scanner_new(own, &s, NULL)));
    kept k = {0};
    tut_text_wish wish = {
        .classes = TUT_TEXT_SECRETS, .path = "keys/me.p12", .match = keep, .ctx = &k};
    tut_str text = TUT_LIT("x acme_k3j5h8d0s2q9 y acme_demo5h8d0s2q z acme_aaaaaaaaaaaa");
    assert_true(tut_is_ok(tut_text_scan(s, text, &wish, NULL)));
    assert_int_equal(k.count, 2);
    assert_string_equal(k.items[0].id, "by-name");
    assert_string_equal(k.items[1].id, "acme");
    assert_true(k.items[1].is_user_rule);
    assert_int_equal(k.items[1].end - k.items[1].begin, 12); /* the group, not the whole */
}

/* The list is hostile until it has been read: cut anywhere it is refused, not used. */
static void a_cut_list_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) list = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_gitleaks_parse(tut_str_of(rules), &list, NULL)));
    tut_span none = {0};
    for (size_t len = 0; len < list.len; len++) {
        tut_text_user *user = NULL;
        tut_status status = tut_text_user_new(tut_span_of(list.data, len), none, &user, NULL);
        assert_false(tut_is_ok(status));
        assert_null(user);
    }
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 40; n++) {
        tut_text_set *s = NULL;
        tut_text_scanner *sc = NULL;
        kept k = {0};
        tut_text_wish wish = {.classes = TUT_TEXT_ALL, .match = keep, .ctx = &k};
        tut_alloc_fail_after(n);
        tut_status status = tut_text_set_open(NULL, &s, NULL);
        if (tut_is_ok(status))
            status = tut_text_scanner_new(s, &sc, NULL);
        if (tut_is_ok(status))
            status = tut_text_scan(sc, TUT_LIT("k " AWS " x@acme.io"), &wish, NULL);
        tut_alloc_fail_after(0);
        assert_true(tut_is_ok(status) ? k.count == 2 : status.code == TUT_NOMEM);
        tut_text_scanner_free(sc);
        tut_text_set_free(s);
    }
}

static int open_engine(void **state)
{
    (void)state;
    return tut_is_ok(tut_text_set_open(NULL, &set, NULL)) &&
                   tut_is_ok(tut_text_scanner_new(set, &scanner, NULL))
               ? 0
               : -1;
}

static int close_engine(void **state)
{
    (void)state;
    tut_text_scanner_free(scanner);
    tut_text_set_free(set);
    return 0;
}

/* A number, and a key in base64, at every place of two blocks, between letters and at the edges. */
static void what_is_found_does_not_hang_on_its_place(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "+49 30 90182044", "539-02-1187",      "GB82WEST12345698765432",
        "131052-308T",     "RSSMRA85T10A562S", "cGFzc3dvcmQgPSBodW50ZXI4ZkprMjlkS3MwYUxx"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t len = strlen(texts[i]);
        for (size_t at = 0; at < 140; at++) {
            char text[320];
            for (size_t k = 0; k < sizeof(text); k++)
                text[k] = k % 7 == 6 ? '\n' : k % 7 == 5 ? ' ' : 'w';
            memcpy(text + at, texts[i], len);
            if (at > 0)
                text[at - 1] = '\n';
            text[at + len] = '\n';
            size_t lines = 1;
            for (size_t k = 0; k < at; k++)
                lines += text[k] == '\n';
            for (size_t behind = 0; behind <= 80; behind += 80) {
                kept k = look((tut_str){text, at + len + behind}, TUT_TEXT_ALL);
                if (k.count != 1 || k.items[0].begin != at || k.items[0].line != lines)
                    fail_msg("%s at %zu: %zu found", texts[i], at, k.count);
            }
        }
    }
}

/* Each word of the tables is known to the list of its own rule, in any case and no part of a word.
 */
static void every_word_beside_a_number_counts(void **state)
{
    (void)state;
    static const char *const lists[] = {
#define NUMBER(id, label, class, least, most, check, groups, alone, words) words,
#include "text/rules_number.def"
#undef NUMBER
#define WORD(id, label, class, form, check, alone, words) words,
#include "text/rules_word.def"
#undef WORD
    };
    for (unsigned i = 0; i < TUT_NUMBER_PHONES; i++) {
        for (const char *at = lists[i]; *at;) {
            char text[96];
            size_t len = strcspn(at, "|");
            int n = snprintf(text, sizeof(text), "the %.*s: ", (int)len, at);
            for (int k = 0; k < n; k += 2)
                text[k] = text[k] >= 'a' && text[k] <= 'z' ? (char)(text[k] & ~0x20) : text[k];
            tut_str all = {text, (size_t)n};
            if (!(tut_number_lists_near(all, all.len, all.len) >> i & 1u))
                fail_msg("%s", text);
            text[3] = 'z';
            if (tut_number_lists_near(all, all.len, all.len) >> i & 1u && !memchr(at, ' ', len) &&
                !memchr(at, '-', len))
                fail_msg("%s", text);
            at += len;
            at += *at == '|';
        }
    }
}

/* As many signs of escapes as there is room for, in a time that grows with the text alone. */
static void many_escapes_take_no_longer(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < 4 << 20; i += 8)
        tut_buf_add_z(&text, i % 8192 == 0 ? "\\u0041\n\n" : "\\n\\n\\n\\n");
    assert_true(tut_is_ok(tut_buf_check(&text, NULL)));
    clock_t started = clock();
    assert_int_equal(look(tut_buf_str(&text), TUT_TEXT_ALL).count, 0);
    assert_true((double)(clock() - started) / CLOCKS_PER_SEC < 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_read_greedily_and_end),
        cmocka_unit_test(every_trigger_is_of_the_width_that_is_said),
        cmocka_unit_test(check_digits_hold_and_fail),
        cmocka_unit_test(words_with_check_characters_hold_and_fail),
        cmocka_unit_test(keys_with_checksums_hold_and_fail),
        cmocka_unit_test(secrets_are_found),
        cmocka_unit_test(stand_ins_are_none),
        cmocka_unit_test(people_are_found),
        cmocka_unit_test(numbers_of_nobody_pass),
        cmocka_unit_test(a_value_is_never_shown),
        cmocka_unit_test(pieces_and_borders_change_nothing),
        cmocka_unit_test(what_is_found_does_not_hang_on_its_place),
        cmocka_unit_test(every_word_beside_a_number_counts),
        cmocka_unit_test(many_escapes_take_no_longer),
        cmocka_unit_test(utf16_is_read),
        cmocka_unit_test(binary_shows_keys_and_nothing_loose),
        cmocka_unit_test(rules_of_a_file_are_used),
        cmocka_unit_test(a_cut_list_is_refused),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
