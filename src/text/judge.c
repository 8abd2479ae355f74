/* What tells a secret from its stand-in, and a number from a number of somebody. */
#include <math.h>
#include <string.h>

#include "text/rule.h"

double tut_judge_entropy(tut_str value)
{
    uint32_t counts[256] = {0};
    double bits = 0;
    for (size_t i = 0; i < value.len; i++)
        counts[(uint8_t)value.data[i]]++;
    for (size_t i = 0; i < 256; i++) {
        if (counts[i] > 0)
            bits -= counts[i] * log2((double)counts[i] / (double)value.len);
    }
    return value.len > 0 ? bits / (double)value.len : 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Of a list separated by '|'; the value in lower case. */
static bool has_any(tut_str low, const char *list)
{
    size_t at;
    while (*list) {
        size_t len = strcspn(list, "|");
        if (len > 0 && tut_str_find(low, (tut_str){list, len}, &at))
            return true;
        list += len;
        list += *list == '|';
    }
    return false;
}

enum { VALUE_MAX = 256, SAME_RUN = 5, STEP_RUN = 8 };

static tut_str lowered(tut_str value, char *low)
{
    size_t n = value.len < VALUE_MAX ? value.len : VALUE_MAX;
    for (size_t i = 0; i < n; i++)
        low[i] = lower(value.data[i]);
    return (tut_str){low, n};
}

/* "aaaaa", or "12345678": no generator makes these in a key of usual length. */
static bool has_run(tut_str value)
{
    size_t same = 1, step = 1;
    for (size_t i = 1; i < value.len; i++) {
        same = value.data[i] == value.data[i - 1] ? same + 1 : 1;
        step = value.data[i] == value.data[i - 1] + 1 ? step + 1 : 1;
        if (same > SAME_RUN || step > STEP_RUN)
            return true;
    }
    return false;
}

bool tut_judge_is_placeholder(tut_str value)
{
    static const char words[] =
        "example|xxxxx|*****|.....|-----|_____|your|changeme|change_me|change-me|placeholder|"
        "redacted|insert|replace|dummy|sample|goes_here|goes-here|goeshere|_here|-here|not-a-real|"
        "notareal|fakekey|fake_|fake-|abcdefgh|todo";
    char low[VALUE_MAX];
    if (value.len == 0 || memchr(value.data, '<', value.len) ||
        memchr(value.data, '{', value.len) || memchr(value.data, '$', value.len))
        return value.len == 0 || has_any(lowered(value, low), "<|{|${|$(");
    return has_any(lowered(value, low), words) || has_run(value);
}

bool tut_judge_is_stop_word(tut_str value)
{
    static const char words[] =
        "test|demo|dummy|fake|mock|foo|bar|baz|secret|passw|token|passphrase|null|none|true|false|"
        "undefined|default|hunter2|qwerty|letmein|1234|abc|admin|user|string|value|config|setting|"
        "function|return|import|class|http|.com|.org|.json|.yaml|.pem|.key|.txt|.py|.js|env|"
        "localhost|random|generate|lorem|ipsum|object|array|index|public|private|field|param|"
        "option|method|version|sha1|sha256|sha512|md5|base64|enabled|disabled|required|optional";
    char low[VALUE_MAX];
    return has_any(lowered(value, low), words);
}

bool tut_judge_is_random(tut_str value, double least)
{
    size_t digits = 0, letters = 0;
    for (size_t i = 0; i < value.len; i++) {
        digits += tut_is_digit(value.data[i]);
        letters += tut_is_letter(value.data[i]);
    }
    return digits > 0 && letters > 0 && tut_judge_entropy(value) >= least;
}

static bool is_hex(char c)
{
    return tut_is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

bool tut_judge_starts(tut_str text, size_t at)
{
    if (at == 0 || !tut_is_word(text.data[at - 1]))
        return true;
    const char *c = text.data + at;
    if (at >= 2 && c[-2] == '\\' && strchr("nrtbf", c[-1]))
        return true;
    if (at >= 3 && c[-3] == '%' && is_hex(c[-2]) && is_hex(c[-1]))
        return true;
    return at >= 6 && c[-6] == '\\' && c[-5] == 'u' && is_hex(c[-4]) && is_hex(c[-3]) &&
           is_hex(c[-2]) && is_hex(c[-1]);
}
