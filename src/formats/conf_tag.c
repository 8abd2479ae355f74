/*
 * Tags of YAML that make a loader build objects:
 *
 *   !!python/object/apply:os.system          PyYAML (yaml.load without SafeLoader)
 *   !new:torch.nn.Linear  !apply:os.system   HyperPyYAML (SpeechBrain)
 *   !!javax.script.ScriptEngineManager       SnakeYAML (Java)
 *   !ruby/object:Gem::Installer              Psych (Ruby)
 *   !!js/function  !php/object  !!perl/code  js-yaml 3, Symfony, YAML.pm
 *   !System.Diagnostics.Process,System       YamlDotNet
 *
 * "!!x" is read by libyaml as "tag:yaml.org,2002:x". A file for one language may be read by
 * another, which then knows none of these tags; what they ask for is said all the same.
 */
#include <string.h>

#include "formats/conf.h"

static const char standard[] = "tag:yaml.org,2002:";

static void refer(tut_conf *c, tut_reference_act act, tut_str name, tut_str shown)
{
    const tut_reference reference = {
        .act = act, .name = name, .shown = shown, .offset = c->offset, .is_on_load = true};
    if (c->x->ops->reference)
        c->x->ops->reference(c->x->ctx, &reference);
}

static bool is_one_of(tut_str word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(word, list[i]))
            return true;
    return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof((list)[0]))

static bool starts_one_of(tut_str word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tut_str_starts(word, tut_str_of(list[i])))
            return true;
    return false;
}
#define STARTS_ONE_OF(word, list) starts_one_of(word, list, sizeof(list) / sizeof((list)[0]))

/* --- Python --- */
static void see_python(tut_conf *c, tut_str type)
{
    /* Types whose construction runs nothing. */
    static const char *const plain[] = {"none", "bool",  "str",     "unicode", "bytes", "int",
                                        "long", "float", "complex", "list",    "tuple", "dict"};
    if (IS_ONE_OF(type, plain))
        return;
    c->has_tag = true;
    const char *colon = memchr(type.data, ':', type.len);
    size_t kind_len = colon ? (size_t)(colon - type.data) : type.len;
    tut_str kind = {type.data, kind_len};
    tut_str name = colon ? (tut_str){colon + 1, type.len - kind_len - 1} : (tut_str){"", 0};
    /* Making a class anew with type() is how loaders with a list of names were got round. */
    bool is_apply = tut_str_eq_z(kind, "object/new") || tut_str_eq_z(kind, "object/apply");
    refer(c, is_apply ? TUT_REFERENCE_APPLY : TUT_REFERENCE_TAG, name, type);
}

static void see_hyper(tut_conf *c, tut_str name, tut_str tag)
{
    c->has_target = true;
    refer(c, TUT_REFERENCE_TARGET, name, tag);
}

/* --- other languages --- */
/* "javax.script.ScriptEngineManager": parts with dots between them. */
static bool is_java_class(tut_str name)
{
    size_t dots = 0;
    bool is_start = true;
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.data[i];
        bool is_letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
                         ch == '$';
        bool is_digit = ch >= '0' && ch <= '9';
        if (ch == '.' && is_start)
            return false;
        if (ch != '.' && !is_letter && (is_start || !is_digit))
            return false;
        is_start = ch == '.';
        dots += is_start;
    }
    return dots > 0 && !is_start;
}

static bool is_java_plain(tut_str name)
{
    static const char *const plain[] = {
        "java.lang.String", "java.lang.Integer", "java.lang.Long",     "java.lang.Double",
        "java.lang.Float",  "java.lang.Boolean", "java.lang.Short",    "java.lang.Byte",
        "java.lang.Object", "java.lang.Number",  "java.lang.Character"};
    return IS_ONE_OF(name, plain);
}

/* Packages whose classes connect, look up, load or run when they are made; beans of a program are
 * in packages of its own. */
