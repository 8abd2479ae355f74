/*
 * LightGBM's model as text, as its library and command write it.
 *
 *   file       = "tree" { key "=" value } { "Tree=" number { key "=" values } } "end of trees"
 *                [ "feature_importances:" { name "=" count } ]
 *                [ "parameters:" { "[" name ": " value "]" } "end of parameters" ]
 *                [ "pandas_categorical:" JSON ]
 *   tree_sizes = bytes of each tree, from its "Tree=" to that of the next: one loader steps by
 * them, another reads line by line
 */
#include "formats/lightgbm.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/json.h"
#include "formats/relpath.h"
#include "formats/snippet.h"
#include "formats/text.h"

enum { KEY_MAX = 64, VALUE_MAX = 16 << 10, WORD_MAX = 64, SIZES_MAX = 1 << 20 };

typedef enum section { IN_HEAD, IN_TREES, IN_IMPORTANCES, IN_PARAMETERS, IN_REST } section;

typedef struct lightgbm {
    tut_lgb model;
    section at;
    uint64_t line_at;
    uint64_t *sizes; /* as declared */
    size_t size_count, size_capacity;
    uint64_t first_tree, expected; /* where the first stands; where the next should */
    bool has_sizes, has_version, has_end, is_told_sizes;
    bool ends_line, is_cut; /* the line at hand; what was read last stops inside a line */
    char value[VALUE_MAX];
} lightgbm;

/* --- recognising --- */
static tut_match sniff(const tut_sniff *s)
{
    size_t at = 0;
    tut_str head = tut_text_head(s);
    if (tut_str_starts(head, TUT_LIT("tree\r\n")) || tut_str_starts(head, TUT_LIT("tree\n"))) {
        static const char *const keys[] = {"\nversion=", "\nnum_class=", "\nmax_feature_idx=",
                                           "\nTree=", "\nnum_tree_per_iteration="};
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            if (tut_str_find(head, tut_str_of(keys[i]), &at))
                return TUT_MATCH_STRONG;
    }
    return TUT_MATCH_NONE;
}

/* --- lines --- */
/* The rest of the line into b->value, cut where it is longer than any that is read whole. */
static tut_status take_line(lightgbm *b, tut_str *ret, bool *ret_is_end, tut_error *err)
{
    tut_stream *stream = b->model.x->stream;
    tut_span line = {0};
    bool is_cut = false;
    b->line_at = tut_stream_pos(stream);
    *ret_is_end = tut_stream_at_end(stream);
    *ret = (tut_str){b->value, 0};
    if (*ret_is_end)
        return TUT_SUCCESS;
    TUT_TRY(tut_budget_steps(b->model.x->budget, 1, err));
    tut_span some = {0};
    TUT_TRY(tut_stream_peek_some(stream, VALUE_MAX, &some));
    const uint8_t *end = memchr(some.data, '\n', some.len);
    size_t len = end ? (size_t)(end - some.data) : some.len;
    b->ends_line = end != NULL;
    memcpy(b->value, some.data, len);
    if (!tut_is_ok(tut_stream_line(stream, 1, &line, &is_cut))) {
        const char *why = NULL;
        tut_code code = tut_stream_failure(stream, &why);
        if (code != TUT_OK)
            return tut_fail(err, code, "%s", why ? why : "the data ends early");
    }
    while (len > 0 && b->value[len - 1] == '\r')
        len--;
    *ret = (tut_str){b->value, len};
    return TUT_SUCCESS;
}

static bool key_value(tut_str line, char sign, tut_str *ret_key, tut_str *ret_value)
{
    const char *at = line.len ? memchr(line.data, sign, line.len) : NULL;
    if (!at)
        return false;
    *ret_key = (tut_str){line.data, (size_t)(at - line.data)};
    *ret_value = (tut_str){at + 1, line.len - ret_key->len - 1};
    return true;
}

