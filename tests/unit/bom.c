#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bom/bom_internal.h"

/* --- licences --- */

static void check_licence(const char *text, tut_bom_licence_kind kind, const char *expected)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_int_equal(tut_bom_licence(tut_str_of(text), &out), kind);
    assert_string_equal(out.len ? tut_buf_z(&out) : "", expected);
}

static void licences_are_ids_expressions_or_names(void **state)
{
    (void)state;
    check_licence("Apache-2.0", TUT_BOM_LICENCE_ID, "Apache-2.0");
    check_licence(" apache-2.0 ", TUT_BOM_LICENCE_ID, "Apache-2.0");
    check_licence("mit", TUT_BOM_LICENCE_ID, "MIT");
    check_licence("0BSD", TUT_BOM_LICENCE_ID, "0BSD");
    check_licence("zlib", TUT_BOM_LICENCE_ID, "Zlib");
    check_licence("389-EXCEPTION", TUT_BOM_LICENCE_ID, "389-exception"); /* the first line */
    check_licence("zpl-2.1", TUT_BOM_LICENCE_ID, "ZPL-2.1");             /* near the last */
    check_licence("MIT or apache-2.0", TUT_BOM_LICENCE_EXPRESSION, "MIT OR Apache-2.0");
    check_licence("(MIT AND (0BSD OR Zlib))", TUT_BOM_LICENCE_EXPRESSION,
                  "(MIT AND (0BSD OR Zlib))");
    check_licence("GPL-2.0-only WITH Classpath-exception-2.0", TUT_BOM_LICENCE_EXPRESSION,
                  "GPL-2.0-only WITH Classpath-exception-2.0");
    check_licence("LicenseRef-ours AND MIT", TUT_BOM_LICENCE_EXPRESSION, "LicenseRef-ours AND MIT");
    check_licence("proprietary", TUT_BOM_LICENCE_NAME, "proprietary");
    check_licence("MIT OR", TUT_BOM_LICENCE_NAME, "MIT OR");
    check_licence("MIT MIT", TUT_BOM_LICENCE_NAME, "MIT MIT");
    check_licence("(MIT", TUT_BOM_LICENCE_NAME, "(MIT");
    check_licence("MIT)", TUT_BOM_LICENCE_NAME, "MIT)");
    check_licence("((((((((((MIT))))))))))", TUT_BOM_LICENCE_NAME, "((((((((((MIT))))))))))");
    check_licence("Apache", TUT_BOM_LICENCE_NAME, "Apache"); /* a part of a line is none */
    check_licence("", TUT_BOM_LICENCE_NONE, "");
    check_licence("  Unknown ", TUT_BOM_LICENCE_NONE, "");
}

static void every_licence_of_the_list_is_found(void **state)
{
    (void)state;
    extern const unsigned char tut_bom_licences[], tut_bom_licences_end[];
    tut_str rest = {(const char *)tut_bom_licences,
                    (size_t)(tut_bom_licences_end - tut_bom_licences)};
    size_t count = 0;
    while (rest.len) {
        const char *end = memchr(rest.data, '\n', rest.len);
        assert_non_null(end);
        tut_str id = {rest.data, (size_t)(end - rest.data)};
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        assert_int_equal(tut_bom_licence(id, &out), TUT_BOM_LICENCE_ID);
        assert_true(tut_str_eq(tut_buf_str(&out), id));
        rest = (tut_str){end + 1, rest.len - id.len - 1};
        count++;
    }
    assert_true(count > 700);
}

/* --- addresses --- */

static void check_url(const char *text, const char *expected)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    bool is_url = tut_bom_url(tut_str_of(text), &out);
    assert_int_equal(is_url, expected != NULL);
    assert_string_equal(out.len ? tut_buf_z(&out) : "", expected ? expected : "");
}

static void addresses_are_made_safe_or_refused(void **state)
{
    (void)state;
    check_url("https://models.example.org/a", "https://models.example.org/a");
    check_url("https://h:8080/a b?q=1#f#g", "https://h:8080/a%20b?q=1#f%23g");
    check_url("https://h/%41%zz\xc3\xa9", "https://h/%41%25zz%C3%A9");
    check_url("mailto:a@example.org", "mailto:a@example.org");
    check_url("doi:10.1/x", "doi:10.1/x");
    check_url("https://h/\"<>\\^`{|}", "https://h/%22%3C%3E%5C%5E%60%7B%7C%7D");
    check_url("", NULL);
    check_url("models/a.gguf", NULL);
    check_url("1a:b", NULL);
    check_url("https:", NULL);
    check_url("https://", NULL);
    check_url("https://h:port/", NULL);
    check_url("https://a b/", NULL);
    check_url("https://[::1/", NULL);
}

