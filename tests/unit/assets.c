/* The system description and the inventory: schema errors with their place, states, drafting,
 * editing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assets/match.h"
#include "assets/system.h"

static const tut_format model_format = {
    .name = "pickle", .label = "pickle", .kind = TUT_KIND_MODEL};
static const tut_format data_format = {.name = "csv", .label = "CSV", .kind = TUT_KIND_DATASET};
static const tut_format code_format = {.name = "python", .label = "Python", .kind = TUT_KIND_CODE};
static const tut_format config_format = {.name = "json", .label = "JSON", .kind = TUT_KIND_CONFIG};

static const char yaml[] =
    "schema: tutela.system/1\n"
    "system:\n"
    "  name: demo\n"
    "  version: TODO\n"
    "assets:\n"
    "  - id: model/a\n"
    "    path: models/a.pkl\n"
    "    digest: sha256:0101010101010101010101010101010101010101010101010101010101010101\n"
    "    origin: public\n"
    "    depends_on:\n"
    "      - dataset/b   # trained on it\n"
    "  # a remark between two\n"
    "  - id: dataset/b\n"
    "    path: data\n"
    "\n"
    "# the end\n";

static tut_system *parse(const char *text)
{
    tut_system *system = NULL;
    tut_error err = {0};
    tut_status status = tut_system_parse(".", "tutela.yaml", tut_str_of(text), &system, NULL, &err);
    if (!tut_is_ok(status))
        print_error("%s: %s\n", err.path, err.text);
    assert_true(tut_is_ok(status));
    return system;
}

static void expect_error(const char *text, const char *path, const char *message)
{
    tut_system *system = NULL;
    tut_error err = {0};
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_status status = tut_system_parse(".", "tutela.yaml", tut_str_of(text), &system, &shown,
                                         &err);
    assert_int_equal(status.code, TUT_MALFORMED);
    assert_null(system);
    assert_string_equal(err.path, path);
    if (!strstr(err.text, message))
        fail_msg("\"%s\" lacks \"%s\"", err.text, message);
    assert_true(shown.len > 0);
}

static tut_found_file file(const char *rel, const tut_format *format, uint8_t digest)
{
    tut_found_file f = {.rel = rel, .format = format, .size = 10, .has_digest = true};
    memset(f.digest.bytes, digest, sizeof(f.digest.bytes));
    return f;
}

static tut_inventory *build(const tut_system *s, const tut_found_file *files, size_t count)
{
    tut_inventory *inv = NULL;
    tut_error err = {0};
    assert_true(tut_is_ok(tut_inventory_build(s, files, count, &inv, &err)));
    return inv;
}

static const tut_inventory_item *item(const tut_inventory *inv, const char *id)
{
    for (size_t i = 0; i < inv->count; i++)
        if (strcmp(inv->items[i].id, id) == 0)
            return &inv->items[i];
    fail_msg("no item %s", id);
    return NULL;
}

static void a_description_is_read_and_todo_is_absent(void **state)
{
    (void)state;
    TUT_AUTO(tut_system) s = parse(yaml);
    assert_int_equal(s->asset_count, 2);
    assert_true(s->assets[0].is_external);
    assert_true(s->assets[0].has_digest);
    assert_false(s->assets[1].has_digest);
    assert_int_equal(s->version.len, 0);
    bool has_version = false;
    for (size_t i = 0; i < s->todo.count; i++)
        has_version |= tut_str_eq_z(s->todo.items[i], "system.version");
    assert_true(has_version);
}

static void wrong_descriptions_name_their_place(void **state)
{
    (void)state;
    expect_error("schema: tutela.system/1\nsystem:\n  nane: x\n", "tutela.yaml:3:3",
                 "did you mean \"name\"");
    expect_error("schema: tutela.system/2\nsystem:\n  name: x\n", "tutela.yaml:1:9",
                 "tutela.system/1");
    expect_error("schema: tutela.system/1\nsystem: 3\n", "tutela.yaml:2:9", "mapping");
    expect_error("schema: tutela.system/1\nsystem:\n  name: x\nassets:\n  - id: modell/a\n",
                 "tutela.yaml:5:9", "kind");
    expect_error(
        "schema: tutela.system/1\nsystem:\n  name: x\nassets:\n  - id: model/a\n    path: ../a\n",
        "tutela.yaml:6:11", "below");
    expect_error("schema: tutela.system/1\nsystem:\n  name: x\nassets:\n  - id: model/a\n    "
                 "digest: sha256:12\n",
                 "tutela.yaml:6:13", "64");
    expect_error("schema: tutela.system/1\nsystem:\n  name: x\nassets:\n  - id: model/a\n    "
                 "depends_on: [model/c]\n",
                 "tutela.yaml:6:18", "declared");
    expect_error("schema: tutela.system/1\nsystem:\n  name: x\npolicy:\n  fail_on: hihg\n",
                 "tutela.yaml:5:12", "did you mean \"high\"");
    expect_error("schema: tutela.system/1\nsystem:\n  name: x\ncomponents:\n  - id: a\n    kind: "
                 "agent\n    api:\n"
                 "      auht: key\n",
                 "tutela.yaml:8:7", "auth");
}

static void states_are_declared_undeclared_missing_and_changed(void **state)
{
    (void)state;
    TUT_AUTO(tut_system) s = parse(yaml);
    tut_found_file files[] = {file("data/one.csv", &data_format, 2),
                              file("extra.csv", &data_format, 3),
                              file("models/a.pkl", &model_format, 1)};
    TUT_AUTO(tut_inventory) inv = build(s, files, 3);
    assert_int_equal(item(inv, "model/a")->state, TUT_ASSET_DECLARED);
    assert_int_equal(item(inv, "dataset/b")->state, TUT_ASSET_CHANGED); /* no digest accepted yet */
    assert_int_equal(item(inv, "dataset/extra")->state, TUT_ASSET_UNDECLARED);
    files[2].digest.bytes[5] ^= 1;
    TUT_AUTO(tut_inventory) changed = build(s, files, 3);
    assert_int_equal(item(changed, "model/a")->state, TUT_ASSET_CHANGED);
    TUT_AUTO(tut_inventory) gone = build(s, files, 2);
    assert_int_equal(item(gone, "model/a")->state, TUT_ASSET_MISSING);
    assert_int_equal(gone->missing, 1);
}