static bool count_of(tut_str text, int64_t *ret)
{
    uint64_t value = 0;
    bool is_negative = text.len > 0 && text.data[0] == '-';
    if (!tut_str_u64((tut_str){text.data + is_negative, text.len - is_negative}, &value) ||
        value > INT32_MAX)
        return false;
    *ret = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* --- the values of a list, which may be longer than any buffer --- */
typedef tut_status (*word_fn)(lightgbm *b, int field, tut_str word, tut_error *err);

static tut_status each_word(lightgbm *b, int field, word_fn each, tut_error *err)
{
    char word[WORD_MAX];
    size_t len = 0;
    for (;;) {
        uint8_t byte = '\n';
        bool is_there = tut_is_ok(tut_stream_u8(b->model.x->stream, &byte));
        bool is_end = !is_there || byte == '\n';
        if (is_end || byte == ' ' || byte == '\r' || byte == '\t') {
            if (len > 0)
                TUT_TRY(each(b, field, (tut_str){word, len < WORD_MAX ? len : WORD_MAX}, err));
            len = 0;
            if (is_end)
                return TUT_SUCCESS;
            continue;
        }
        if (len < WORD_MAX)
            word[len] = (char)byte;
        len++;
    }
}

static tut_status add_value(lightgbm *b, int field, tut_str word, tut_error *err)
{
    TUT_TRY(tut_budget_steps(b->model.x->budget, 1, err));
    return tut_lgb_tree_add(&b->model, (tut_lgb_field)field, word, err);
}

static tut_status add_size(lightgbm *b, int field, tut_str word, tut_error *err)
{
    uint64_t size = 0;
    (void)field;
    if (b->size_count == SIZES_MAX)
        return tut_fail(err, TUT_LIMIT, "sizes of over a million trees");
    if (!tut_str_u64(word, &size))
        size = UINT64_MAX;
    TUT_TRY(tut_grow(&b->sizes, b->size_count, &b->size_capacity, sizeof(*b->sizes)));
    b->sizes[b->size_count++] = size;
    return TUT_SUCCESS;
}

/* When the line at hand is a list of the tree or of sizes: reads it. */
static tut_status take_list(lightgbm *b, bool *ret_is_taken, tut_error *err)
{
    tut_span some = {0};
    tut_stream *stream = b->model.x->stream;
    TUT_TRY(tut_stream_peek_some(stream, KEY_MAX, &some));
    const uint8_t *sign = some.len ? memchr(some.data, '=', some.len) : NULL;
    tut_str key = {(const char *)some.data, sign ? (size_t)(sign - some.data) : 0};
    *ret_is_taken = false;
    b->line_at = tut_stream_pos(stream);
    if (b->at == IN_HEAD && tut_str_eq_z(key, "tree_sizes")) {
        *ret_is_taken = b->has_sizes = true;
        TUT_TRY(tut_stream_skip(stream, key.len + 1));
        return each_word(b, 0, add_size, err);
    }
    if (b->at != IN_TREES || !b->model.in_tree)
        return TUT_SUCCESS;
    for (int i = 0; i < TUT_LGB_FIELDS; i++) {
        if (!tut_str_eq_z(key, tut_lgb_field_name((tut_lgb_field)i)))
            continue;
        *ret_is_taken = true;
        b->model.tree.lists[i].is_there = true;
        TUT_TRY(tut_stream_skip(stream, key.len + 1));
        return each_word(b, i, add_value, err);
    }
    return TUT_SUCCESS;
}

/* --- parts --- */
static void bad_count(lightgbm *b, tut_str key, tut_str value)
{
    tut_exam_observe(b->model.x, "lightgbm.bad-count", b->line_at, "%.*s is %.*s", (int)key.len,
                     key.data, (int)(value.len < 60 ? value.len : 60), value.data);
}

static void head_line(lightgbm *b, tut_str key, tut_str value)
{
    static const char *const counts[] = {"num_class", "num_tree_per_iteration", "max_feature_idx"};
    tut_exam *x = b->model.x;
    int64_t number = 0;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (tut_str_eq_z(key, counts[i]) && (!count_of(value, &number) || number < (i < 2)))
            bad_count(b, key, value);
    if (tut_str_eq_z(key, "max_feature_idx") && count_of(value, &number))
        b->model.max_feature = number;
    if (tut_str_eq_z(key, "version")) {
        b->has_version = true;
        tut_exam_fact(x, "lightgbm.version", value);
    }
    if (tut_str_eq_z(key, "objective"))
        tut_exam_fact(x, "lightgbm.objective", value);
}

/* Where a tree begins must be where the sizes say. */
static void check_place(lightgbm *b)
{
    uint64_t number = b->model.trees; /* before it is begun */
    if (number == 0)
        b->first_tree = b->expected = b->line_at;
    if (!b->has_sizes || b->is_told_sizes)
        return;
    if (number >= b->size_count || b->expected != b->line_at) {
        b->is_told_sizes = true;
        tut_exam_observe(b->model.x, "lightgbm.tree-sizes", b->line_at,
                         "tree %" PRIu64 " stands at %" PRIu64
                         ", and tree_sizes puts it at %" PRIu64,
                         number, b->line_at - b->first_tree, b->expected - b->first_tree);
        return;
    }
    if (__builtin_add_overflow(b->expected, b->sizes[number], &b->expected))
        b->expected = UINT64_MAX;
}

static void tree_line(lightgbm *b, tut_str key, tut_str value)
{
    tut_lgb_tree *t = &b->model.tree;
    int64_t number = 0;
    bool is_number = count_of(value, &number);
    if (tut_str_eq_z(key, "num_leaves")) {
        t->has_leaves = true;
        t->leaves = is_number ? number : -1;
    }
    if (tut_str_eq_z(key, "num_cat"))
        t->categories = is_number ? number : -1;
    if (tut_str_eq_z(key, "is_linear"))
        t->is_linear = is_number && number != 0;
}

static bool is_one_of(tut_str name, const char *const *names)
{
    for (; *names; names++)
        if (tut_str_eq_z(name, *names))
            return true;
    return false;
}

static bool is_elsewhere(tut_str path)
{
    static const char *const places[] = {"/etc/", "/proc/", "/dev/",  "/root/", "/sys/",
                                         "/.ssh", "/var/",  "../../", "://",    "\\\\"};
    size_t at = 0;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (tut_str_find(path, tut_str_of(places[i]), &at))
            return true;
    return path.len > 0 && path.data[0] == '~';
}

/* "[name: value]". What was read and written in training stays in the file, and a program that
 * trains on takes it from there. */
static void parameter_line(lightgbm *b, tut_str line)
{
    static const char *const written[] = {"output_model",
                                          "output_result",
                                          "convert_model",
                                          "input_model",
                                          "config",
                                          "config_file",
                                          "machine_list_filename",
                                          "machine_list_file",
                                          "machine_list",
                                          "mlist",
                                          "forcedsplits_filename",
                                          "forcedbins_filename",
                                          "parser_config_file",
                                          "saved_feature_importance_file",
                                          "snapshot_file",
                                          NULL};
    static const char *const read[] = {"data",
                                       "valid",
                                       "train",
                                       "train_data",
                                       "valid_data",
                                       "data_filename",
                                       "initscore_filename",
                                       "valid_data_initscores",
                                       NULL};
    tut_str name, value;
    line = tut_str_trim(line);
    if (line.len < 2 || line.data[0] != '[' || line.data[line.len - 1] != ']' ||
        !key_value((tut_str){line.data + 1, line.len - 2}, ':', &name, &value))
        return;
    value = tut_str_trim(value);
    const char *unsafe = value.len ? tut_relpath_unsafe(value) : NULL;
    if (!unsafe)
        return;
    if (is_one_of(name, written) || (is_one_of(name, read) && is_elsewhere(value)))
        tut_exam_observe(b->model.x, "lightgbm.file-parameter", b->line_at, "%.*s is %.*s: it %s",
                         (int)name.len, name.data, (int)(value.len < 200 ? value.len : 200),
                         value.data, unsafe);
    else if (is_one_of(name, read))
        tut_exam_observe(b->model.x, "lightgbm.data-path", b->line_at, "%.*s is %.*s",
                         (int)name.len, name.data, (int)(value.len < 200 ? value.len : 200),
                         value.data);
}

/* pandas_categorical: JSON in one line, which Python's binding parses. */
static void categorical_line(lightgbm *b, tut_str value)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {0};
    value = tut_str_trim(value);
    if (value.len + 32 >= VALUE_MAX) /* cut: not checked as JSON */
        return;
    tut_status status = tut_json_parse(tut_span_of(value.data, value.len), NULL, &doc, &why);
    const tut_json_value *root = tut_is_ok(status) ? tut_json_root(doc) : NULL;
    if (status.code != TUT_NOMEM &&
        (!root || (root->type != TUT_JSON_NULL && root->type != TUT_JSON_ARRAY)))
        tut_exam_observe(b->model.x, "lightgbm.bad-categorical", b->line_at,
                         "pandas_categorical is no list");
}