static void only_mail_addresses_are_mail_addresses(void **state)
{
    (void)state;
    static const char *const yes[] = {"security@support.example.org", "a.b+c_d@x-y.org"};
    static const char *const no[] = {"",         "a",         "@b.org",     "a@b",
                                     "a@b.",     "a@.b.org",  "a..b@c.org", "a.@c.org",
                                     ".a@c.org", "a@b@c.org", "a b@c.org",  "Office: a@c.org",
                                     "a@b..org", "a@-b.org",  "a@b_c.org"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(tut_bom_is_mail(tut_str_of(yes[i])));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(tut_bom_is_mail(tut_str_of(no[i])));
}

static void check_purl(const char *url, const char *version, const char *expected)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    bool is_one = tut_bom_purl_of_url(tut_str_of(url), tut_str_of(version), &out);
    assert_int_equal(is_one, expected != NULL);
    assert_string_equal(out.len ? tut_buf_z(&out) : "", expected ? expected : "");
}

static void hub_addresses_become_package_urls(void **state)
{
    (void)state;
    check_purl("https://huggingface.co/org/base-7b", "", "pkg:huggingface/org/base-7b");
    check_purl("https://hf.co/org/base/tree/main", "1.0 b", "pkg:huggingface/org/base@1.0%20b");
    check_purl("https://huggingface.co/datasets/org/d", "", "pkg:huggingface/org/d");
    check_purl("https://huggingface.co/org", "", NULL);
    check_purl("https://huggingface.co//x", "", NULL);
    check_purl("https://huggingface.co/org/", "", NULL);
    check_purl("https://huggingface.co.evil.org/a/b", "", NULL);
}

/* --- the model --- */

static tut_bom *read_bom(const char *assets)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_bom *bom = NULL;
    tut_buf_printf(&text, "{\"assets\":[%s]}", assets);
    tut_bom_input input = {.inventory = tut_buf_span(&text), .at = 1700000000};
    assert_true(tut_is_ok(tut_bom_new(&input, &bom, NULL)));
    return bom;
}

#define MODEL                                                                                      \
    "{\"id\":\"model/m\",\"kind\":\"model\",\"name\":\"m\",\"path\":\"models/m.gguf\","            \
    "\"state\":\"declared\",\"files\":1,\"size\":3,\"depends_on\":[\"dataset/d\",\"gone/x\"],"     \
    "\"inferred\":[\"dataset/d\"],\"facts\":[{\"key\":\"gguf.architecture\",\"value\":\"llama\"}]" \
    "}"
#define DATASET                                                                                    \
    "{\"id\":\"dataset/d\",\"kind\":\"dataset\",\"name\":\"d\",\"path\":\"data/d.csv\","           \
    "\"state\":\"declared\",\"digest\":{\"sha256\":"                                               \
    "\"0000000000000000000000000000000000000000000000000000000000000001\"}}"
#define CARD                                                                                       \
    "{\"id\":\"document/card\",\"kind\":\"document\",\"name\":\"card\",\"format\":\"model-card\"," \
    "\"path\":\"models/README.md\",\"state\":\"declared\",\"facts\":[{\"key\":\"card.task\","      \
    "\"value\":\"text-generation\"}]}"

static void edges_lead_to_assets_and_cards_to_models(void **state)
{
    (void)state;
    TUT_AUTO(tut_bom) bom = read_bom(MODEL "," DATASET "," CARD);
    const tut_bom_asset *m = &bom->assets[0];
    assert_int_equal(bom->asset_count, 3);
    assert_int_equal(m->edge_count, 2);
    assert_int_equal(m->edges[0].to, 1);
    assert_true(m->edges[0].is_inferred);
    assert_int_equal(m->edges[1].to, SIZE_MAX);
    assert_false(m->edges[1].is_inferred);
    assert_int_equal(bom->assets[1].used_by, 1);
    assert_int_equal(m->card, 2);
    assert_true(tut_str_eq_z(tut_bom_known(bom, m, "card.task"), "text-generation"));
    assert_true(tut_str_eq_z(tut_bom_architecture(bom, m), "llama"));
    assert_true(bom->assets[1].has_digest);
    assert_true(bom->is_complete);
}

