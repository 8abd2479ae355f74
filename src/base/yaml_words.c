/* libyaml's complaints, in words that help to find the slip. */
#include "base/yaml_internal.h"

typedef struct translation {
    const char *problem;
    const char *context; /* beginning, or NULL: any */
    const char *words;
} translation;

static const translation table[] = {
    {"mapping values are not allowed in this context", NULL,
     "no ':' can stand here; quote the text, or look at the indentation"},
    {"block sequence entries are not allowed in this context", NULL,
     "no list item can begin here; put it on its own line"},
    {"mapping keys are not allowed in this context", NULL, "no key can begin here"},
    {"could not find expected ':'", NULL, "a ':' is missing after this key"},
    {"did not find expected key", "while parsing a block mapping",
     "a key was expected here; look at the indentation and the quotes"},
    {"did not find expected key", NULL, "a key was expected here"},
    {"did not find expected '-' indicator", NULL,
     "a list item was expected here; look at the indentation"},
    {"did not find expected ',' or ']'", NULL, "a ',' or the closing ']' is missing"},
    {"did not find expected ',' or '}'", NULL, "a ',' or the closing '}' is missing"},
    {"did not find expected node content", NULL, "a value was expected here"},
    {"found unexpected end of stream", "while scanning a quoted scalar",
     "the text ends inside quotes"},
    {"found unexpected document indicator", NULL, "a document ends inside quotes"},
    {"found character that cannot start any token", NULL,
     "no value can begin with this character; quote the text, and indent with spaces, not tabs"},
    {"found a tab character that violates indentation", NULL, "indent with spaces, not with tabs"},
    {"found a tab character where an indentation space is expected", NULL,
     "indent with spaces, not with tabs"},
    {"found unknown escape character", NULL,
     "this escape is unknown; double the '\\', or use single quotes"},
    {"did not find expected comment or line break", NULL,
     "only a comment can follow here; move the text to the next line"},
    {"did not find expected <document start>", NULL, "something follows the end of the document"},
    {"did not find expected alphabetic or numeric character", "while scanning an alias",
     "'*' begins an alias; quote the text"},
    {"did not find expected alphabetic or numeric character", "while scanning an anchor",
     "'&' begins an anchor; quote the text"},
    {"found undefined tag handle", NULL, "'!' begins a tag; quote the text"},
    {"found incompatible YAML document", NULL, "only YAML 1.1 and 1.2 can be read"},
    {"found unexpected ':'", NULL, "no ':' can stand here; quote the text"},
    {"control characters are not allowed", NULL, "a control character stands here"},
    {"invalid leading UTF-8 octet", NULL, "this byte is no UTF-8"},
    {"invalid trailing UTF-8 octet", NULL, "this byte is no UTF-8"},
    {"incomplete UTF-8 octet sequence", NULL, "the text ends inside a character"},
    {"invalid length of a UTF-8 sequence", NULL, "this byte is no UTF-8"},
    {"invalid Unicode character", NULL, "this is no Unicode character"},
    {"found invalid Unicode character escape code", NULL, "this is no Unicode character"},
    {"did not find expected hexdecimal number", NULL, "this escape needs hexadecimal digits"},
};

const char *tut_yaml_problem(const char *problem, const char *context)
{
    tut_str wanted = tut_str_of(problem);
    tut_str around = tut_str_of(context);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (!tut_str_eq_z(wanted, table[i].problem))
            continue;
        if (!table[i].context || tut_str_starts(around, tut_str_of(table[i].context)))
            return table[i].words;
    }
    return problem && *problem ? problem : "this is no valid YAML";
}