static bool change_section(lightgbm *b, tut_str line)
{
    static const struct {
        const char *line;
        section to;
    } marks[] = {{"end of trees", IN_REST},
                 {"feature_importances:", IN_IMPORTANCES},
                 {"feature importances:", IN_IMPORTANCES},
                 {"parameters:", IN_PARAMETERS},
                 {"end of parameters", IN_REST}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (!tut_str_eq_z(line, marks[i].line))
            continue;
        if (b->model.in_tree)
            tut_lgb_tree_end(&b->model);
        b->has_end |= i == 0;
        b->at = marks[i].to;
        b->is_cut = b->at == IN_IMPORTANCES && !b->ends_line;
        return true;
    }
    return false;
}

static void plain_line(lightgbm *b, tut_str line)
{
    tut_str key, value;
    tut_snippet_check(b->model.x, TUT_LIT("a line"), line, b->line_at);
    if (change_section(b, line))
        return;
    if (tut_str_starts(line, TUT_LIT("pandas_categorical:"))) {
        categorical_line(b, (tut_str){line.data + 19, line.len - 19});
        return;
    }
    if (b->at == IN_IMPORTANCES || b->at == IN_REST)
        b->is_cut = line.len > 0 && !b->ends_line;
    if (b->at == IN_PARAMETERS) {
        parameter_line(b, line);
        return;
    }
    if (b->at > IN_TREES || !key_value(line, '=', &key, &value))
        return;
    if (tut_str_eq_z(key, "Tree")) {
        if (b->model.in_tree)
            tut_lgb_tree_end(&b->model);
        check_place(b);
        b->at = IN_TREES;
        tut_lgb_tree_begin(&b->model, b->line_at);
        return;
    }
    if (b->at == IN_HEAD)
        head_line(b, key, value);
    else if (b->model.in_tree)
        tree_line(b, key, value);
}