static void refs_are_unique_whatever_the_names(void **state)
{
    (void)state;
    TUT_AUTO(tut_bom)
    bom = read_bom("{\"id\":\"model/a\"},{\"id\":\"model/a\"},{\"id\":\"model/a#1\"},{\"id\":\"\"},"
                   "{},{\"id\":\"model/a\",\"depends_on\":[\"model/a\",\"model/a\"]}");
    for (size_t i = 0; i < bom->asset_count; i++) {
        assert_true(bom->assets[i].ref[0] != '\0');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(bom->assets[i].ref, bom->assets[k].ref);
    }
    assert_string_equal(bom->assets[0].ref, "model/a");
    assert_int_equal(bom->assets[5].edge_count, 1); /* each target once */
    assert_false(bom->is_complete);
}

static void packages_are_kept_once_with_the_digest_that_any_file_gives(void **state)
{
    (void)state;
    TUT_AUTO(tut_bom)
    bom = read_bom(
        "{\"id\":\"code/a\",\"packages\":[{\"type\":\"pypi\",\"name\":\"Torch_Text\","
        "\"version\":\"2.1\"},{\"type\":\"npm\",\"name\":\"@s/n\",\"version\":\"1\"}]},"
        "{\"id\":\"code/b\",\"packages\":[{\"type\":\"pypi\",\"name\":\"Torch_Text\",\"version\":"
        "\"2.1\",\"digest\":{\"sha256\":"
        "\"0000000000000000000000000000000000000000000000000000000000000001\"}},"
        "{\"type\":\"pypi\",\"name\":\"torch-text\",\"version\":\"2.1\",\"digest\":"
        "{\"sha256\":\"short\"}},{\"type\":\"deb\",\"name\":\"libc6\",\"version\":\"2:1~x\"}]}");
    assert_int_equal(bom->package_count, 4);
    assert_string_equal(bom->packages[0].purl, "pkg:deb/debian/libc6@2%3A1~x");
    assert_string_equal(bom->packages[1].purl, "pkg:npm/%40s/n@1");
    assert_string_equal(bom->packages[2].purl, "pkg:pypi/torch-text@2.1");
    assert_int_equal(bom->packages[2].hash.len, 64);
    assert_int_equal(bom->packages[3].hash.len, 0); /* no digest of that length */
    assert_string_equal(bom->packages[3].ref, "pkg:pypi/torch-text@2.1#2");
    assert_int_equal(bom->assets[0].package_count, 2);
    assert_int_equal(bom->assets[1].package_count, 3);
}

static void the_serial_number_follows_the_facts(void **state)
{
    (void)state;
    TUT_AUTO(tut_bom) a = read_bom(MODEL "," DATASET);
    TUT_AUTO(tut_bom) again = read_bom(MODEL "," DATASET);
    TUT_AUTO(tut_bom) other = read_bom(MODEL);
    assert_memory_equal(&a->serial, &again->serial, sizeof(a->serial));
    assert_memory_not_equal(&a->serial, &other->serial, sizeof(a->serial));
}

static void evidence_about_other_bytes_is_noticed(void **state)
{
    (void)state;
    static const char text[] = "{\"assets\":[" MODEL "," DATASET "]}";
    tut_subject recorded = {.name = "dataset/d"};
    tut_bom_conformity c = {.log_origin = "", .recorded = &recorded, .recorded_count = 1};
    tut_bom_input input = {.inventory = tut_span_of(text, sizeof(text) - 1), .conformity = &c};
    recorded.digest.bytes[31] = 1;
    TUT_AUTO(tut_bom) same = NULL;
    TUT_AUTO(tut_bom) changed = NULL;
    assert_true(tut_is_ok(tut_bom_new(&input, &same, NULL)));
    assert_int_equal(same->changed, 0);
    recorded.digest.bytes[31] = 2;
    assert_true(tut_is_ok(tut_bom_new(&input, &changed, NULL)));
    assert_int_equal(changed->changed, 1);
    assert_true(changed->assets[1].has_changed);
}

static void what_is_no_inventory_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[]", "{\"assets\":1}", "{\"assets\":{}}", "null"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tut_bom *bom = NULL;
        tut_error err = {0};
        tut_bom_input input = {.inventory = tut_span_of(texts[i], strlen(texts[i]))};
        assert_int_equal(tut_bom_new(&input, &bom, &err).code, TUT_MALFORMED);
        assert_null(bom);
        assert_true(err.text[0] != '\0');
    }
}