static void a_file_that_could_not_be_read_is_not_as_accepted(void **state)
{
    (void)state;
    TUT_AUTO(tut_system) s = parse(yaml);
    tut_found_file files[] = {file("models/a.pkl", &model_format, 1)};
    files[0].has_digest = false;
    TUT_AUTO(tut_inventory) inv = build(s, files, 1);
    assert_int_equal(item(inv, "model/a")->state, TUT_ASSET_CHANGED);
}

static void code_directories_and_shards_are_one_asset_each(void **state)
{
    (void)state;
    const char *keys[] = {"refers.shard", "refers.shard"};
    const char *values[] = {"m-1.bin", "m-2.bin"};
    tut_found_file files[] = {
        file("app/a.py", &code_format, 1), file("app/sub/b.py", &code_format, 2),
        file("m/m-1.bin", &model_format, 3), file("m/m-2.bin", &model_format, 4),
        file("m/m.index.json", &config_format, 5)};
    files[4].fact_keys = keys;
    files[4].fact_values = values;
    files[4].fact_count = 2;
    TUT_AUTO(tut_inventory) inv = build(NULL, files, 5);
    assert_int_equal(inv->count, 2);
    assert_int_equal(item(inv, "code/app")->files, 2);
    assert_string_equal(item(inv, "code/app")->path, "app");
    assert_int_equal(inv->items[0].files + inv->items[1].files, 5);
}

/* Declared or not, the digest is over the same files in the same order: what init pins is what
 * inventory finds afterwards. */
