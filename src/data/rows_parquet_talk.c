/*
 * Talk in Parquet, as in JSON (rows_json_chat.c): a list of structs that say who speaks ("role",
 * "from", "speaker") and what ("content", "value", "text"). Each field is a column of lists of its
 * own; that of what is said becomes the text of one column with the list's name.
 */
#include "data/rows_parquet.h"
#include "data/rows_talk.h"

/* "messages" and "role" of "messages.role" */
static bool split_name(tut_str name, tut_str *ret_list, tut_str *ret_field)
{
    size_t dot = name.len;
    while (dot > 0 && name.data[dot - 1] != '.')
        dot--;
    if (dot < 2)
        return false;
    *ret_list = (tut_str){name.data, dot - 1};
    *ret_field = (tut_str){name.data + dot, name.len - dot};
    return true;
}

static bool is_text_list(const tut_parquet_leaf *l)
{
    return l->max_rep == 1 && l->type == TUT_PARQUET_BYTE_ARRAY &&
           (l->meaning == TUT_PARQUET_STRING || l->meaning == TUT_PARQUET_RAW);
}

bool parquet_is_talk(const tut_parquet_facts *about, size_t leaf, tut_str *ret_name)
{
    enum { NEAR = 16 }; /* fields of one struct stand side by side */
    tut_str list, field, other_list, other;
    const tut_parquet_leaf *l = &about->leaves[leaf];
    if (!is_text_list(l) || !split_name(l->name, &list, &field) ||
        !rows_talk_is(ROWS_TALK_WHAT, field))
        return false;
    size_t from = leaf > NEAR ? leaf - NEAR : 0;
    for (size_t i = from; i < about->leaf_count && i < leaf + NEAR; i++) {
        const tut_parquet_leaf *o = &about->leaves[i];
        if (i == leaf || !is_text_list(o) || !split_name(o->name, &other_list, &other) ||
            !tut_str_eq(list, other_list) || !rows_talk_is(ROWS_TALK_WHO, other))
            continue;
        *ret_name = list;
        return true;
    }
    return false;
}

const char *parquet_layout(const tut_parquet_facts *about)
{
    bool has_question = false, has_answer = false;
    tut_str name;
    for (size_t i = 0; i < about->leaf_count; i++) {
        if (parquet_is_talk(about, i, &name))
            return "chat";
        has_question |= rows_talk_is(ROWS_TALK_ASKED, about->leaves[i].name);
        has_answer |= rows_talk_is(ROWS_TALK_ANSWERED, about->leaves[i].name);
    }
    return has_question && has_answer ? "instruction" : "table";
}
