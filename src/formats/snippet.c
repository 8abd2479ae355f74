#include "formats/snippet.h"

#include <string.h>

enum { KEY_SHOWN = 80 };

/* Spelt as programs spell them; a text about programs rarely has the parenthesis or the operator.
 */
static const char *const tokens[] = {
    "__import__(",
    "os.system(",
    "os.popen(",
    "subprocess.call(",
    "subprocess.run(",
    "subprocess.Popen(",
    "subprocess.check_output(",
    "pty.spawn(",
    "exec(base64",
    "exec(compile(",
    "eval(compile(",
    "eval(base64",
    "exec(requests",
    "marshal.loads(",
    "pickle.loads(",
    "import os;",
    "import subprocess;",
    "import socket;",
    "<script",
    "javascript:",
    "onerror=",
    "rm -rf /",
    "rm -rf *",
    "rm -rf ~",
    "/dev/tcp/",
    "chmod 777 ",
    "chmod +x ",
    "bash -i",
    "bash -c ",
    "sh -c ",
    "| sh",
    "| bash",
    "|sh ",
    "|bash",
    "&& wget ",
    "&& curl ",
    "; wget ",
    "; curl ",
    "nc -e ",
    "powershell -",
    "cmd.exe /c",
    "cmd /c ",
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_word_byte(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The token from `at` on, and not as a part of a longer word: "share", "finish -c". */
static bool stands_at(tut_str text, size_t at, const char *token)
{
    size_t len = strlen(token);
    if (len > text.len - at ||
        (is_word_byte(token[0]) && at > 0 && is_word_byte(text.data[at - 1])))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (lower(text.data[at + i]) != lower(token[i]))
            return false;
    }
    return !is_word_byte(token[len - 1]) || at + len == text.len ||
           !is_word_byte(text.data[at + len]);
}

const char *tut_snippet_in(tut_str text)
{
    for (size_t at = 0; at < text.len; at++) {
        for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
            if (stands_at(text, at, tokens[i]))
                return tokens[i];
        }
    }
    return NULL;
}

void tut_snippet_check(tut_exam *x, tut_str key, tut_str value, uint64_t offset)
{
    const char *token = tut_snippet_in(value);
    if (token)
        tut_exam_observe(x, "data.code-in-text", offset, "the value of %.*s holds '%s'",
                         (int)(key.len < KEY_SHOWN ? key.len : KEY_SHOWN), key.data, token);
}
