/*
 * What lies beside TensorFlow's graphs: small messages of SavedModels and TF Hub modules that say
 * nothing to a loader, the values of variables, which are plain numbers without a header, and
 * graphs in protobuf's text form.
 */
#include <string.h>

#include "base/reader.h"
#include "formats/format.h"
#include "formats/payload.h"
#include "formats/text.h"
#include "formats/tf_ops.h"

/* --- fingerprint.pb, tfhub_module.pb --- */

enum { LARGEST_NOTE = 1024 };

/* FingerprintDef: numbers, a version and an identifier; ModuleDef: a number and words. */
static bool is_note(const tut_sniff *s, unsigned highest)
{
    tut_reader r = tut_reader_of(s->head);
    while (tut_reader_left(&r) > 0) {
        uint64_t tag = 0, value = 0;
        if (!tut_is_ok(tut_reader_varint(&r, &tag)) || !tut_is_ok(tut_reader_varint(&r, &value)) ||
            (tag >> 3) == 0 || (tag >> 3) > highest || ((tag & 7) != 0 && (tag & 7) != 2))
            return false;
        if ((tag & 7) == 2 && !tut_is_ok(tut_reader_skip(&r, value)))
            return false;
    }
    return true;
}

static tut_match sniff_note(const tut_sniff *s)
{
    bool is_fingerprint = tut_str_ieq(s->name, TUT_LIT("fingerprint.pb"));
    bool is_hub = tut_str_ieq(s->name, TUT_LIT("tfhub_module.pb"));
    if ((!is_fingerprint && !is_hub) || s->size == 0 || s->size > LARGEST_NOTE)
        return TUT_MATCH_NONE;
    return is_note(s, is_hub ? 2 : 7) ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

/* --- variables.data-00000-of-00001 --- */

static bool is_shard_name(tut_str name)
{
    static const char pattern[] = ".data-#####-of-#####";
    size_t len = sizeof(pattern) - 1;
    if (name.len < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name.data[name.len - len + i];
        if (pattern[i] == '#' ? c < '0' || c > '9' : c != pattern[i])
            return false;
    }
    return true;
}

static tut_match sniff_values(const tut_sniff *s)
{
    return is_shard_name(s->name) && s->size > 0 ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static tut_status examine_values(tut_exam *x, tut_error *err)
{
    if (!x->source)
        return TUT_SUCCESS;
    return tut_payload_examine(x, 0, x->source->size, "where the values of variables should be",
                               err);
}

/* --- checkpoint: which of the checkpoints in its folder is the last --- */

static tut_match sniff_state(const tut_sniff *s)
{
    size_t at = 0;
    bool is_own = tut_str_ieq(s->name, TUT_LIT("checkpoint")) && tut_sniff_text(s) &&
                  tut_str_find(tut_str_from(s->head), TUT_LIT("model_checkpoint_path"), &at);
    return is_own ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

/* `key: "path"`, as CheckpointState has it. Readers take an absolute path as it is, and join others
 * with the folder. */
static bool read_state_line(void *ctx, tut_str line, bool is_cut)
{
    tut_exam *x = ctx;
    size_t at = 0;
    line = tut_str_trim(line);
    bool is_last = tut_str_starts(line, TUT_LIT("model_checkpoint_path"));
    if (!is_last && !tut_str_starts(line, TUT_LIT("all_model_checkpoint_paths")))
        return true;
    const char *quote = memchr(line.data, '"', line.len);
    if (!quote)
        quote = memchr(line.data, '\'', line.len);
    if (!quote || is_cut)
        return true;
    tut_str rest = {quote + 1, line.len - (size_t)(quote + 1 - line.data)};
    const char *end = rest.len ? memrchr(rest.data, *quote, rest.len) : NULL;
    tut_str path = {rest.data, end ? (size_t)(end - rest.data) : rest.len};
    bool is_written_apart = tut_str_find(path, TUT_LIT("\\"), &at);
    bool is_absolute = path.len > 0 && path.data[0] == '/';
    bool leads_up = tut_str_starts(path, TUT_LIT("..")) || tut_str_find(path, TUT_LIT("/.."), &at);
    if (is_last)
        tut_exam_fact(x, "tf.checkpoint", path);
    if (leads_up || is_written_apart)
        tut_exam_observe(x, "tf.checkpoint-path", TUT_NO_OFFSET, "the checkpoint is %.*s",
                         (int)(path.len < 300 ? path.len : 300), path.data);
    else if (is_absolute || tut_str_find(path, TUT_LIT("://"), &at))
        tut_exam_observe(x, "tf.checkpoint-elsewhere", TUT_NO_OFFSET, "the checkpoint is %.*s",
                         (int)(path.len < 300 ? path.len : 300), path.data);
    return true;
}

static tut_status examine_state(tut_exam *x, tut_error *err)
{
    return tut_text_each_line(x, read_state_line, x, err);
}

/* --- text form --- */

static tut_match sniff_text(const tut_sniff *s)
{
    size_t at = 0;
    if (!tut_sniff_ext(s, ".pbtxt .pb.txt .prototxt") || !tut_sniff_text(s))
        return TUT_MATCH_NONE;
    tut_str head = tut_str_from(s->head);
    bool is_graph = tut_str_find(head, TUT_LIT("node {"), &at) ||
                    tut_str_find(head, TUT_LIT("meta_graphs {"), &at) ||
                    tut_str_find(head, TUT_LIT("saved_model_schema_version"), &at) ||
                    tut_str_find(head, TUT_LIT("meta_info_def {"), &at);
    return is_graph ? TUT_MATCH_STRONG : TUT_MATCH_NONE;
}

static const char *text_rule(const char *name)
{
    const tut_tf_op *op = tut_tf_op_find(name);
    bool is_extension = false;
    if (!op && !tut_tf_op_exists(name, &is_extension) && tut_tf_op_sounds_bad(name))
        return "tf.code-operator";
    if (!op)
        return NULL;
    switch ((tut_tf_does)op->does) {
    case TUT_TF_PYTHON:
        return "tf.python-op";
    case TUT_TF_READS:
        return "tf.file-read";
    case TUT_TF_WRITES:
        return "tf.file-write";
    case TUT_TF_NETWORK:
        return "tf.network";
    case TUT_TF_LOGS:
        return "tf.event-writer";
    case TUT_TF_READS_ATTR:
        return strcmp(name, "ImmutableConst") == 0 ? "tf.file-read" : NULL;
    case TUT_TF_COMPUTES:
    case TUT_TF_SAVES:
    case TUT_TF_RESTORES:
    case TUT_TF_FILLS_TABLE:
    case TUT_TF_EXPORTS:
    case TUT_TF_CACHES:
    case TUT_TF_WRITES_ATTR:
    case TUT_TF_DEBUGS:
    case TUT_TF_NATIVE:
    case TUT_TF_CALLS:
    case TUT_TF_PASSES_TEXT:
        break;
    }
    return NULL;
}

/* Every `op: "Name"` of a line. */
static void read_line(tut_exam *x, tut_str line, uint64_t base)
{
    size_t at = 0;
    while (tut_str_find(line, TUT_LIT("op"), &at)) {
        bool is_word = at == 0 || line.data[at - 1] == ' ' || line.data[at - 1] == '\t' ||
                       line.data[at - 1] == '{';
        size_t i = at + 2;
        while (i < line.len && (line.data[i] == ' ' || line.data[i] == ':'))
            i++;
        char name[128];
        size_t len = 0;
        if (is_word && i < line.len && (line.data[i] == '"' || line.data[i] == '\''))
            for (i++; i < line.len && line.data[i] != '"' && line.data[i] != '\'' &&
                      len < sizeof(name) - 1;
                 i++)
                name[len++] = line.data[i];
        name[len] = '\0';
        const char *rule = len ? text_rule(name) : NULL;
        if (rule)
            tut_exam_observe(x, rule, base + at, "a node of type %s", name);
        line = (tut_str){line.data + at + 2, line.len - at - 2};
        base += at + 2;
    }
}

static tut_status examine_text(tut_exam *x, tut_error *err)
{
    while (!tut_stream_at_end(x->stream)) {
        tut_span line = {0};
        bool is_cut = false;
        uint64_t at = tut_stream_pos(x->stream);
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        tut_status status = tut_stream_line(x->stream, TUT_LIMIT_PEEK_BYTES, &line, &is_cut);
        read_line(x, tut_str_from(line), at);
        if (!tut_is_ok(status) && status.code != TUT_TRUNCATED)
            return status;
        if (!tut_is_ok(status))
            break;
    }
    return tut_fail(
        err, TUT_UNSUPPORTED,
        "graphs as text are not read, only the operators that they name; the binary form "
        "is");
}

extern const tut_format tut_format_tf_note, tut_format_tf_values, tut_format_tf_text,
    tut_format_tf_state;

const tut_format tut_format_tf_state = {
    .name = "tf-checkpoint-state",
    .label = "TensorFlow checkpoint state",
    .kind = TUT_KIND_MODEL,
    .is_detached = true,
    .sniff = sniff_state,
    .examine = examine_state,
    .reads = "paths of checkpoints",
    .rules = "tf",
};

const tut_format tut_format_tf_note = {
    .name = "tf-note",
    .label = "note beside a TensorFlow model",
    .kind = TUT_KIND_MODEL,
    .is_detached = true,
    .sniff = sniff_note,
    .extensions = ".pb",
};

const tut_format tut_format_tf_values = {
    .name = "tf-checkpoint-data",
    .label = "TensorFlow checkpoint data",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_values,
    .examine = examine_values,
    .reads = "how it begins: the values have no header",
    .rules = "data",
};

const tut_format tut_format_tf_text = {
    .name = "tf-text",
    .label = "TensorFlow graph as text",
    .kind = TUT_KIND_MODEL,
    .sniff = sniff_text,
    .examine = examine_text,
    .extensions = ".pbtxt .prototxt",
    .reads = "operators by name",
    .rules = "tf",
};