static void the_digest_of_several_files_stays_when_they_are_declared(void **state)
{
    (void)state;
    const char *keys[] = {"refers.shard", "refers.shard"};
    const char *values[] = {"m-1.bin", "m-2.bin"};
    tut_found_file files[] = {file("app/README", NULL, 1), file("app/serve.py", &code_format, 2),
                              file("m-1.bin", &model_format, 3), file("m-2.bin", &model_format, 4),
                              file("m.index.json", &model_format, 5)};
    files[4].fact_keys = keys;
    files[4].fact_values = values;
    files[4].fact_count = 2;
    TUT_AUTO(tut_inventory) found = build(NULL, files, 5);
    assert_int_equal(found->count, 2);
    assert_int_equal(item(found, "code/app")->files, 2);
    assert_int_equal(item(found, "model/m.index")->files, 3);
    assert_int_equal(found->item_of[0], found->item_of[1]);
    TUT_AUTO(tut_system)
    s = parse("schema: tutela.system/1\nsystem:\n  name: x\nassets:\n"
              "  - id: code/app\n    path: app/\n"
              "  - id: model/m.index\n    path: m.index.json\n");
    TUT_AUTO(tut_inventory) declared = build(s, files, 5);
    const char *ids[] = {"code/app", "model/m.index"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(item(declared, ids[i])->files, item(found, ids[i])->files);
        assert_memory_equal(&item(declared, ids[i])->digest, &item(found, ids[i])->digest,
                            TUT_SHA256_BYTES);
    }
}

static void sources_have_address_time_and_digest(void **state)
{
    (void)state;
    TUT_AUTO(tut_system)
    s = parse(
        "schema: tutela.system/1\nsystem:\n  name: x\nassets:\n"
        "  - id: dataset/d\n    version: 3\n    supplier: ACME\n    collected_at: 2026-05-01\n"
        "    sources:\n"
        "      - url: https://a.example/1\n        collected_at: 2026-05-02\n"
        "        digest: "
        "sha256:0202020202020202020202020202020202020202020202020202020202020202\n"
        "      - url: https://a.example/2\n        collected_at: TODO\n");
    const tut_asset *a = &s->assets[0];
    assert_true(tut_str_eq_z(a->version, "3") && tut_str_eq_z(a->supplier, "ACME"));
    assert_true(a->has_collected_at);
    assert_int_equal(a->source_count, 2);
    assert_true(a->sources[0].has_collected_at && a->sources[0].has_digest);
    assert_int_equal(a->sources[0].collected_at - a->collected_at, 86400);
    assert_false(a->sources[1].has_collected_at || a->sources[1].has_digest);
    expect_error("schema: tutela.system/1\nsystem:\n  name: x\nassets:\n  - id: dataset/d\n"
                 "    sources:\n      - uri: x\n",
                 "tutela.yaml:7:9", "did you mean \"url\"");
    expect_error("schema: tutela.system/1\nsystem:\n  name: x\nassets:\n  - id: dataset/d\n"
                 "    sources: x\n",
                 "tutela.yaml:6:14", "must be a list");
}

static void dependencies_come_from_declaration_and_from_files(void **state)
{
    (void)state;
    TUT_AUTO(tut_system) s = parse(yaml);
    const char *keys[] = {"refers.dataset"};
    const char *values[] = {"org/extra"};
    tut_found_file files[] = {file("data/one.csv", &data_format, 2),
                              file("extra.csv", &data_format, 3),
                              file("models/a.pkl", &model_format, 1)};
    files[2].fact_keys = keys;
    files[2].fact_values = values;
    files[2].fact_count = 1;
    TUT_AUTO(tut_inventory) inv = build(s, files, 3);
    const tut_inventory_item *a = item(inv, "model/a");
    assert_int_equal(a->depends_count, 2);
    assert_string_equal(a->depends_on[0], "dataset/b");
    assert_false(a->is_inferred[0]);
    assert_string_equal(a->depends_on[1], "dataset/extra");
    assert_true(a->is_inferred[1]);
}

