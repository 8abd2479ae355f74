/* Manifests and indexes as the store reads them, and the layout on the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "store/store.h"
#include "store/tensors.h"
#include "store/version.h"

static tut_status parse(const char *json, tut_oci_doc **ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    tut_buf_init(&reply, TUT_LIMIT_REPLY_BYTES);
    TUT_TRY(tut_oci_job(NULL, NULL, tut_span_of(json, strlen(json)), &reply, err));
    return tut_oci_decode(tut_buf_span(&reply), ret, err);
}

static tut_status parse_version(const char *json, tut_version **ret, tut_error *err)
{
    tut_oci_doc *doc = NULL;
    TUT_TRY(parse(json, &doc, err));
    return tut_version_of(doc, ret, err);
}

static void make_version(tut_version *v, tut_version_file files[2])
{
    files[0] = (tut_version_file){.name = TUT_LIT("a/config.json"), .size = 2, .mode = 0644};
    files[0].blob.size = 2;
    files[1] =
        (tut_version_file){.name = TUT_LIT("b.bin"), .size = 0, .mode = 0755, .is_sealed = true};
    files[1].blob.size = tut_cipher_sealed_bytes(0);
    *v = (tut_version){.asset = TUT_LIT("model/x"),
                       .kind = TUT_LIT("model"),
                       .path = TUT_LIT("models/x"),
                       .layout = TUT_LAYOUT_DIRECTORY,
                       .number = 7,
                       .created = 1700000000,
                       .has_parent = true,
                       .has_key = true,
                       .key_id = "0123456789abcdef",
                       .files = files,
                       .count = 2};
}

/* The manifest with one text put in place of another, once. */
static char *altered(const char *from, const char *to)
{
    tut_version v;
    tut_version_file files[2];
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    make_version(&v, files);
    assert_true(tut_is_ok(tut_version_write(&v, &out, NULL)));
    const char *text = tut_buf_z(&out);
    const char *at = strstr(text, from);
    assert_non_null(at);
    char *made = tut_asprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_non_null(made);
    return made;
}

static void a_version_reads_as_it_was_written(void **state)
{
    TUT_AUTO(tut_version) v = NULL;
    TUT_AUTO_FREE char *text = altered("model/x", "model/x");
    tut_error err = {0};
    (void)state;
    assert_true(tut_is_ok(parse_version(text, &v, &err)));
    assert_true(tut_str_eq_z(v->asset, "model/x"));
    assert_int_equal(v->number, 7);
    assert_int_equal(v->created, 1700000000);
    assert_int_equal(v->count, 2);
    assert_true(v->has_parent && v->has_key);
    assert_int_equal(v->layout, TUT_LAYOUT_DIRECTORY);
    const tut_version_file *f = tut_version_find(v, TUT_LIT("b.bin"));
    assert_non_null(f);
    assert_true(f->is_sealed);
    assert_int_equal(f->mode, 0755);
    assert_int_equal(f->size, 0);
    assert_null(tut_version_find(v, TUT_LIT("a")));
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_version_write(v, &again, NULL)));
    assert_string_equal(tut_buf_z(&again), text);
}

