/* What was read, as sections of tutela.yaml: to be pasted, or put into one that has none. */
#include <string.h>

#include "assets/system.h"
#include "base/yaml.h"
#include "govern/threagile.h"

static void add_section(tut_buf *out, const char *key, const tut_buf *items)
{
    if (items->len == 0)
        return;
    tut_buf_printf(out, "\n%s:\n", key);
    tut_buf_add_str(out, tut_buf_str(items));
}

static void add_threats(const tut_threagile *t, tut_buf *out)
{
    if (t->treatments.len == 0)
        return;
    tut_buf_add_z(out, "\nthreats:\n  treatments:\n");
    tut_buf_add_str(out, tut_buf_str(&t->treatments));
}

static void add_graph(const tut_threagile *t, tut_buf *out)
{
    add_section(out, "components", &t->components);
    add_section(out, "flows", &t->flows);
    add_section(out, "boundaries", &t->boundaries);
}

tut_status tut_threagile_yaml(const tut_threagile *t, const char *file, tut_buf *out,
                              tut_error *err)
{
    tut_buf_add_z(out, "# From ");
    tut_buf_add_escaped(out, tut_str_of(file), 200);
    if (*t->title) {
        tut_buf_add_z(out, " (");
        tut_buf_add_escaped(out, tut_str_of(t->title), 100);
        tut_buf_add_z(out, ")");
    }
    tut_buf_add_z(out, ", a model of Threagile. TODO counts as absent: only a person knows it.\n");
    add_section(out, "assets", &t->assets);
    add_graph(t, out);
    add_threats(t, out);
    return tut_buf_check(out, err);
}

/* --- into a tutela.yaml --- */

static bool has(const tut_yaml *y, const char *key)
{
    const tut_yaml_node *n = tut_yaml_get(y, tut_yaml_root(y), key);
    return n && (n->type == TUT_YAML_SCALAR ? n->text.len > 0 : n->count > 0);
}

static tut_status check_room(const tut_yaml *y, const tut_threagile *t, tut_error *err)
{
    static const char *const keys[] = {"components", "flows", "boundaries"};
    const tut_yaml_node *root = tut_yaml_root(y);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_yaml_get(y, root, keys[i]))
            return tut_fail(err, TUT_USAGE,
                            "tutela.yaml has a section %s already; import without --merge, and put "
                            "the two together by hand",
                            keys[i]);
    if (t->treatments.len && tut_yaml_get(y, root, "threats"))
        return tut_fail(err, TUT_USAGE,
                        "tutela.yaml has a section threats already, and the model brings "
                        "treatments; import without --merge, and put the two together by hand");
    if (tut_yaml_get(y, root, "assets") && !has(y, "assets"))
        return tut_fail(err, TUT_USAGE, "the section assets of tutela.yaml is empty; take it out");
    return TUT_SUCCESS;
}

static size_t line_start(tut_str text, size_t at)
{
    while (at > 0 && text.data[at - 1] != '\n')
        at--;
    return at;
}

static bool is_remark(tut_str text, size_t from, size_t to)
{
    while (from < to && strchr(" \t\r\n", text.data[from]))
        from++;
    return from == to || text.data[from] == '#';
}

/* Where the list ends: before the blank lines and remarks that lead to the next key. */
static size_t end_of_list(tut_str text, const tut_yaml *y, const tut_yaml_node *list)
{
    size_t at = text.len;
    const tut_yaml_node *next = tut_yaml_next(y, list);
    if (next) {
        uint32_t line = 1;
        for (at = 0; at < text.len && line < next->key_line; at++)
            line += text.data[at] == '\n';
    }
    while (at > 0) {
        size_t before = line_start(text, at - 1);
        if (!is_remark(text, before, at))
            break;
        at = before;
    }
    return at;
}

/* The column of the list's dashes, from 0; SIZE_MAX: it is written in brackets. */
static size_t dash_column(tut_str text, const tut_yaml *y, const tut_yaml_node *list)
{
    const tut_yaml_node *first = tut_yaml_first(y, list);
    size_t from = line_start(text, first->start), at = from;
    while (at < text.len && text.data[at] == ' ')
        at++;
    return at < first->start && text.data[at] == '-' ? at - from : SIZE_MAX;
}

/* Our items stand two to the right; theirs may not. */
static void add_shifted(tut_buf *out, const tut_buf *items, size_t column)
{
    tut_str rest = tut_buf_str(items);
    while (rest.len) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) + 1 : rest.len;
        for (size_t i = 0; i < column; i++)
            tut_buf_add_byte(out, ' ');
        tut_buf_add(out, rest.data + 2, len - 2);
        rest = (tut_str){rest.data + len, rest.len - len};
    }
}

/* A section of its own, at the end. */
static void append_assets(const tut_threagile *t, tut_str text, tut_buf *out)
{
    tut_buf_add_str(out, text);
    if (text.len && text.data[text.len - 1] != '\n')
        tut_buf_add_z(out, "\n");
    add_section(out, "assets", &t->assets);
}

static tut_status insert_assets(const tut_threagile *t, const tut_yaml *y,
                                const tut_yaml_node *list, tut_str text, tut_buf *out,
                                tut_error *err)
{
    size_t column = list->type == TUT_YAML_SEQUENCE ? dash_column(text, y, list) : SIZE_MAX;
    if (column == SIZE_MAX)
        return tut_fail(err, TUT_USAGE,
                        "the assets of tutela.yaml are no list of lines with dashes; import "
                        "without --merge, and put the two together by hand");
    size_t at = end_of_list(text, y, list);
    tut_buf_add(out, text.data, at);
    if (at && text.data[at - 1] != '\n')
        tut_buf_add_z(out, "\n");
    add_shifted(out, &t->assets, column);
    tut_buf_add(out, text.data + at, text.len - at);
    if (text.len > at && text.data[text.len - 1] != '\n')
        tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

static tut_status add_assets(const tut_threagile *t, const tut_yaml *y, tut_str text, tut_buf *out,
                             tut_error *err)
{
    const tut_yaml_node *list = tut_yaml_get(y, tut_yaml_root(y), "assets");
    if (list && t->assets.len)
        return insert_assets(t, y, list, text, out, err);
    append_assets(t, text, out);
    return TUT_SUCCESS;
}

tut_status tut_threagile_merge(const tut_threagile *t, const char *dir, const char *file,
                               tut_str tutela_yaml, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_yaml) y = NULL;
    TUT_AUTO(tut_system) whole = NULL;
    TUT_TRY(tut_yaml_parse_caged(tutela_yaml, &y, err));
    TUT_TRY(check_room(y, t, err));
    size_t before = out->len;
    TUT_TRY(add_assets(t, y, tutela_yaml, out, err));
    add_graph(t, out);
    add_threats(t, out);
    TUT_TRY(tut_buf_check(out, err));
    /* What would not load again is not written. */
    return tut_system_parse(dir, file,
                            (tut_str){(const char *)out->data + before, out->len - before}, &whole,
                            NULL, err);
}
