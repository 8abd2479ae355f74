/*
 * The access table: who may append which kinds.
 *
 *   # comment
 *   33  guard.*        uid 33 may append every kind that begins with "guard."
 *   *   scan.content   anyone who can reach the socket may append this one kind
 *
 * The table's word is all there is: an owner who is not named may append nothing. Without a table
 * the owner may append anything, and nobody else anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/sequencer_internal.h"

void tut_seq_access_done(tut_seq_access *access)
{
    tut_free(access->rules);
    *access = (tut_seq_access){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of *line, which moves on; empty at the end. */
static tut_str next_word(tut_str *line)
{
    size_t from = 0;
    while (from < line->len && is_blank(line->data[from]))
        from++;
    size_t end = from;
    while (end < line->len && !is_blank(line->data[end]))
        end++;
    tut_str word = {line->data + from, end - from};
    *line = (tut_str){line->data + end, line->len - end};
    return word;
}

static bool read_uid(tut_str word, tut_seq_rule *rule)
{
    uint64_t uid;
    if (tut_str_eq(word, TUT_LIT("*"))) {
        rule->is_any = true;
        return true;
    }
    /* (uid_t)-1 is the kernel's "no user". */
    if (!tut_str_u64(word, &uid) || uid >= (uid_t)-1)
        return false;
    rule->uid = (uid_t)uid;
    return true;
}

static bool is_kind(tut_str word)
{
    tut_entry_head head = {.kind = word, .producer = TUT_LIT("any")};
    return tut_is_ok(tut_entry_check(&head, NULL));
}

static bool read_pattern(tut_str word, tut_seq_rule *rule)
{
    if (word.len > 0 && word.data[word.len - 1] == '*') {
        rule->is_prefix = true;
        word.len--;
    }
    bool is_all = rule->is_prefix && word.len == 0;
    if (!is_all && !is_kind(word))
        return false;
    tut_str_copy(rule->kind, sizeof(rule->kind), word);
    return true;
}

static tut_status read_line(tut_str line, size_t number, tut_seq_access *access, tut_error *err)
{
    size_t hash;
    if (tut_str_find(line, TUT_LIT("#"), &hash))
        line.len = hash;
    tut_str uid = next_word(&line);
    if (uid.len == 0)
        return TUT_SUCCESS;
    tut_seq_rule rule = {0};
    tut_str pattern = next_word(&line);
    if (!read_uid(uid, &rule))
        return tut_fail(err, TUT_MALFORMED, "line %zu does not begin with a uid or *", number);
    if (!read_pattern(pattern, &rule))
        return tut_fail(err, TUT_MALFORMED,
                        "line %zu names no kind after the uid: [a-z0-9._-], or the start of one "
                        "and *",
                        number);
    if (next_word(&line).len > 0)
        return tut_fail(err, TUT_MALFORMED, "line %zu says more than a uid and a kind", number);
    if (access->count == TUT_LIMIT_ACCESS_RULES)
        return tut_fail(err, TUT_LIMIT, "more than %u lines", TUT_LIMIT_ACCESS_RULES);
    if (!tut_is_ok(
            tut_grow(&access->rules, access->count, &access->capacity, sizeof(*access->rules))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    access->rules[access->count++] = rule;
    return TUT_SUCCESS;
}

tut_status tut_seq_access_parse(tut_str text, tut_seq_access *ret_access, tut_error *err)
{
    TUT_CLEAN(tut_seq_access) access = {0};
    for (size_t number = 1; text.len > 0; number++) {
        size_t end;
        bool has_end = tut_str_find(text, TUT_LIT("\n"), &end);
        if (!has_end)
            end = text.len;
        TUT_TRY(read_line((tut_str){text.data, end}, number, &access, err));
        size_t used = end + (has_end ? 1 : 0);
        text = (tut_str){text.data + used, text.len - used};
    }
    *ret_access = access;
    access = (tut_seq_access){0};
    return TUT_SUCCESS;
}

static tut_status allow_owner(tut_seq_access *ret_access, tut_error *err)
{
    tut_seq_access access = {0};
    if (!tut_is_ok(tut_grow(&access.rules, 0, &access.capacity, sizeof(*access.rules))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    access.rules[0] = (tut_seq_rule){.uid = geteuid(), .is_prefix = true};
    access.count = 1;
    *ret_access = access;
    return TUT_SUCCESS;
}

/* Whoever may write the table may append anything. */
static tut_status check_owner(const struct stat *st, tut_error *err)
{
    if ((st->st_uid == geteuid() || st->st_uid == 0) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_DENIED,
                    "the access table may be written by others; make it yours, mode 0600");
}

static tut_status load(const char *path, tut_seq_access *ret_access, tut_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? allow_owner(ret_access, err)
                               : tut_fail_errno(err, errno, "the access table cannot be read");
    TUT_TRY(check_owner(&st, err));
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_ACCESS_BYTES, &text, err));
    return tut_seq_access_parse(tut_buf_str(&text), ret_access, err);
}

tut_status tut_seq_access_load(const char *path, tut_seq_access *ret_access, tut_error *err)
{
    tut_status status = load(path, ret_access, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

static bool matches(const tut_seq_rule *rule, tut_str kind)
{
    tut_str pattern = tut_str_of(rule->kind);
    return rule->is_prefix ? tut_str_starts(kind, pattern) : tut_str_eq(kind, pattern);
}

bool tut_seq_access_allows(const tut_seq_access *access, uid_t uid, tut_str kind)
{
    for (size_t i = 0; i < access->count; i++) {
        const tut_seq_rule *rule = &access->rules[i];
        if ((rule->is_any || rule->uid == uid) && matches(rule, kind))
            return true;
    }
    return false;
}

bool tut_seq_access_knows(const tut_seq_access *access, uid_t uid)
{
    for (size_t i = 0; i < access->count; i++)
        if (access->rules[i].is_any || access->rules[i].uid == uid)
            return true;
    return false;
}

bool tut_seq_access_names_others(const tut_seq_access *access, uid_t own)
{
    for (size_t i = 0; i < access->count; i++)
        if (access->rules[i].is_any || access->rules[i].uid != own)
            return true;
    return false;
}