static void hostile_versions_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"a/config.json", "../config.json", "no path below"},
        {"a/config.json", "/etc/passwd", "no path below"},
        {"a/config.json", "a/../../x", "no path below"},
        {"a/config.json", "a//x", "no path below"},
        {"a/config.json", "", "no path below"},
        {"a/config.json", "b.bin", "one name"},
        {"a/config.json", "b.bin/x", "below another file"},
        {"a/config.json", ".git/config", "no asset has files"},
        {"a/config.json", ".tutela/ledger/x", "no asset has files"},
        {"a/config.json", "a\\u0000b", "not a text"},
        {"\"0644\"", "\"4755\"", "mode"},
        {"\"0644\"", "\"9999\"", "mode"},
        {"\"tutela.path\":\"models/x\"", "\"tutela.path\":\"../x\"", "no path below the system"},
        {"\"tutela.path\":\"models/x\"", "\"tutela.path\":\"/x\"", "no path below the system"},
        {"\"directory\"", "\"tree\"", "layout"},
        {"\"7\"", "\"0\"", "no number"},
        {"\"7\"", "\"-1\"", "no number"},
        {"\"7\"", "\"99999999999999999999\"", "no number"},
        {"\"size\":56", "\"size\":57", "not as large as it says"},
        {"\"size\":56", "\"size\":-1", "not a number of bytes"},
        {"\"size\":56", "\"size\":1e99", "not a number of bytes"},
        {"\"size\":2}", "\"size\":9223372036854775808}", "not a number of bytes"},
        {"0123456789abcdef", "0123456789abcdeX", "key.id"},
        {"A256KW", "rot13", "not known"},
        {"vnd.tutela.version", "vnd.other.thing", "no version of an asset"},
        {"vnd.tutela.file.v1", "vnd.oci.image.layer.v1.tar", "type that no version has"},
        {"\"schemaVersion\":2", "\"schemaVersion\":1", "schema version 2"},
        {"\"digest\":\"sha256:", "\"digest\":\"md5:", "not a digest"},
        {"\"digest\":\"sha256:4", "\"digest\":\"sha256:F", "not a digest"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO(tut_version) v = NULL;
        TUT_AUTO_FREE char *text = altered(cases[i].from, cases[i].to);
        tut_error err = {0};
        assert_false(tut_is_ok(parse_version(text, &v, &err)));
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s -> %s: %s", cases[i].from, cases[i].to, err.text);
    }
}

static void keys_twice_and_depth_are_refused(void **state)
{
    TUT_AUTO(tut_oci_doc) doc = NULL;
    TUT_CLEAN(tut_buf) deep = TUT_BUF_INIT;
    (void)state;
    assert_false(
        tut_is_ok(parse("{\"schemaVersion\":2,\"schemaVersion\":2,\"manifests\":[]}", &doc, NULL)));
    assert_false(
        tut_is_ok(parse("{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", &doc, NULL)));
    tut_buf_add_z(&deep, "{\"schemaVersion\":2,\"manifests\":[],\"x\":");
    for (int i = 0; i < 200; i++)
        tut_buf_add_byte(&deep, '[');
    for (int i = 0; i < 200; i++)
        tut_buf_add_byte(&deep, ']');
    tut_buf_add_byte(&deep, '}');
    assert_int_equal(parse(tut_buf_z(&deep), &doc, NULL).code, TUT_LIMIT);
    assert_true(tut_is_ok(parse("{\"schemaVersion\":2,\"manifests\":[]}", &doc, NULL)));
    assert_true(doc->is_index);
}

static void a_cut_off_manifest_or_reply_is_refused(void **state)
{
    TUT_AUTO_FREE char *text = altered("model/x", "model/x");
    size_t len = strlen(text);
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        assert_false(tut_is_ok(tut_oci_job(NULL, NULL, tut_span_of(text, cut), &out, NULL)));
    }
    assert_true(tut_is_ok(tut_oci_job(NULL, NULL, tut_span_of(text, len), &reply, NULL)));
    for (size_t cut = 0; cut < reply.len; cut++) {
        TUT_AUTO(tut_oci_doc) doc = NULL;
        assert_false(tut_is_ok(tut_oci_decode(tut_span_of(reply.data, cut), &doc, NULL)));
    }
}

static void reading_survives_failing_memory(void **state)
{
    TUT_AUTO_FREE char *text = altered("model/x", "model/x");
    bool is_done = false;
    (void)state;
    for (uint64_t n = 1; !is_done && n < 500; n++) {
        TUT_AUTO(tut_version) v = NULL;
        tut_alloc_fail_after(n);
        tut_status status = parse_version(text, &v, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status);
        assert_true(is_done || status.code == TUT_NOMEM || status.code == TUT_MALFORMED);
    }
    assert_true(is_done);
}

