/* Heads and rows: every column is bound in, the tree is that of RFC 6962 however it came about, and
 * a saved file is believed only under its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/fs_internal.h"
#include "crypto/dsse.h"
#include "ledger/heads_internal.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tutela-heads-XXXXXX");
    return mkdtemp(dir) && tut_is_ok(tut_merkle_start(NULL)) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    char command[100];
    (void)snprintf(command, sizeof(command), "rm -rf -- %s", dir);
    tut_fs_fault(TUT_FS_STEP_WRITE, 0, 0);
    return system(command);
}

static const char *file(void)
{
    static char path[100];
    (void)snprintf(path, sizeof(path), "%s/heads", dir);
    return path;
}

static const tut_str clauses[] = {{"5.2.1-1", 7}, {"5.2.3-1", 7}};
static const tut_row_subject subjects[] = {{{"model/a", 7}, {{1}}}, {{"model/b", 7}, {{2}}}};

static tut_row a_row(uint64_t index)
{
    tut_row row = {.index = index,
                   .is_record = true,
                   .type = TUT_RECORD_EVIDENCE,
                   .at = 1700000000 + (tut_time)index,
                   .recorded_at = 1700000001 + (tut_time)index,
                   .expires = 1800000000,
                   .seq = index,
                   .kind = TUT_LIT("scan.content"),
                   .check = TUT_LIT("scan.content/1"),
                   .actor = TUT_LIT("tool"),
                   .producer = TUT_LIT("tutela"),
                   .clauses = clauses,
                   .clause_count = 2,
                   .subjects = subjects,
                   .subject_count = 2};
    memset(row.leaf.bytes, (int)index + 1, sizeof(row.leaf.bytes));
    return row;
}

static tut_heads *new_heads(const char *path)
{
    tut_heads *h = NULL;
    assert_true(tut_is_ok(tut_heads_new(path, &h, NULL)));
    return h;
}

static void take(tut_heads *h, const tut_row *row)
{
    tut_error err = {0};
    if (!tut_is_ok(tut_heads_take(h, row, &err)))
        fail_msg("%s", err.text);
}

static void line_of(tut_heads *h, char out[128])
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_heads_line(h, &line, NULL)));
    tut_str_copy(out, 128, tut_buf_str(&line));
}

/* The tree by the book: RFC 9162, 2.1.1, from the heads that `each` shows. */
typedef struct leaves {
    tut_sha256 *items;
    size_t count;
    tut_sha256 last;
    bool is_sorted;
} leaves;

static void add_leaf(void *ctx, const tut_sha256 *key, uint64_t count, const tut_sha256 *chain)
{
    leaves *l = ctx;
    uint8_t bytes[72];
    memcpy(bytes, key->bytes, 32);
    for (int i = 0; i < 8; i++)
        bytes[32 + i] = (uint8_t)(count >> (56 - 8 * i));
    memcpy(bytes + 40, chain->bytes, 32);
    l->items = realloc(l->items, (l->count + 1) * sizeof(*l->items));
    assert_non_null(l->items);
    tut_merkle_leaf(tut_span_of(bytes, sizeof(bytes)), &l->items[l->count]);
    if (l->count && memcmp(l->last.bytes, key->bytes, 32) >= 0)
        l->is_sorted = false;
    l->last = *key;
    l->count++;
}

static void assert_tree(tut_heads *h)
{
    char line[128];
    leaves l = {.is_sorted = true};
    tut_sha256 root;
    TUT_CLEAN(tut_buf) expected = TUT_BUF_INIT;
    line_of(h, line);
    tut_heads_each(h, add_leaf, &l);
    assert_true(l.is_sorted);
    assert_int_equal(l.count, tut_heads_count(h));
    tut_merkle_root_of(l.items, l.count, &root);
    tut_buf_printf(&expected, "heads %zu ", l.count);
    tut_base64_add(&expected, tut_span_of(root.bytes, 32));
    assert_string_equal(line, tut_buf_z(&expected));
    free(l.items);
}

