/*
 * Compiled rules over one file or member, in the worker. What fits is shown to the rules whole;
 * larger content in blocks that overlap, so that only a match longer than the overlap is missed,
 * and modules see the first block.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "formats/format.h"
#include "scan/yara_internal.h"

enum {
    WHOLE_BYTES = 32 << 20,
    BLOCK_BYTES = 8 << 20,
    OVERLAP_BYTES = 64 << 10,
    LEAST_SECONDS = 10,
    BYTES_PER_SECOND = 40 << 20,
    STRINGS_SHOWN = 4,
    TAGS_SHOWN = 8,
    NAME_MAX_CHARS = 120
};

static const tut_yara *in_force;

void tut_yara_use(const tut_yara *y)
{
    in_force = y;
}

const tut_yara *tut_yara_in_force(void)
{
    return in_force;
}

/* --- the bytes, as libyara wants them --- */
typedef struct blocks {
    const tut_source *bytes;
    uint8_t *held;
    size_t step; /* from one block to the next */
    uint64_t held_at;
    size_t held_size;
    bool has_failed;
    YR_MEMORY_BLOCK block;
} blocks;

static const uint8_t *fetch(YR_MEMORY_BLOCK *block)
{
    blocks *b = block->context;
    if (b->held_size == block->size && b->held_at == block->base && b->held_size > 0)
        return b->held;
    b->held_size = 0;
    if (block->size > 0 &&
        !tut_is_ok(tut_source_read(b->bytes, block->base, b->held, block->size, NULL))) {
        b->has_failed = true;
        return NULL;
    }
    b->held_at = block->base;
    b->held_size = block->size;
    return b->held;
}

static YR_MEMORY_BLOCK *show(blocks *b, uint64_t base)
{
    uint64_t left = b->bytes->size - base;
    size_t most = b->step + OVERLAP_BYTES;
    b->block.base = base;
    b->block.size = left < most ? (size_t)left : most;
    return &b->block;
}

static YR_MEMORY_BLOCK *first_block(YR_MEMORY_BLOCK_ITERATOR *it)
{
    it->last_error = ERROR_SUCCESS;
    return show(it->context, 0);
}

static YR_MEMORY_BLOCK *next_block(YR_MEMORY_BLOCK_ITERATOR *it)
{
    blocks *b = it->context;
    it->last_error = ERROR_SUCCESS;
    bool is_last = b->block.base + b->block.size >= b->bytes->size;
    return is_last ? NULL : show(b, b->block.base + b->step);
}

static uint64_t size_of(YR_MEMORY_BLOCK_ITERATOR *it)
{
    const blocks *b = it->context;
    return b->bytes->size;
}

/* --- what matched --- */
static int severity_of(const YR_RULE *rule, tut_str *ret_title)
{
    const YR_META *meta;
    int severity = -1;
    yr_rule_metas_foreach(rule, meta)
    {
        tut_severity word;
        if (meta->type != META_TYPE_STRING || !meta->string)
            continue;
        if (strcmp(meta->identifier, "description") == 0)
            *ret_title = tut_str_of(meta->string);
        else if (strcmp(meta->identifier, "severity") == 0 &&
                 tut_severity_parse(tut_str_of(meta->string), &word))
            severity = (int)word;
    }
    return severity;
}

static void add_tags(const YR_RULE *rule, tut_buf *out)
{
    const char *tag;
    size_t shown = 0;
    yr_rule_tags_foreach(rule, tag)
    {
        if (shown >= TAGS_SHOWN)
            break;
        tut_buf_add_z(out, shown++ == 0 ? " [" : " ");
        tut_buf_add_escaped(out, tut_str_of(tag), NAME_MAX_CHARS);
    }
    if (shown)
        tut_buf_add_byte(out, ']');
}

/* Which strings matched and where, never what they were: that may be a secret. */
static uint64_t add_strings(YR_SCAN_CONTEXT *context, const YR_RULE *rule, tut_buf *out)
{
    const YR_STRING *string;
    uint64_t first = TUT_NO_OFFSET;
    size_t count = 0;
    yr_rule_strings_foreach(rule, string)
    {
        const YR_MATCH *match;
        yr_string_matches_foreach(context, string, match)
        {
            uint64_t at = (uint64_t)(match->base + match->offset);
            if (at < first)
                first = at;
            if (count++ >= STRINGS_SHOWN)
                continue;
            tut_buf_add_z(out, count == 1 ? ": " : ", ");
            tut_buf_add_escaped(out, tut_str_of(string->identifier), NAME_MAX_CHARS);
            tut_buf_printf(out, " at 0x%llx", (unsigned long long)at);
        }
    }
    if (count > STRINGS_SHOWN)
        tut_buf_printf(out, " and %zu more", count - STRINGS_SHOWN);
    return first;
}