/* --- the G7 list --- */

static void the_list_has_fifty_elements_in_seven_clusters(void **state)
{
    (void)state;
    static const struct cluster {
        const char *name;
        size_t count;
    } clusters[] = {{"Metadata", 10},      {"System", 9},   {"Models", 13}, {"Datasets", 10},
                    {"Infrastructure", 2}, {"Security", 4}, {"KPI", 2}};
    size_t at = 0;
    for (size_t c = 0; c < sizeof(clusters) / sizeof(clusters[0]); c++)
        for (size_t i = 1; i <= clusters[c].count; i++, at++) {
            char id[32];
            snprintf(id, sizeof(id), "%s-%02zu", clusters[c].name, i);
            assert_string_equal(tut_g7_elements[at].id, id);
            assert_string_equal(tut_g7_elements[at].cluster, clusters[c].name);
            assert_non_null(tut_g7_elements[at].is_known);
        }
    assert_int_equal(at, TUT_G7_COUNT);
}

static const tut_g7_element *element(const char *id)
{
    for (size_t i = 0; i < TUT_G7_COUNT; i++)
        if (strcmp(tut_g7_elements[i].id, id) == 0)
            return &tut_g7_elements[i];
    fail();
    return NULL;
}

static void check_g7(const tut_bom *bom, const char *id, const char *expected)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_g7_state s = tut_g7_judge(bom, element(id));
    tut_g7_text(element(id), &s, false, &text);
    assert_string_equal(tut_buf_z(&text), expected);
}

static void an_element_is_known_or_said_not_to_be(void **state)
{
    (void)state;
    TUT_AUTO(tut_bom) some = read_bom(MODEL "," DATASET);
    TUT_AUTO(tut_bom) none = read_bom("");
    check_g7(some, "Metadata-05", "not known");
    check_g7(some, "Models-01", "known: name");
    check_g7(some, "Models-07", "not known of any of 1");
    check_g7(some, "Datasets-05", "known: hashes[]");
    check_g7(none, "Models-07", "not known: the system has no model");
    check_g7(none, "System-02", "not known");
}

/* --- memory --- */

static tut_status write_all(tut_span inventory, tut_buf *out)
{
    TUT_AUTO(tut_bom) bom = NULL;
    tut_bom_input input = {.inventory = inventory, .at = 1700000000};
    TUT_TRY(tut_bom_new(&input, &bom, NULL));
    TUT_TRY(tut_bom_cyclonedx(bom, TUT_BOM_CYCLONEDX_17, NULL, out, NULL));
    return tut_bom_spdx(bom, out, NULL);
}

static void running_out_of_memory_is_an_error_like_any_other(void **state)
{
    (void)state;
    static const char text[] = "{\"assets\":[" MODEL "," DATASET "," CARD "]}";
    tut_span inventory = tut_span_of(text, sizeof(text) - 1);
    TUT_CLEAN(tut_buf) whole = TUT_BUF_INIT;
    assert_true(tut_is_ok(write_all(inventory, &whole)));
    size_t failed = 0;
    for (uint64_t n = 1; n < 100000; n++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        tut_alloc_fail_after(n);
        tut_status status = write_all(inventory, &out);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status)) {
            assert_int_equal(out.len, whole.len);
            assert_memory_equal(out.data, whole.data, whole.len);
            break;
        }
        assert_int_equal(status.code, TUT_NOMEM);
        failed++;
    }
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(licences_are_ids_expressions_or_names),
        cmocka_unit_test(every_licence_of_the_list_is_found),
        cmocka_unit_test(addresses_are_made_safe_or_refused),
        cmocka_unit_test(only_mail_addresses_are_mail_addresses),
        cmocka_unit_test(hub_addresses_become_package_urls),
        cmocka_unit_test(edges_lead_to_assets_and_cards_to_models),
        cmocka_unit_test(refs_are_unique_whatever_the_names),
        cmocka_unit_test(packages_are_kept_once_with_the_digest_that_any_file_gives),
        cmocka_unit_test(the_serial_number_follows_the_facts),
        cmocka_unit_test(evidence_about_other_bytes_is_noticed),
        cmocka_unit_test(what_is_no_inventory_is_refused),
        cmocka_unit_test(the_list_has_fifty_elements_in_seven_clusters),
        cmocka_unit_test(an_element_is_known_or_said_not_to_be),
        cmocka_unit_test(running_out_of_memory_is_an_error_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