static void paths_in_a_configuration_are_followed_from_its_own_folder(void **state)
{
    (void)state;
    const char *keys[] = {"refers.file", "refers.file", "refers.file", "refers.file",
                          "refers.file"};
    const char *values[] = {"../models/a.pkl", "extra.csv", "../../../etc/passwd", "../app",
                            "./../data/./one.csv"};
    tut_found_file files[] = {
        file("app/a.py", &code_format, 1), file("config/c.yaml", &config_format, 2),
        file("data/one.csv", &data_format, 3), file("extra.csv", &data_format, 4),
        file("models/a.pkl", &model_format, 5)};
    files[1].fact_keys = keys;
    files[1].fact_values = values;
    files[1].fact_count = 5;
    TUT_AUTO(tut_inventory) inv = build(NULL, files, 5);
    const tut_inventory_item *c = item(inv, "config/c");
    assert_int_equal(c->depends_count, 4);
    assert_string_equal(c->depends_on[0], "code/app");
    assert_string_equal(c->depends_on[1], "dataset/extra");
    assert_string_equal(c->depends_on[2], "dataset/one");
    assert_string_equal(c->depends_on[3], "model/a");
}

static void a_name_that_climbs_out_of_the_root_is_nothing(void **state)
{
    (void)state;
    char path[16];
    assert_true(tut_match_resolve("a/b.yaml", "../c", path, sizeof(path)));
    assert_string_equal(path, "c");
    assert_true(tut_match_resolve("a/b/c.yaml", ".././/../d/./e", path, sizeof(path)));
    assert_string_equal(path, "d/e");
    assert_false(tut_match_resolve("a/b.yaml", "../../c", path, sizeof(path)));
    assert_false(tut_match_resolve("b.yaml", "..", path, sizeof(path)));
    assert_false(tut_match_resolve("b.yaml", "0123456789abcdef", path, sizeof(path)));
}

static void an_index_leads_only_what_lies_beside_it(void **state)
{
    (void)state;
    const char *keys[] = {"refers.shard", "refers.shard"};
    const char *values[] = {"../models/a.pkl", "models/a.pkl"};
    tut_found_file files[] = {file("evil/m.index.json", &config_format, 1),
                              file("models/a.pkl", &model_format, 2)};
    files[0].fact_keys = keys;
    files[0].fact_values = values;
    files[0].fact_count = 2;
    TUT_AUTO(tut_inventory) inv = build(NULL, files, 2);
    assert_int_equal(inv->count, 2);
    assert_int_equal(item(inv, "model/a")->files, 1);
}

static void a_draft_reads_back_as_what_was_found(void **state)
{
    (void)state;
    tut_found_file files[] = {file("a b: c.csv", &data_format, 2),
                              file("models/a.pkl", &model_format, 1)};
    TUT_AUTO(tut_inventory) inv = build(NULL, files, 2);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    size_t todo = 0;
    assert_true(tut_is_ok(tut_system_draft(".", inv, &text, &todo, NULL)));
    TUT_AUTO(tut_system) s = parse(tut_buf_z(&text));
    assert_int_equal(s->asset_count, 2);
    assert_int_equal(s->todo.count, todo);
    TUT_AUTO(tut_inventory) again = build(s, files, 2);
    assert_int_equal(again->undeclared + again->missing + again->changed, 0);
}

/* Everything of `before` stands in `after`, in order, around one inserted piece. */
static void assert_inserted(tut_str before, tut_str after)
{
    size_t head = 0;
    while (head < before.len && head < after.len && before.data[head] == after.data[head])
        head++;
    size_t tail = 0;
    while (tail < before.len - head &&
           before.data[before.len - 1 - tail] == after.data[after.len - 1 - tail])
        tail++;
    assert_int_equal(head + tail, before.len);
    assert_true(after.len > before.len);
}

static void update_inserts_and_changes_no_other_byte(void **state)
{
    (void)state;
    static const char *const texts[] = {
        yaml, "schema: tutela.system/1\nsystem:\n  name: x\n",
        "schema: tutela.system/1\nassets:\n- id: model/a\n  path: models/a.pkl\nsystem:\n  name: "
        "x\n",
        "schema: tutela.system/1\nsystem:\n  name: x\nassets:\n  - id: model/a\n    path: "
        "models/a.pkl", /* no newline */
    };
    tut_found_file files[] = {file("extra.csv", &data_format, 3),
                              file("models/a.pkl", &model_format, 1)};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        TUT_AUTO(tut_system) s = parse(texts[i]);
        TUT_AUTO(tut_inventory) inv = build(s, files, 2);
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        size_t added = 0;
        assert_true(tut_is_ok(tut_system_add(s, inv, &out, &added, NULL)));
        assert_int_equal(added, inv->undeclared);
        assert_inserted(tut_str_of(texts[i]), tut_buf_str(&out));
        TUT_AUTO(tut_system) again = parse(tut_buf_z(&out));
        TUT_AUTO(tut_inventory) after = build(again, files, 2);
        assert_int_equal(after->undeclared, 0);
    }
}