typedef struct delivery {
    const tut_yara_target *target;
    bool too_many; /* matches of one string: the rest of them was not looked for */
    bool no_memory;
} delivery;

static void deliver(delivery *d, YR_SCAN_CONTEXT *context, const YR_RULE *rule)
{
    TUT_CLEAN(tut_buf) seen = TUT_BUF_INIT;
    tut_yara_match m = {.rule = tut_str_of(rule->identifier)};
    tut_buf_add_z(&seen, "rule ");
    tut_buf_add_escaped(&seen, m.rule, NAME_MAX_CHARS);
    add_tags(rule, &seen);
    m.severity = severity_of(rule, &m.title);
    m.offset = add_strings(context, rule, &seen);
    m.seen = tut_buf_z(&seen);
    if (m.seen)
        d->target->on_match(d->target->ctx, &m);
    else
        d->no_memory = true;
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *ctx)
{
    delivery *d = ctx;
    if (message == CALLBACK_MSG_RULE_MATCHING)
        deliver(d, context, data);
    else if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
        d->too_many = true;
    return CALLBACK_CONTINUE;
}

/* --- one scan --- */
static const char *ending_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? dot : "";
}

static int define_names(const tut_yara_api *api, YR_SCANNER *scanner, const tut_yara_target *t)
{
    const struct {
        const char *variable, *value;
    } names[] = {{"filename", t->name}, {"filepath", t->path}, {"extension", ending_of(t->name)}};
    int failed = ERROR_SUCCESS;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && failed == ERROR_SUCCESS; i++)
        failed = api->scanner_define_string_variable(scanner, names[i].variable, names[i].value);
    return failed;
}

static int seconds_for(uint64_t size)
{
    uint64_t s = LEAST_SECONDS + size / BYTES_PER_SECOND;
    return s < INT32_MAX ? (int)s : INT32_MAX;
}

/* Faults stay faults: the cage has a word for a worker that dies, and libyara none. */
static int run(const tut_yara_api *api, YR_SCANNER *scanner, blocks *b, delivery *d)
{
    YR_MEMORY_BLOCK_ITERATOR it = {.context = b,
                                   .first = first_block,
                                   .next = next_block,
                                   .file_size = size_of,
                                   .last_error = ERROR_SUCCESS};
    b->block = (YR_MEMORY_BLOCK){.context = b, .fetch_data = fetch};
    api->scanner_set_callback(scanner, on_message, d);
    api->scanner_set_flags(scanner, SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
    api->scanner_set_timeout(scanner, seconds_for(b->bytes->size));
    int failed = define_names(api, scanner, d->target);
    return failed == ERROR_SUCCESS ? api->scanner_scan_mem_blocks(scanner, &it) : failed;
}

static tut_status conclude(int failed, const blocks *b, const delivery *d, tut_error *err)
{
    if (b->has_failed)
        return tut_fail(err, TUT_LIMIT, "the bytes could not be read");
    if (failed == ERROR_SCAN_TIMEOUT)
        return tut_fail(err, TUT_LIMIT, "the rules took too long");
    if (failed == ERROR_INSUFFICIENT_MEMORY || d->no_memory)
        return tut_fail(err, TUT_LIMIT, "the rules took too much memory");
    if (failed != ERROR_SUCCESS)
        return tut_fail(err, TUT_LIMIT, "the rules could not be carried through (libyara: %d)",
                        failed);
    if (d->too_many)
        return tut_fail(err, TUT_LIMIT, "a string of the rules matched too often");
    return TUT_SUCCESS;
}

tut_status tut_yara_scan(const tut_yara *y, const tut_yara_target *target, tut_error *err)
{
    const tut_yara_api *api = tut_yara_api_get();
    bool is_whole = target->bytes->size <= WHOLE_BYTES;
    size_t step = is_whole ? WHOLE_BYTES : BLOCK_BYTES;
    size_t room = is_whole ? (size_t)target->bytes->size : BLOCK_BYTES + OVERLAP_BYTES;
    blocks b = {.bytes = target->bytes, .step = step};
    delivery d = {.target = target};
    YR_SCANNER *scanner = NULL;
    b.held = tut_alloc_array(room + 1, 1);
    if (!b.held || api->scanner_create(y->rules, &scanner) != ERROR_SUCCESS) {
        tut_free(b.held);
        return tut_fail(err, TUT_LIMIT, "the rules took too much memory");
    }
    int failed = run(api, scanner, &b, &d);
    api->scanner_destroy(scanner);
    tut_free(b.held);
    return conclude(failed, &b, &d, err);
}