static void tags_are_unique_and_fit_a_registry(void **state)
{
    static const struct {
        const char *asset, *tag;
    } cases[] = {{"model/reranker", "model-reranker-v3"},
                 {"model/a.b_c-d", "model-a.b_c-d-v3"},
                 {"dataset/x", "dataset-x-v3"}};
    TUT_AUTO_FREE char *one = NULL;
    TUT_AUTO_FREE char *two = NULL;
    TUT_AUTO_FREE char *slash = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        TUT_AUTO_FREE char *tag = NULL;
        assert_true(tut_is_ok(tut_version_tag(cases[i].asset, 3, &tag, NULL)));
        assert_string_equal(tag, cases[i].tag);
    }
    char longest[400];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_true(tut_is_ok(tut_version_tag(longest, UINT64_MAX, &one, NULL)));
    longest[300] = 'y';
    assert_true(tut_is_ok(tut_version_tag(longest, UINT64_MAX, &two, NULL)));
    assert_string_not_equal(one, two);
    assert_true(strlen(one) <= 140);
    assert_true(tut_is_ok(tut_version_tag("model/a/b", 3, &slash, NULL)));
    assert_string_not_equal(slash, "model-a-b-v3");
}

/* --- on the disk --- */

static char scratch[] = "/tmp/test-store-XXXXXX";

static void remove_all(void)
{
    TUT_AUTO_FREE char *command = tut_asprintf("/bin/rm -rf %s", scratch);
    if (command)
        (void)!system(command);
}

static void blobs_come_back_and_damage_is_found(void **state)
{
    TUT_AUTO(tut_store) s = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_blob blob;
    char hex[TUT_SHA256_HEX];
    tut_error err = {0};
    (void)state;
    assert_true(tut_is_ok(tut_store_open(scratch, true, &s, &err)));
    assert_true(tut_is_ok(tut_blob_put(s, tut_span_of("hello", 5), &blob, &err)));
    assert_true(tut_blob_is_there(s, &blob));
    assert_true(tut_is_ok(tut_blob_read(s, &blob, 100, &out, &err)));
    assert_string_equal(tut_buf_z(&out), "hello");
    assert_int_equal(tut_blob_read(s, &blob, 4, &out, &err).code, TUT_LIMIT);
    tut_sha256_hex(&blob.digest, hex);
    TUT_AUTO_FREE char *path = tut_asprintf("%s/store/blobs/sha256/%s", scratch, hex);
    assert_non_null(path);
    assert_int_equal(chmod(path, 0600), 0);
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fputc('J', f);
    fclose(f);
    assert_int_equal(tut_blob_read(s, &blob, 100, &out, &err).code, TUT_STORE);
    assert_int_equal(tut_blob_check(s, &blob, &err).code, TUT_STORE);
    /* a link to the right bytes is no blob either */
    TUT_AUTO_FREE char *aside = tut_asprintf("%s/aside", scratch);
    assert_int_equal(tut_is_ok(tut_fs_write(aside, tut_span_of("hello", 5), 0600, NULL)), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(aside, path), 0);
    assert_false(tut_blob_is_there(s, &blob));
    assert_int_equal(tut_blob_read(s, &blob, 100, &out, &err).code, TUT_STORE);
    assert_non_null(strstr(err.text, "symbolic link"));
    /* storing it again puts that right */
    assert_true(tut_is_ok(tut_blob_put(s, tut_span_of("hello", 5), &blob, &err)));
    assert_true(tut_is_ok(tut_blob_check(s, &blob, &err)));
}

static void a_second_writer_waits_for_the_first(void **state)
{
    TUT_AUTO(tut_store) s = NULL;
    TUT_AUTO(tut_store) reader = NULL;
    (void)state;
    assert_true(tut_is_ok(tut_store_open(scratch, true, &s, NULL)));
    assert_true(tut_is_ok(tut_store_open(scratch, false, &reader, NULL)));
    assert_non_null(reader);
    assert_int_equal(reader->lock, -1);
}

