/*
 * One serialised object: what Keras does when it meets it. After keras/src/saving/
 * serialization_lib.py (3.x), keras/saving/legacy (2.x) and the layers' own from_config().
 */
#include <string.h>

#include "formats/encoded.h"
#include "formats/keras_internal.h"
#include "formats/marshal.h"

typedef enum origin {
    ORIGIN_NONE,    /* no module: looked up among what the program registered */
    ORIGIN_KERAS,   /* Keras itself and its companions */
    ORIGIN_TENSOR,  /* tensorflow, numpy, jax: frameworks beneath */
    ORIGIN_BUILTIN, /* "builtins": also how Keras writes its own functions */
    ORIGIN_MAIN,    /* the program that loads */
    ORIGIN_FOREIGN  /* any other module, imported by name */
} origin;

static bool is_one_of(tut_str s, const char *const *list)
{
    for (; *list; list++)
        if (tut_str_eq_z(s, *list))
            return true;
    return false;
}

static tut_str top_of(tut_str module)
{
    const char *dot = module.len ? memchr(module.data, '.', module.len) : NULL;
    return (tut_str){module.data, dot ? (size_t)(dot - module.data) : module.len};
}

static origin origin_of(tut_str module)
{
    static const char *const keras[] = {"keras",       "tf_keras",      "keras_nlp",
                                        "keras_hub",   "keras_cv",      "keras_core",
                                        "keras_tuner", "keras_contrib", NULL};
    static const char *const tensor[] = {"tensorflow",
                                         "numpy",
                                         "jax",
                                         "tensorflow_addons",
                                         "tensorflow_probability",
                                         "tensorflow_hub",
                                         "tensorflow_text",
                                         "tensorflow_addons",
                                         "tf",
                                         NULL};
    tut_str top = top_of(module);
    size_t at;
    if (module.len == 0)
        return ORIGIN_NONE;
    if (is_one_of(top, keras) ||
        (tut_str_eq_z(top, "tensorflow") && tut_str_find(module, TUT_LIT(".keras"), &at)))
        return ORIGIN_KERAS;
    if (is_one_of(top, tensor))
        return ORIGIN_TENSOR;
    if (tut_str_eq_z(module, "builtins") || tut_str_eq_z(module, "__builtin__"))
        return ORIGIN_BUILTIN;
    return tut_str_eq_z(module, "__main__") ? ORIGIN_MAIN : ORIGIN_FOREIGN;
}

static void tell_python(tut_keras *k, const char *rule, tut_str module, tut_str name)
{
    const tut_python_event event = {.rule = rule,
                                    .where = tut_str_of(tut_keras_where(k)),
                                    .offset = TUT_NO_OFFSET,
                                    .module = module,
                                    .names = &name,
                                    .name_count = 1};
    tut_exam_python(k->x, &event);
}

/* --- names in modules --- */

/* Functions of Keras that no model is built of: they fetch, load, switch checks off, or make code
 * of data. Reached by name they are the gadgets of CVE-2025-8747 and CVE-2025-9906. */
static bool is_gadget(tut_str name)
{
    static const char *const names[] = {"get_file",
                                        "load_model",
                                        "load_weights",
                                        "enable_unsafe_deserialization",
                                        "func_load",
                                        "deserialize_keras_object",
                                        "deserialize",
                                        "model_from_json",
                                        "model_from_yaml",
                                        "model_from_config",
                                        "extract_archive",
                                        "load_img",
                                        "load_data",
                                        "save_model",
                                        "save_weights",
                                        "export",
                                        "save_img",
                                        "plot_model",
                                        "clear_session",
                                        "read_file",
                                        "write_file",
                                        "py_function",
                                        "numpy_function",
                                        "py_func",
                                        "load_library",
                                        "load_op_library",
                                        "load_file_system_library",
                                        "eager_py_func",
                                        "matching_files",
                                        "loadtxt",
                                        "genfromtxt",
                                        "fromfile",
                                        "memmap",
                                        "load",
                                        "save",
                                        "run_function_lib",
                                        "set_backend",
                                        "set_floatx",
                                        "get_source_inputs",
                                        "pip_install",
                                        "system",
                                        "popen",
                                        "exec",
                                        "eval",
                                        "__import__",
                                        "import_module",
                                        "getattr",
                                        "attrgetter",
                                        NULL};
    const char *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    tut_str last = dot ? (tut_str){dot + 1, name.len - (size_t)(dot + 1 - name.data)} : name;
    return is_one_of(last, names);
}