static void no_entries_have_the_root_of_the_empty_tree(void **state)
{
    (void)state;
    char line[128];
    TUT_AUTO(tut_heads) h = new_heads(NULL);
    line_of(h, line);
    assert_string_equal(line, "heads 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

static void a_chain_is_what_the_contract_says(void **state)
{
    (void)state;
    TUT_AUTO(tut_heads) h = new_heads(NULL);
    TUT_CLEAN(tut_buf) scratch = TUT_BUF_INIT;
    tut_sha256 chain = {0};
    for (uint64_t i = 0; i < 2; i++) {
        tut_row row = a_row(i);
        tut_sha256 hash;
        take(h, &row);
        assert_true(tut_is_ok(tut_row_hash(&row, &scratch, &hash, NULL)));
        uint8_t bytes[65] = {1};
        memcpy(bytes + 1, chain.bytes, 32);
        memcpy(bytes + 33, hash.bytes, 32);
        assert_true(tut_is_ok(tut_sha256_of(tut_span_of(bytes, 65), &chain, NULL)));
    }
    const char key_text[] = "\0tutela/heads/v1\0\0\0\0\7"
                            "5.2.3-1model/b";
    tut_sha256 key;
    tut_sha256 expected_key;
    tut_sha256 found;
    uint64_t count = 0;
    tut_heads_key(clauses[1], subjects[1].name, &scratch, &key);
    assert_true(
        tut_is_ok(tut_sha256_of(tut_span_of(key_text, sizeof(key_text) - 1), &expected_key, NULL)));
    assert_true(tut_sha256_eq(&key, &expected_key));
    assert_int_equal(tut_heads_count(h), 4);
    assert_true(tut_heads_get(h, &key, &count, &found));
    assert_int_equal(count, 2);
    assert_true(tut_sha256_eq(&chain, &found));
    tut_heads_key(TUT_LIT("5.2.3-"), TUT_LIT("1model/b"), &scratch, &key);
    assert_false(tut_heads_get(h, &key, &count, &found));
}

static void change(tut_row *row, unsigned which)
{
    static tut_str other_clauses[2];
    static tut_row_subject other_subjects[2];
    memcpy(other_clauses, clauses, sizeof(clauses));
    memcpy(other_subjects, subjects, sizeof(subjects));
    switch (which) {
    case 0:
        row->index++;
        break;
    case 1:
        row->leaf.bytes[31] ^= 1;
        break;
    case 2:
        row->is_record = false;
        break;
    case 3:
        row->type = TUT_RECORD_EVENT;
        break;
    case 4:
        row->method = TUT_METHOD_INTERVIEW;
        break;
    case 5:
        row->result = TUT_RESULT_FAIL;
        break;
    case 6:
        row->at++;
        break;
    case 7:
        row->recorded_at++;
        break;
    case 8:
        row->expires++;
        break;
    case 9:
        row->seq++;
        break;
    case 10:
        row->kind = TUT_LIT("scan.contenT");
        break;
    case 11:
        row->check = TUT_LIT("scan.content/2");
        break;
    case 12:
        row->actor = TUT_LIT("tooltutel");
        row->producer = TUT_LIT("a");
        break;
    case 13:
        row->clause_count = 1;
        break;
    case 14:
        other_clauses[1] = TUT_LIT("5.2.3-2");
        row->clauses = other_clauses;
        break;
    case 15:
        row->subject_count = 1;
        break;
    case 16:
        other_subjects[1].digest.bytes[0]++;
        row->subjects = other_subjects;
        break;
    case 17:
        other_subjects[1].name = TUT_LIT("model/c");
        row->subjects = other_subjects;
        break;
    default:
        fail();
    }
}

enum { CHANGES = 18 };

static void every_column_of_every_row_is_bound_in(void **state)
{
    (void)state;
    char right[128];
    char wrong[128];
    for (unsigned which = 0; which < CHANGES; which++) {
        TUT_AUTO(tut_heads) h = new_heads(NULL);
        TUT_AUTO(tut_heads) other = new_heads(NULL);
        tut_row row = a_row(7);
        take(h, &row);
        change(&row, which);
        take(other, &row);
        line_of(h, right);
        line_of(other, wrong);
        assert_string_not_equal(right, wrong);
    }
}

static void rows_left_out_added_or_in_another_order_show(void **state)
{
    (void)state;
    static const unsigned orders[][4] = {
        {3, 0, 1, 2}, {3, 0, 2, 1}, {2, 0, 1, 0}, {3, 0, 1, 1}, {4, 0, 1, 2}};
    char lines[5][128];
    for (size_t i = 0; i < 5; i++) {
        TUT_AUTO(tut_heads) h = new_heads(NULL);
        for (unsigned k = 0; k < orders[i][0]; k++) {
            tut_row row = a_row(k < 3 ? orders[i][1 + k] : 9);
            take(h, &row);
        }
        line_of(h, lines[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(lines[i], lines[k]);
    }
}

/* Few and many changes, new keys at any place, a line after each step or only at the end. */
static void the_tree_is_the_same_however_it_came_about(void **state)
{
    (void)state;
    TUT_AUTO(tut_heads) stepwise = new_heads(NULL);
    TUT_AUTO(tut_heads) at_once = new_heads(NULL);
    char a[128];
    char b[128];
    uint64_t random = 88172645463325252u;
    for (uint64_t i = 0; i < 600; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        char name[32];
        (void)snprintf(name, sizeof(name), "asset/%llu",
                       (unsigned long long)(random % (i < 300 ? 150 : 40)));
        tut_row_subject subject = {.name = tut_str_of(name)};
        tut_row row = a_row(i);
        row.subjects = &subject;
        row.subject_count = 1;
        row.clause_count = random >> 40 & 1;
        take(stepwise, &row);
        take(at_once, &row);
        if (i < 40 || i % 50 == 0)
            assert_tree(stepwise);
        else
            line_of(stepwise, a);
    }
    line_of(stepwise, a);
    line_of(at_once, b);
    assert_string_equal(a, b);
    assert_tree(at_once);
}

static void fill(tut_heads *h, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        tut_row row = a_row(i);
        take(h, &row);
    }
}

static void saved_heads_go_on_where_they_were(void **state)
{
    (void)state;
    TUT_AUTO(tut_heads) h = new_heads(file());
    TUT_AUTO(tut_heads) back = new_heads(file());
    char line[128];
    char again[128];
    fill(h, 5);
    line_of(h, line);
    assert_true(tut_is_ok(tut_heads_save(h, 5, NULL)));
    assert_true(tut_is_ok(tut_heads_load(back, 5, tut_str_of(line), NULL)));
    tut_row next = a_row(5);
    take(h, &next);
    take(back, &next);
    line_of(h, line);
    line_of(back, again);
    assert_string_equal(line, again);
    assert_tree(back);
}

static void what_does_not_match_the_line_is_not_loaded(void **state)
{
    (void)state;
    TUT_AUTO(tut_heads) h = new_heads(file());
    char line[128];
    char empty[128];
    tut_error err = {0};
    line_of(h, empty);
    assert_int_equal(tut_heads_load(h, 0, tut_str_of(empty), NULL).code, TUT_STORE); /* no file */
    fill(h, 5);
    line_of(h, line);
    assert_true(tut_is_ok(tut_heads_save(h, 5, NULL)));
    assert_int_equal(tut_heads_load(h, 4, tut_str_of(line), &err).code, TUT_STORE);
    line[9] ^= 1;
    assert_int_equal(tut_heads_load(h, 5, tut_str_of(line), &err).code, TUT_STORE);
    line[9] ^= 1;
    assert_true(tut_is_ok(tut_heads_load(h, 5, tut_str_of(line), &err)));
    assert_int_equal(tut_heads_load(h, 5, TUT_LIT(""), &err).code, TUT_STORE);
    assert_int_equal(tut_heads_count(h), 0); /* a failed load leaves nothing behind */
}

static void every_cut_and_every_flipped_bit_of_the_file_is_refused(void **state)
{
    (void)state;
    TUT_AUTO(tut_heads) h = new_heads(file());
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    char line[128];
    fill(h, 3);
    line_of(h, line);
    tut_heads_write(h, 3, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_true(
            tut_is_ok(tut_fs_write_unsynced(file(), tut_span_of(bytes.data, len), 0600, NULL)));
        assert_int_equal(tut_heads_load(h, 3, tut_str_of(line), NULL).code, TUT_STORE);
    }
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(tut_is_ok(tut_fs_write_unsynced(file(), tut_buf_span(&bytes), 0600, NULL)));
        assert_int_equal(tut_heads_load(h, 3, tut_str_of(line), NULL).code, TUT_STORE);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(tut_is_ok(tut_fs_write_unsynced(file(), tut_buf_span(&bytes), 0600, NULL)));
    assert_true(tut_is_ok(tut_heads_load(h, 3, tut_str_of(line), NULL)));
}

static void a_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    TUT_AUTO(tut_heads) h = new_heads(file());
    TUT_AUTO(tut_heads) back = new_heads(file());
    char line[128];
    fill(h, 2);
    line_of(h, line);
    assert_true(tut_is_ok(tut_heads_save(h, 2, NULL)));
    tut_row row = a_row(2);
    take(h, &row);
    tut_fs_fault(TUT_FS_STEP_WRITE, 1, 28 /* ENOSPC */);
    assert_int_equal(tut_heads_save(h, 3, NULL).code, TUT_IO);
    assert_true(tut_is_ok(tut_heads_load(back, 2, tut_str_of(line), NULL)));
}

/* Whatever allocation fails, the heads either took the row in or refuse to go on. */
static void memory_that_runs_out_never_leaves_half_a_row_unnoticed(void **state)
{
    (void)state;
    char right[128];
    {
        TUT_AUTO(tut_heads) h = new_heads(NULL);
        fill(h, 3);
        line_of(h, right);
    }
    bool is_done = false;
    for (uint64_t n = 1; !is_done; n++) {
        TUT_AUTO(tut_heads) h = new_heads(NULL);
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        tut_status status = TUT_SUCCESS;
        tut_alloc_fail_after(n);
        for (unsigned i = 0; i < 3 && tut_is_ok(status); i++) {
            tut_row row = a_row(i);
            status = tut_heads_take(h, &row, NULL);
        }
        tut_status of_line = tut_heads_line(h, &line, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status) && tut_is_ok(of_line);
        if (is_done) {
            assert_string_equal(tut_buf_z(&line), right);
        } else if (!tut_is_ok(status)) {
            assert_int_equal(status.code, TUT_NOMEM);
            assert_int_equal(of_line.code, TUT_STORE);
            tut_row row = a_row(3);
            assert_int_equal(tut_heads_take(h, &row, NULL).code, TUT_STORE);
        } else {
            assert_int_equal(of_line.code, TUT_NOMEM);
        }
        assert_true(n < 100);
    }
}

static void the_line_is_found_in_a_checkpoint_and_nowhere_else(void **state)
{
    (void)state;
    tut_str line = {0};
    assert_true(tut_heads_line_of(TUT_LIT("o\n3\nroot\nother 1\nheads 2 x=\n\nsig\n"), &line));
    assert_true(tut_str_eq_z(line, "heads 2 x="));
    assert_false(tut_heads_line_of(TUT_LIT("heads 2 x=\n3\nroot\n"), &line));
    assert_false(tut_heads_line_of(TUT_LIT("o\n3\nroot\n\nheads 2 x=\n"), &line));
    assert_false(tut_heads_line_of(TUT_LIT(""), &line));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_entries_have_the_root_of_the_empty_tree),
        TEST(a_chain_is_what_the_contract_says),
        TEST(every_column_of_every_row_is_bound_in),
        TEST(rows_left_out_added_or_in_another_order_show),
        TEST(the_tree_is_the_same_however_it_came_about),
        TEST(saved_heads_go_on_where_they_were),
        TEST(what_does_not_match_the_line_is_not_loaded),
        TEST(every_cut_and_every_flipped_bit_of_the_file_is_refused),
        TEST(a_failed_save_leaves_the_old_file),
        TEST(memory_that_runs_out_never_leaves_half_a_row_unnoticed),
        TEST(the_line_is_found_in_a_checkpoint_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
