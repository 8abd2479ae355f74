#include "scan/python_policy.h"

#include "scan/pickle_names.h"

enum { NAMES_SHOWN = 12, NAME_CHARS = 64, WHERE_CHARS = 200, TEXTS_SHOWN = 4, TEXT_CHARS = 80 };

/* Capabilities that a bare name proves. In ordinary code `map`, `getattr` or an attribute called
 * `input` mean nothing. */
static bool is_plain_proof(tut_capability c)
{
    switch (c) {
    case TUT_CAPABILITY_SHELL:
    case TUT_CAPABILITY_PROCESS:
    case TUT_CAPABILITY_CODE:
    case TUT_CAPABILITY_NATIVE:
    case TUT_CAPABILITY_UNPICKLE:
    case TUT_CAPABILITY_IMPORT:
    case TUT_CAPABILITY_WRITE:
    case TUT_CAPABILITY_NETWORK:
        return true;
    case TUT_CAPABILITY_NONE:
    case TUT_CAPABILITY_PROCESS_STATE:
    case TUT_CAPABILITY_LATER:
    case TUT_CAPABILITY_READ:
    case TUT_CAPABILITY_LOOKUP:
    case TUT_CAPABILITY_PARTIAL:
    case TUT_CAPABILITY_NESTED_TORCH:
        break;
    }
    return false;
}

/* The frameworks' own modules stand in the table as a whole, for pickles; code of a layer uses them
 * all the time. */
static bool is_framework(tut_str module)
{
    static const char *const tops[] = {"tensorflow", "keras", "tf_keras", "tf", "torch", "jax"};
    const char *dot = module.len ? memchr(module.data, '.', module.len) : NULL;
    tut_str top = {module.data, dot ? (size_t)(dot - module.data) : module.len};
    for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
        if (tut_str_eq_z(top, tops[i]))
            return true;
    return false;
}

/* Among equally grave ones the first of the table says most: a shell more than an import. */
static void worsen(tut_python_verdict *v, tut_capability c, tut_str module, tut_str name)
{
    tut_severity severity = tut_capability_severity(c);
    bool is_better_said = severity == v->severity && (!v->title || c < v->capability);
    if (c == TUT_CAPABILITY_NONE || !(severity > v->severity || is_better_said))
        return;
    v->severity = severity;
    v->capability = c;
    v->title = tut_capability_title(c);
    v->module = module;
    v->name = name;
}

static void judge_pair(tut_python_verdict *v, tut_str module, tut_str name)
{
    if (tut_python_is_dotted_name(module) && !is_framework(module))
        worsen(v, tut_capability_of(module, name), module, name);
}

/* Which name belongs to which module is in the bytecode, which differs by version; every name is
 * tried with every module that is spoken of, by name or (for __import__) as text. */
static void judge_code(const tut_python_event *e, tut_python_verdict *v)
{
    for (size_t i = 0; i < e->name_count; i++) {
        tut_capability c = tut_capability_of(TUT_LIT("builtins"), e->names[i]);
        if (is_plain_proof(c))
            worsen(v, c, TUT_LIT("builtins"), e->names[i]);
        for (size_t j = 0; j < e->name_count; j++)
            if (i != j)
                judge_pair(v, e->names[j], e->names[i]);
        for (size_t j = 0; j < e->text_count; j++)
            judge_pair(v, e->texts[j], e->names[i]);
    }
}

void tut_python_judge(const tut_python_event *e, tut_python_verdict *ret_verdict)
{
    const tut_rule *rule = tut_rule_find(tut_str_of(e->rule));
    tut_python_verdict v = {.severity = rule ? rule->severity : TUT_SEVERITY_HIGH};
    if (e->module.len == 0)
        judge_code(e, &v);
    else if (e->name_count > 0)
        worsen(&v, tut_capability_of(e->module, e->names[0]), e->module, e->names[0]);
    *ret_verdict = v;
}

static void describe_code(const tut_python_event *e, const tut_python_verdict *v, tut_buf *out)
{
    if (v->name.len) {
        tut_buf_add_z(out, "; code that reaches ");
        tut_buf_add_escaped(out, v->module, NAME_CHARS);
        tut_buf_add_byte(out, '.');
        tut_buf_add_escaped(out, v->name, NAME_CHARS);
    }
    for (size_t i = 0; i < e->name_count && i < NAMES_SHOWN; i++) {
        tut_buf_add_z(out, i ? ", " : "; uses ");
        tut_buf_add_escaped(out, e->names[i], NAME_CHARS);
    }
    if (e->name_count > NAMES_SHOWN)
        tut_buf_printf(out, " and %zu more", e->name_count - NAMES_SHOWN);
    size_t shown = 0;
    for (size_t i = 0; i < e->text_count && shown < TEXTS_SHOWN; i++) {
        tut_buf_add_z(out, shown++ ? ", '" : "; constants '");
        tut_buf_add_escaped(out, e->texts[i], TEXT_CHARS);
        tut_buf_add_byte(out, '\'');
    }
}

void tut_python_describe(const tut_python_event *e, const tut_python_verdict *v, tut_buf *out)
{
    tut_buf_add_escaped(out, e->where, WHERE_CHARS);
    if (e->module.len == 0) {
        describe_code(e, v, out);
        return;
    }
    tut_buf_add_z(out, ": ");
    tut_buf_add_escaped(out, e->module, (size_t)NAME_CHARS * 2);
    if (e->name_count > 0) {
        tut_buf_add_byte(out, '.');
        tut_buf_add_escaped(out, e->names[0], (size_t)NAME_CHARS * 2);
    }
}