/* Modules below keras that hold what models are built of. */
static bool is_building_module(tut_str module)
{
    static const char *const parts[] = {"activations",
                                        "losses",
                                        "metrics",
                                        "initializers",
                                        "regularizers",
                                        "constraints",
                                        "layers",
                                        "optimizers",
                                        "ops",
                                        "random",
                                        "models",
                                        "applications",
                                        "dtype_policies",
                                        "quantizers",
                                        "distribution",
                                        "engine",
                                        "backend",
                                        "tree",
                                        "legacy_tf_layers",
                                        "trainers",
                                        "schedules",
                                        "math",
                                        "nn",
                                        "backend_config",
                                        NULL};
    for (const char *at = module.data, *end = module.data + module.len; at < end;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        tut_str part = {at, dot ? (size_t)(dot - at) : (size_t)(end - at)};
        if (is_one_of(part, parts))
            return true;
        at = dot ? dot + 1 : end;
    }
    return false;
}

static bool is_capital(tut_str name)
{
    const char *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    const char *first = dot ? dot + 1 : name.data;
    while (first < name.data + name.len && *first == '_')
        first++;
    return first < name.data + name.len && *first >= 'A' && *first <= 'Z';
}

static bool is_ascii(tut_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.data[i] >= 0x80)
            return false;
    return true;
}

/* A name that Keras would look up in a module, to call it or to build it. */
static void check_reference(tut_keras *k, tut_str module, tut_str name, bool is_function)
{
    if (!is_ascii(module))
        tut_exam_observe(k->x, "keras.lookalike-module", TUT_NO_OFFSET, "%s: %.*s.%.*s",
                         tut_keras_where(k), TUT_KERAS_SHOWN(module), TUT_KERAS_SHOWN(name));
    switch (origin_of(module)) {
    case ORIGIN_NONE:
    case ORIGIN_MAIN:
        break; /* only what the loading program defines: told by its registered name */
    case ORIGIN_KERAS:
        if (is_gadget(name))
            tell_python(k, "keras.gadget", module, name);
        else if ((is_function || !is_capital(name)) && !is_building_module(module) &&
                 memchr(module.data, '.', module.len))
            tut_exam_observe(k->x, "keras.odd-function", TUT_NO_OFFSET, "%s: %.*s.%.*s",
                             tut_keras_where(k), TUT_KERAS_SHOWN(module), TUT_KERAS_SHOWN(name));
        break;
    case ORIGIN_TENSOR:
        if (is_gadget(name))
            tell_python(k, "keras.gadget", module, name);
        break;
    case ORIGIN_BUILTIN:
        if (is_gadget(name) || tut_str_eq_z(name, "open") || tut_str_eq_z(name, "compile") ||
            tut_str_eq_z(name, "input") || tut_str_eq_z(name, "breakpoint"))
            tell_python(k, "keras.foreign-function", module, name);
        break;
    case ORIGIN_FOREIGN:
        tell_python(
            k, is_function || !is_capital(name) ? "keras.foreign-function" : "keras.foreign-class",
            module, name);
        break;
    }
}

/* --- Lambda --- */

/* The text of code in the forms that Keras has written it: [code, defaults, closure], or an object
 * "__lambda__" around it. NULL data: none. */
static tut_str code_of(const tut_json_value *f)
{
    if (!f)
        return (tut_str){0};
    if (f->type == TUT_JSON_ARRAY)
        return tut_json_text(tut_json_item(f, 0));
    const tut_json_value *value = tut_json_get(tut_json_get(f, "config"), "value");
    if (!value)
        value = tut_json_get(tut_json_get(f, "config"), "code");
    if (value && value->type == TUT_JSON_ARRAY)
        return tut_json_text(tut_json_item(value, 0));
    return tut_json_text(value);
}

/* Code that the walk will recognise by itself when it comes to the string. */
static bool is_recognised(tut_str code)
{
    enum { HEAD = 256 };
    uint8_t some[HEAD];
    size_t len = 0;
    tut_str head = {code.data, code.len < HEAD ? code.len : HEAD};
    return code.len > 0 && tut_encoded_base64(head, some, sizeof(some), &len) &&
           tut_marshal_is_code((tut_span){some, len});
}