static bool is_java_gadget(tut_str name)
{
    static const char *const packages[] = {"javax.script.",
                                           "javax.naming.",
                                           "javax.management.",
                                           "javax.swing.",
                                           "javax.imageio.",
                                           "java.lang.",
                                           "java.net.",
                                           "java.io.",
                                           "java.rmi.",
                                           "java.beans.",
                                           "com.sun.",
                                           "sun.",
                                           "jdk.",
                                           "com.mchange.",
                                           "org.springframework.",
                                           "org.apache.commons.",
                                           "org.apache.xbean.",
                                           "org.apache.log4j.",
                                           "ch.qos.logback.",
                                           "org.codehaus.groovy.",
                                           "groovy.",
                                           "bsh.",
                                           "org.hibernate.",
                                           "org.eclipse.jetty.",
                                           "clojure.",
                                           "org.mozilla.javascript."};
    return STARTS_ONE_OF(name, packages);
}

/* What descriptions of Ruby's packages hold. */
static bool is_ruby_plain(tut_str kind)
{
    static const char *const plain[] = {
        "sym", "symbol", "regexp", "range", "array", "hash", "string", "encoding",
    };
    return IS_ONE_OF(kind, plain);
}

static bool is_ruby_description(tut_str rest)
{
    static const char *const classes[] = {
        "object:Gem::Specification", "object:Gem::Version",    "object:Gem::Version::Requirement",
        "object:Gem::Requirement",   "object:Gem::Dependency", "object:Gem::Platform",
        "object:Gem::NameTuple",     "object:OpenStruct",      "object:Set",
        "object:BigDecimal",
    };
    return IS_ONE_OF(rest, classes);
}

static void tell(tut_conf *c, const char *loader, bool is_call, tut_str tag)
{
    tut_exam_observe(c->x, is_call ? "data.yaml-object-call" : "data.yaml-object", c->offset,
                     "for %s: %.*s", loader, (int)(tag.len < 200 ? tag.len : 200), tag.data);
}

/* rest: behind "tag:yaml.org,2002:" or "!". */
static void see_foreign(tut_conf *c, tut_str rest, bool is_standard, tut_str shown)
{
    static const struct {
        const char *prefix, *loader;
        bool is_call;
    } rows[] = {
        {"js/function", "js-yaml (JavaScript)", true}, {"php/object", "a loader of PHP", true},
        {"perl/code", "YAML.pm (Perl)", true},         {"perl/", "YAML.pm (Perl)", false},
        {"System.", "YamlDotNet (.NET)", true},
    };
    if (tut_str_starts(rest, TUT_LIT("ruby/"))) {
        tut_str kind = {rest.data + 5, rest.len - 5};
        const char *colon = memchr(kind.data, ':', kind.len);
        bool is_alone = !colon && is_ruby_plain(kind);
        if (!is_alone)
            tell(c, "Psych (Ruby)",
                 tut_str_starts(kind, TUT_LIT("object")) && !is_ruby_description(kind), shown);
        return;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!tut_str_starts(rest, tut_str_of(rows[i].prefix)))
            continue;
        tell(c, rows[i].loader, rows[i].is_call, shown);
        return;
    }
    if (is_standard && is_java_class(rest) && !is_java_plain(rest))
        tell(c, "SnakeYAML (Java)", is_java_gadget(rest), shown);
}

void tut_conf_tag(tut_conf *c, tut_str tag)
{
    static const char *const hyper[] = {"!new:", "!name:", "!apply:", "!module:"};
    bool is_standard = tut_str_starts(tag, tut_str_of(standard));
    size_t skip = is_standard ? sizeof(standard) - 1 : 1;
    if (tag.len <= skip || (!is_standard && tag.data[0] != '!') ||
        !tut_conf_set_add(&c->targets, tag))
        return;
    tut_str rest = {tag.data + skip, tag.len - skip};
    const char *colon = memchr(rest.data, ':', rest.len);
    if (is_standard && tut_str_starts(rest, TUT_LIT("python/")))
        see_python(c, (tut_str){rest.data + 7, rest.len - 7});
    else if (STARTS_ONE_OF(tag, hyper) && colon)
        see_hyper(c, (tut_str){colon + 1, (size_t)(rest.data + rest.len - colon - 1)}, tag);
    else
        see_foreign(c, rest, is_standard, tag);
}