static void an_empty_list_gives_way_to_the_first_asset(void **state)
{
    (void)state;
    tut_found_file files[] = {file("extra.csv", &data_format, 3)};
    static const char *const texts[] = {"schema: tutela.system/1\nassets: []\nsystem:\n  name: x\n",
                                        "schema: tutela.system/1\nassets:\nsystem:\n  name: x\n"};
    for (size_t i = 0; i < 2; i++) {
        TUT_AUTO(tut_system) s = parse(texts[i]);
        TUT_AUTO(tut_inventory) inv = build(s, files, 1);
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        size_t added = 0;
        assert_true(tut_is_ok(tut_system_add(s, inv, &out, &added, NULL)));
        TUT_AUTO(tut_system) again = parse(tut_buf_z(&out));
        assert_int_equal(again->asset_count, 1);
        assert_string_equal(again->assets[0].id, "dataset/extra");
    }
}

static void accept_replaces_or_adds_one_digest(void **state)
{
    (void)state;
    TUT_AUTO(tut_system) s = parse(yaml);
    tut_found_file files[] = {file("data/one.csv", &data_format, 2),
                              file("models/a.pkl", &model_format, 9)};
    TUT_AUTO(tut_inventory) inv = build(s, files, 2);
    static const char *const ids[] = {"model/a", "dataset/b"};
    for (size_t i = 0; i < 2; i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        assert_true(tut_is_ok(tut_system_accept(s, inv, ids[i], &out, NULL)));
        TUT_AUTO(tut_system) again = parse(tut_buf_z(&out));
        TUT_AUTO(tut_inventory) after = build(again, files, 2);
        assert_int_equal(item(after, ids[i])->state, TUT_ASSET_DECLARED);
    }
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_int_equal(tut_system_accept(s, inv, "model/none", &out, NULL).code, TUT_USAGE);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    tut_found_file files[] = {file("data/one.csv", &data_format, 2),
                              file("extra.csv", &data_format, 3),
                              file("models/a.pkl", &model_format, 1)};
    TUT_AUTO(tut_system) s = parse(yaml);
    for (uint64_t n = 1; n < 200; n++) {
        tut_inventory *inv = NULL;
        tut_alloc_fail_after(n);
        tut_status status = tut_inventory_build(s, files, 3, &inv, NULL);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status)) {
            tut_inventory_free(inv);
            assert_true(n > 5);
            return;
        }
        assert_int_equal(status.code, TUT_NOMEM);
        assert_null(inv);
    }
    fail_msg("building an inventory never succeeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_description_is_read_and_todo_is_absent),
        cmocka_unit_test(wrong_descriptions_name_their_place),
        cmocka_unit_test(states_are_declared_undeclared_missing_and_changed),
        cmocka_unit_test(a_file_that_could_not_be_read_is_not_as_accepted),
        cmocka_unit_test(code_directories_and_shards_are_one_asset_each),
        cmocka_unit_test(the_digest_of_several_files_stays_when_they_are_declared),
        cmocka_unit_test(sources_have_address_time_and_digest),
        cmocka_unit_test(dependencies_come_from_declaration_and_from_files),
        cmocka_unit_test(paths_in_a_configuration_are_followed_from_its_own_folder),
        cmocka_unit_test(a_name_that_climbs_out_of_the_root_is_nothing),
        cmocka_unit_test(an_index_leads_only_what_lies_beside_it),
        cmocka_unit_test(a_draft_reads_back_as_what_was_found),
        cmocka_unit_test(update_inserts_and_changes_no_other_byte),
        cmocka_unit_test(an_empty_list_gives_way_to_the_first_asset),
        cmocka_unit_test(accept_replaces_or_adds_one_digest),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