static void layouts_that_are_none_are_refused(void **state)
{
    TUT_AUTO(tut_store) s = NULL;
    tut_error err = {0};
    TUT_AUTO_FREE char *state_dir = tut_asprintf("%s/none", scratch);
    TUT_AUTO_FREE char *layout = tut_asprintf("%s/none/store/oci-layout", scratch);
    TUT_AUTO_FREE char *blobs = tut_asprintf("%s/none/store/blobs", scratch);
    TUT_AUTO_FREE char *index = tut_asprintf("%s/none/store/index.json", scratch);
    (void)state;
    assert_true(tut_is_ok(tut_store_open(state_dir, false, &s, &err)));
    assert_null(s);
    assert_true(tut_is_ok(tut_store_open(state_dir, true, &s, &err)));
    tut_store_free(tut_move(&s));
    assert_true(tut_is_ok(tut_fs_write(index, tut_span_of("{\"a\":1}", 7), 0600, NULL)));
    assert_false(tut_is_ok(tut_store_open(state_dir, true, &s, &err)));
    assert_non_null(strstr(err.text, "schema version"));
    /* for reading the log says what there is */
    assert_true(tut_is_ok(tut_store_open(state_dir, false, &s, &err)));
    assert_true(s->index_problem[0] != '\0');
    tut_store_free(tut_move(&s));
    assert_int_equal(unlink(index), 0);
    assert_true(tut_is_ok(
        tut_fs_write(layout, tut_span_of("{\"imageLayoutVersion\":\"9\"}", 26), 0600, NULL)));
    assert_int_equal(tut_store_open(state_dir, false, &s, &err).code, TUT_UNSUPPORTED);
    TUT_AUTO_FREE char *moved = tut_asprintf("%s/none/elsewhere", scratch);
    assert_int_equal(rename(blobs, moved), 0);
    assert_int_equal(symlink(moved, blobs), 0);
    assert_int_equal(tut_store_open(state_dir, false, &s, &err).code, TUT_STORE);
    assert_non_null(strstr(err.text, "blobs"));
}

/* --- tensors --- */

static void decoding_tensors_takes_no_nonsense(void **state)
{
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    (void)state;
    tut_buf_add_byte(&reply, 1);
    for (int i = 2; i > 0; i--) {
        tut_buf_add_sized(&reply, i == 2 ? TUT_LIT("b") : TUT_LIT("a"));
        tut_buf_add_sized(&reply, TUT_LIT("F32"));
        tut_buf_add_sized(&reply, TUT_LIT("[2]"));
        tut_buf_add_u64le(&reply, 8);
        tut_buf_add_u64le(&reply, 16);
    }
    size_t one = 1 + (reply.len - 1) / 2;
    for (size_t cut = 0; cut <= reply.len; cut++) {
        TUT_CLEAN(tut_tensor_list) l = {0};
        bool is_whole = cut == 1 || cut == one || cut == reply.len;
        assert_int_equal(tut_is_ok(tut_tensors_decode(tut_span_of(reply.data, cut), &l, NULL)),
                         is_whole);
        if (cut == reply.len) {
            assert_int_equal(l.count, 2);
            assert_true(tut_str_eq_z(l.items[0].name, "a"));
            assert_string_equal(l.format, "safetensors");
        }
    }
}

static int make_scratch(void **state)
{
    (void)state;
    return mkdtemp(scratch) ? 0 : 1;
}

static int drop_scratch(void **state)
{
    (void)state;
    remove_all();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_reads_as_it_was_written),
        cmocka_unit_test(hostile_versions_are_refused_with_the_reason),
        cmocka_unit_test(keys_twice_and_depth_are_refused),
        cmocka_unit_test(a_cut_off_manifest_or_reply_is_refused),
        cmocka_unit_test(reading_survives_failing_memory),
        cmocka_unit_test(tags_are_unique_and_fit_a_registry),
        cmocka_unit_test(blobs_come_back_and_damage_is_found),
        cmocka_unit_test(a_second_writer_waits_for_the_first),
        cmocka_unit_test(layouts_that_are_none_are_refused),
        cmocka_unit_test(decoding_tensors_takes_no_nonsense),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