static void check_code(tut_keras *k, tut_str code)
{
    if (!is_recognised(code))
        tut_exam_observe(k->x, "keras.lambda-code", TUT_NO_OFFSET,
                         "%s: code of %zu bytes that could not be read", tut_keras_where(k),
                         code.len);
}

static void check_lambda(tut_keras *k, const tut_json_value *config)
{
    static const char *const keys[] = {"function", "output_shape", "mask"};
    bool has_code = false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const tut_json_value *f = tut_json_get(config, keys[i]);
        tut_str code = code_of(f);
        if (code.len == 0 || (f->type == TUT_JSON_OBJECT &&
                              !tut_str_eq_z(tut_json_get_text(f, "class_name"), "__lambda__")))
            continue;
        has_code = true;
        if (f->type == TUT_JSON_ARRAY) /* the object form comes by again */
            check_code(k, code);
    }
    if (has_code)
        return;
    tut_str type = tut_json_get_text(config, "function_type");
    tut_str name = tut_json_get_text(config, "function");
    bool is_code = tut_str_eq_z(type, "lambda") || tut_str_eq_z(type, "raw");
    tut_exam_observe(k->x, is_code ? "keras.lambda-code" : "keras.lambda", TUT_NO_OFFSET,
                     "%s: a Lambda layer%s%.*s", tut_keras_where(k),
                     name.len ? " of the function " : "", TUT_KERAS_SHOWN(name));
}

/* --- layers that bring other things in --- */

static void check_node_definition(tut_keras *k, const tut_json_value *config)
{
    static const char *const ops[] = {"ReadFile",      "WriteFile",     "PyFunc",
                                      "MatchingFiles", "LoadLibrary",   "SaveV2",
                                      "RestoreV2",     "DebugIdentity", NULL};
    tut_str text = tut_json_get_text(config, "node_def");
    for (const char *const *op = ops; *op; op++) {
        size_t at;
        if (tut_str_find(text, tut_str_of(*op), &at))
            tut_exam_observe(k->x, "keras.gadget", TUT_NO_OFFSET, "%s: the operator %s",
                             tut_keras_where(k), *op);
    }
}

/* True when the class was one of these. */
static bool check_special(tut_keras *k, tut_str class_name, const tut_json_value *config)
{
    static const char *const loaders[] = {"TFSMLayer", "LegacySavedModelLayer", "HubLayer",
                                          "KerasLayer", NULL};
    static const char *const jax[] = {"JaxLayer", "FlaxLayer", NULL};
    if (tut_str_eq_z(class_name, "Lambda")) {
        check_lambda(k, config);
        return true;
    }
    if (tut_str_eq_z(class_name, "__lambda__")) {
        const tut_json_value *value = tut_json_get(config, "value");
        tut_str code = value && value->type == TUT_JSON_ARRAY
                           ? tut_json_text(tut_json_item(value, 0))
                           : tut_json_text(value);
        if (code.len == 0)
            code = tut_json_get_text(config, "code");
        check_code(k, code);
        return true;
    }
    if (tut_str_eq_z(class_name, "TorchModuleWrapper")) {
        tut_exam_observe(k->x, "keras.torch-module", TUT_NO_OFFSET, "%s: TorchModuleWrapper",
                         tut_keras_where(k));
        return true;
    }
    if (is_one_of(class_name, loaders)) {
        tut_str path = tut_json_get_text(config, "filepath");
        if (path.len == 0)
            path = tut_json_get_text(config, "handle");
        tut_exam_observe(k->x, "keras.loads-model", TUT_NO_OFFSET, "%s: %.*s loads '%.*s'",
                         tut_keras_where(k), TUT_KERAS_SHOWN(class_name), TUT_KERAS_SHOWN(path));
        return true;
    }
    if (is_one_of(class_name, jax)) {
        tut_exam_observe(k->x, "keras.foreign-layer", TUT_NO_OFFSET, "%s: %.*s", tut_keras_where(k),
                         TUT_KERAS_SHOWN(class_name));
        return true;
    }
    return false;
}

