/* Keys and values at once. */
#include "base/json_write.h"

void tut_json_put_z(tut_json *j, const char *key, const char *z)
{
    tut_json_key(j, key);
    tut_json_z(j, z);
}

void tut_json_put_str(tut_json *j, const char *key, tut_str s)
{
    tut_json_key(j, key);
    tut_json_str(j, s);
}

void tut_json_put_int(tut_json *j, const char *key, int64_t v)
{
    tut_json_key(j, key);
    tut_json_int(j, v);
}

void tut_json_put_u64(tut_json *j, const char *key, uint64_t v)
{
    tut_json_key(j, key);
    tut_json_u64(j, v);
}

void tut_json_put_bool(tut_json *j, const char *key, bool v)
{
    tut_json_key(j, key);
    tut_json_bool(j, v);
}

void tut_json_put_time(tut_json *j, const char *key, tut_time t)
{
    tut_json_key(j, key);
    tut_json_time(j, t);
}

void tut_json_put_or_null(tut_json *j, const char *key, tut_str s)
{
    tut_json_key(j, key);
    if (s.len > 0)
        tut_json_str(j, s);
    else
        tut_json_null(j);
}

void tut_json_put_words(tut_json *j, const char *key, const char *words)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
        size_t len = strcspn(words, " ");
        tut_json_str(j, (tut_str){words, len});
        words += len;
    }
    tut_json_end_array(j);
}

void tut_json_head(tut_json *j, const char *schema, tut_time generated)
{
    tut_json_object(j);
    tut_json_put_z(j, "schema", schema);
    tut_json_put_z(j, "tutela", TUTELA_VERSION);
    tut_json_put_time(j, "generated", generated);
}

void tut_json_put_real(tut_json *j, const char *key, double v)
{
    tut_json_key(j, key);
    tut_json_real(j, v);
}
