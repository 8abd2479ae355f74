/* What a configuration names: files beside it, models, data sets, shards. */
#include <string.h>

#include "formats/conf.h"
#include "formats/relpath.h"
#include "formats/text.h"

enum { PATH_MAX_BYTES = 255 };

static bool is_path_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (uint8_t)c >= 0x80 || strchr("._-/+@=", c) != NULL;
}

/* "../models/x.gguf", "data/kb.jsonl", "model.bin": one ending of letters and digits, or a folder
 * marked as one. No URL, no number, no address. */
static bool is_path(tut_str s)
{
    if (s.len < 3 || s.len > PATH_MAX_BYTES || s.data[0] == '/')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\0' || !is_path_byte(s.data[i]))
            return false;
    }
    bool is_marked = tut_str_starts(s, TUT_LIT("./")) || tut_str_starts(s, TUT_LIT("../"));
    const char *slash = memrchr(s.data, '/', s.len);
    tut_str last = slash ? (tut_str){slash + 1, s.len - (size_t)(slash + 1 - s.data)} : s;
    const char *dot = last.len ? memrchr(last.data, '.', last.len) : NULL;
    if (!dot || dot == last.data)
        return is_marked || slash;
    size_t ending = last.len - (size_t)(dot + 1 - last.data);
    bool has_letter = false;
    for (size_t i = 1; i <= ending; i++)
        has_letter |= (dot[i] >= 'a' && dot[i] <= 'z') || (dot[i] >= 'A' && dot[i] <= 'Z');
    return is_marked || slash || (ending > 0 && ending <= 12 && has_letter);
}

/* Folds "./", "//" and "a/../" in place; "../" at the beginning stays. */
static size_t fold_path(char *path, size_t len)
{
    size_t out = 0, firm = 0; /* bytes before firm are "../" that nothing folds */
    for (size_t at = 0; at < len;) {
        const char *slash = memchr(path + at, '/', len - at);
        size_t n = slash ? (size_t)(slash - path) - at : len - at;
        bool is_up = n == 2 && path[at] == '.' && path[at + 1] == '.';
        bool is_here = n == 0 || (n == 1 && path[at] == '.');
        if (is_up && out > firm) {
            out--; /* the slash behind the component that goes */
            while (out > firm && path[out - 1] != '/')
                out--;
        } else if (!is_here) {
            memmove(path + out, path + at, n);
            out += n;
            path[out++] =
                '/'; /* there is room: a slash stood here, or the end, which has one more */
            if (is_up)
                firm = out;
        }
        at += slash ? n + 1 : n;
    }
    return out > 0 ? out - 1 : 0;
}

void tut_conf_note_file(tut_conf *c, tut_str text)
{
    char path[PATH_MAX_BYTES + 2];
    if (c->x->is_member || !is_path(text) || c->files.count >= 64)
        return;
    memcpy(path, text.data, text.len);
    size_t len = fold_path(path, text.len);
    if (len > 0)
        (void)tut_conf_set_add(&c->files, (tut_str){path, len});
}

static bool is_one_of(tut_str key, const char *const *names)
{
    for (; *names; names++) {
        if (tut_str_eq_z(key, *names))
            return true;
    }
    return false;
}

/* Values are names of other people's artefacts: "org/name", a file, or a URL. */
void tut_conf_note_reference(tut_conf *c, tut_str key, tut_str text)
{
    static const char *const models[] = {"_name_or_path",      "base_model_name_or_path",
                                         "model_name_or_path", "pretrained_model_name_or_path",
                                         "base_model",         NULL};
    static const char *const datasets[] = {"dataset", "dataset_name", "datasets", NULL};
    bool is_name = text.len > 0 && text.len <= PATH_MAX_BYTES &&
                   !memchr(text.data, ' ', text.len) && !memchr(text.data, '\n', text.len);
    if (!is_name || (c->role != TUT_CONF_PLAIN && c->role != TUT_CONF_CARD))
        return;
    /* In a list the list's key speaks. */
    bool in_list = c->depth > 0 && !c->levels[c->depth - 1].is_map;
    tut_str what = in_list ? tut_conf_key_at(c, c->depth - 1) : key;
    if (is_one_of(what, models))
        tut_text_fact(c->x, "refers.model", text);
    else if (is_one_of(what, datasets))
        tut_text_fact(c->x, "refers.dataset", text);
}

/* --- shards --- */
void tut_conf_note_shard(tut_conf *c, tut_str text)
{
    enum { SHOWN = 8 };
    if (!tut_conf_set_add(&c->shards, text))
        return;
    const char *why = tut_relpath_unsafe(text);
    if (why && c->bad_shards++ < SHOWN)
        tut_exam_observe(c->x, "data.shard-traversal", c->offset, "weight_map names %.*s: %s",
                         (int)(text.len < 300 ? text.len : 300), text.data, why);
}