static tut_status read_lines(lightgbm *b, tut_error *err)
{
    bool is_end = false, is_taken = false;
    tut_str line;
    while (!is_end) {
        TUT_TRY(take_list(b, &is_taken, err));
        if (is_taken)
            continue;
        TUT_TRY(take_line(b, &line, &is_end, err));
        bool has_nul = line.len && memchr(line.data, '\0', line.len);
        if (has_nul)
            return tut_fail_at(err, TUT_MALFORMED, b->line_at, "a NUL in a file of text");
        if (!is_end)
            plain_line(b, line);
    }
    if (b->model.in_tree)
        tut_lgb_tree_end(&b->model);
    if (b->at == IN_PARAMETERS || b->is_cut)
        return tut_fail_at(err, TUT_TRUNCATED, b->line_at, "the file ends too early");
    return TUT_SUCCESS;
}

static void check_whole(lightgbm *b)
{
    tut_exam *x = b->model.x;
    if (!b->has_end)
        tut_exam_observe(x, "lightgbm.missing-part", TUT_NO_OFFSET, "the trees have no end");
    if (!b->has_version)
        tut_exam_observe(x, "lightgbm.missing-part", TUT_NO_OFFSET, "no version is said");
    if (b->has_sizes && !b->is_told_sizes && b->size_count != b->model.trees)
        tut_exam_observe(x, "lightgbm.tree-sizes", TUT_NO_OFFSET,
                         "tree_sizes has %zu values for %" PRIu64 " trees", b->size_count,
                         b->model.trees);
    tut_exam_factf(x, "lightgbm.trees", "%" PRIu64, b->model.trees);
    if (b->model.max_feature >= 0)
        tut_exam_factf(x, "lightgbm.features", "%" PRId64, b->model.max_feature + 1);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_AUTO_FREE lightgbm *b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->model.x = x;
    b->model.max_feature = -1;
    tut_status status = read_lines(b, err);
    if (tut_is_ok(status))
        check_whole(b);
    tut_free(b->sizes);
    tut_lgb_done(&b->model);
    return status;
}

extern const tut_format tut_format_lightgbm;

const tut_format tut_format_lightgbm = {
    .name = "lightgbm",
    .label = "LightGBM",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".txt .lgb .lgbm .lightgbm .model .bst .gbm .mdl",
    .reads =
        "every tree: children, split features, categories; sizes of trees; parameters with paths",
    .rules = "lightgbm data",
};