static void note_type(tut_keras *k, tut_str class_name)
{
    if (class_name.len == 0 || class_name.len > 64)
        return;
    tut_str known = tut_buf_str(&k->types);
    size_t at = 0;
    for (tut_str rest = known; tut_str_find(rest, class_name, &at);) {
        size_t end = at + class_name.len;
        bool is_whole = (at == 0 || rest.data[at - 1] == ' ') &&
                        (end == rest.len || rest.data[end] == ',');
        if (is_whole)
            return;
        rest = (tut_str){rest.data + end, rest.len - end};
    }
    if (k->types.len + class_name.len + 2 >= TUT_LIMIT_FACT_BYTES)
        return;
    if (k->types.len)
        tut_buf_add_z(&k->types, ", ");
    tut_buf_add_str(&k->types, class_name);
}

/* {"layers": [object, ...]} */
static void count_layers(tut_keras *k, const tut_json_value *v)
{
    const tut_json_value *layers = tut_json_get(v, "layers");
    if (!layers || layers->type != TUT_JSON_ARRAY)
        return;
    k->layers += layers->count;
    for (uint32_t i = 0; i < layers->count; i++)
        note_type(k, tut_json_get_text(tut_json_item(layers, i), "class_name"));
}

/* --- one object --- */

/* Without a module, or with one that is not Keras': what the loading program must have registered
 * under "package>Name". Nothing is imported for it. */
static void check_registered(tut_keras *k, tut_str module, tut_str class_name, tut_str registered)
{
    size_t at;
    origin from = origin_of(module);
    tut_str name = registered.len ? registered : class_name;
    bool is_custom = tut_str_find(name, TUT_LIT(">"), &at) &&
                     !tut_str_starts(name, TUT_LIT("keras"));
    if (is_custom && (from == ORIGIN_NONE || from == ORIGIN_MAIN))
        tut_exam_fact(k->x, "keras.custom-object", name);
}

/* {"module": "os", "fn": "system"}: a function by its name in any form that is not Keras' own. */
static void check_loose_reference(tut_keras *k, const tut_json_value *v, tut_str module)
{
    static const char *const keys[] = {"fn",   "func",   "function", "callable", "target",
                                       "name", "method", "attr",     NULL};
    if (origin_of(module) != ORIGIN_FOREIGN && origin_of(module) != ORIGIN_BUILTIN)
        return;
    for (uint32_t i = 0; i < v->count; i++) {
        const tut_json_value *member = tut_json_item(v, i);
        if (member->type == TUT_JSON_STRING && is_one_of(member->key, keys))
            check_reference(k, module, member->as.string, true);
    }
}

/* Functions of "TFOpLambda" are names below tf: "math.add". */
static void check_tf_lambda(tut_keras *k, const tut_json_value *config)
{
    tut_str name = tut_json_get_text(config, "function");
    if (is_gadget(name))
        tell_python(k, "keras.gadget", TUT_LIT("tf"), name);
}

static tut_str name_of_function(const tut_json_value *config)
{
    if (config && config->type == TUT_JSON_STRING)
        return config->as.string;
    return tut_json_get_text(config, "name");
}

tut_status tut_keras_object(tut_keras *k, const tut_json_value *v, tut_error *err)
{
    tut_str class_name = tut_json_get_text(v, "class_name");
    tut_str module = tut_json_get_text(v, "module");
    const tut_json_value *config = tut_json_get(v, "config");
    (void)err;
    count_layers(k, v);
    if (class_name.len == 0) {
        check_loose_reference(k, v, module);
        return TUT_SUCCESS;
    }
    if (tut_str_eq_z(class_name, "TFOpLambda"))
        check_tf_lambda(k, config);
    if (tut_str_eq_z(class_name, "TensorFlowOpLayer"))
        check_node_definition(k, config);
    if (check_special(k, class_name, config) && origin_of(module) != ORIGIN_FOREIGN)
        return TUT_SUCCESS;
    bool is_function = tut_str_eq_z(class_name, "function");
    tut_str name = class_name;
    if (is_function)
        name = name_of_function(config);
    else if (tut_str_eq_z(class_name, "__typespec__"))
        name = tut_json_get_text(v, "spec_name");
    check_registered(k, module, class_name, tut_json_get_text(v, "registered_name"));
    check_reference(k, module, name, is_function);
    return TUT_SUCCESS;
}
