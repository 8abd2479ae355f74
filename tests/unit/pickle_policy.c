/* The policy on names: what is harmless, what is not, and that nothing is harmless by default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan/pickle_capability.h"
#include "scan/pickle_names.h"
#include "scan/pickle_policy.h"

static const tut_pickle_context plain = {0};
static const tut_pickle_context torch_file = {.has_storages = true};

static tut_pickle_event event_of(tut_pickle_act act, const char *opcode, const char *module,
                                 const char *name, const char *arguments)
{
    return (tut_pickle_event){.act = act,
                              .opcode = opcode,
                              .is_resolved = true,
                              .module = tut_str_of(module),
                              .name = tut_str_of(name),
                              .arguments = tut_str_of(arguments),
                              .protocol = 4};
}

static tut_pickle_verdict judge_call(const char *module, const char *name, const char *arguments)
{
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_CALL, "REDUCE", module, name, arguments);
    tut_pickle_judge(&e, &plain, &v);
    return v;
}

static tut_pickle_verdict judge_import(const char *module, const char *name)
{
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_IMPORT, "STACK_GLOBAL", module, name, "");
    tut_pickle_judge(&e, &plain, &v);
    return v;
}

static void allow_list_is_sorted_and_well_formed(void **state)
{
    (void)state;
    bool is_sound;
    assert_true(tut_pickle_allow_count(&is_sound) > 2000);
    assert_true(is_sound);
}

static void worlds_of_names_are_told_apart(void **state)
{
    (void)state;
    static const char *const libraries[] = {"PIL.Image", "dateutil.tz", "datasets",
                                            "pytz",      "torch",       "transformers.x.y",
                                            "xgboost",   "yellowbrick", "accelerate"};
    static const char *const standard[] = {"__future__", "os.path", "commands", "zoneinfo",
                                           "_codecs",    "urllib2", "xml.sax",  "test.support"};
    static const char *const others[] = {"", "__main__", "torchx", "osx", "models.yolo", "o"};
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        assert_true(tut_python_is_library(tut_str_of(libraries[i])));
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
        assert_true(tut_python_is_standard(tut_str_of(standard[i])));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(tut_python_is_library(tut_str_of(others[i])));
        assert_false(tut_python_is_standard(tut_str_of(others[i])));
    }
}

static void harmless_names_are_harmless_in_every_act(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"collections", "OrderedDict"},
        {"torch._utils", "_rebuild_tensor_v2"},
        {"torch", "FloatStorage"},
        {"torch", "float16"},
        {"torch.nn.modules.linear", "Linear"},
        {"torch.nn.modules.transformer", "TransformerEncoderLayer"},
        {"numpy.core.multiarray", "_reconstruct"},
        {"numpy._core.multiarray", "scalar"},
        {"numpy", "dtype"},
        {"numpy.random._pickle", "__generator_ctor"},
        {"sklearn.ensemble._forest", "RandomForestClassifier"},
        {"sklearn.tree._tree", "Tree"},
        {"scipy.sparse._csr", "csr_matrix"},
        {"pandas.core.frame", "DataFrame"},
        {"joblib.numpy_pickle", "NumpyArrayWrapper"},
        {"_codecs", "encode"},
        {"copyreg", "_reconstructor"},
        {"datetime", "datetime"},
        {"builtins", "bytearray"},
        {"builtins", "ValueError"},
        {"argparse", "Namespace"},
        {"pathlib", "PosixPath"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (int act = TUT_PICKLE_IMPORT; act <= TUT_PICKLE_BUILD; act++) {
            tut_pickle_verdict v;
            tut_pickle_event e = event_of((tut_pickle_act)act, "REDUCE", names[i][0], names[i][1],
                                          "()");
            tut_pickle_judge(&e, &plain, &v);
            if (v.rule)
                fail_msg("%s.%s is said to be %s", names[i][0], names[i][1], v.rule);
        }
    }
}

/* Every way to run, load, fetch or write that public work on pickles names. */
static const char *const gadgets[][2] = {
#include "unit/pickle_gadgets.def"
};

static void every_known_gadget_is_dangerous_when_called(void **state)
{
    (void)state;
    assert_true(sizeof(gadgets) / sizeof(gadgets[0]) > 230);
    for (size_t i = 0; i < sizeof(gadgets) / sizeof(gadgets[0]); i++) {
        tut_pickle_verdict v = judge_call(gadgets[i][0], gadgets[i][1], "('id', 1, 2)");
        if (!v.rule || v.severity < TUT_SEVERITY_HIGH)
            fail_msg("a call of %s.%s passes as %s", gadgets[i][0], gadgets[i][1],
                     v.rule ? v.rule : "harmless");
    }
}

static void every_known_gadget_is_seen_when_only_imported(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(gadgets) / sizeof(gadgets[0]); i++) {
        tut_pickle_verdict v = judge_import(gadgets[i][0], gadgets[i][1]);
        if (!v.rule)
            fail_msg("an import of %s.%s passes", gadgets[i][0], gadgets[i][1]);
    }
}

static void shell_calls_are_called_by_their_name(void **state)
{
    (void)state;
    static const char *const shells[][2] = {{"os", "system"},
                                            {"posix", "system"},
                                            {"nt", "system"},
                                            {"subprocess", "Popen"},
                                            {"subprocess", "check_output"},
                                            {"commands", "getoutput"},
                                            {"pty", "spawn"}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        tut_pickle_verdict v = judge_call(shells[i][0], shells[i][1], "('id',)");
        assert_string_equal(v.rule, "pickle.call-on-load");
        assert_int_equal(v.severity, TUT_SEVERITY_CRITICAL);
        assert_string_equal(v.title, "Runs a shell command when the file is loaded");
    }
    assert_string_equal(judge_call("builtins", "exec", "('1',)").title,
                        "Runs Python code when the file is loaded");
}

static void python_2_names_mean_what_python_3_makes_of_them(void **state)
{
    (void)state;
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_CALL, "REDUCE", "__builtin__", "eval", "('1',)");
    e.protocol = 2;
    tut_pickle_judge(&e, &plain, &v);
    assert_string_equal(v.rule, "pickle.call-on-load");
    e.name = TUT_LIT("set");
    tut_pickle_judge(&e, &plain, &v);
    assert_null(v.rule);
    e.module = TUT_LIT("copy_reg");
    e.name = TUT_LIT("_reconstructor");
    tut_pickle_judge(&e, &plain, &v);
    assert_null(v.rule);
    e.protocol = 4; /* nothing maps it any more: it would be somebody's own module */
    tut_pickle_judge(&e, &plain, &v);
    assert_non_null(v.rule);
}

static void walks_are_followed_to_their_end(void **state)
{
    (void)state;
    static const char *const walks[][2] = {{"logging", "os.system"},
                                           {"torch.serialization", "os.system"},
                                           {"numpy.lib.npyio", "os.system"},
                                           {"sklearn", "utils.os.popen"},
                                           {"collections", "abc.sys.modules"}};
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++)
        assert_int_equal(judge_call(walks[i][0], walks[i][1], "('id',)").severity,
                         TUT_SEVERITY_CRITICAL);
    assert_int_equal(judge_call("torch.nn", "Module.__init__.__globals__", "()").severity,
                     TUT_SEVERITY_CRITICAL);
    assert_string_equal(judge_import("torch.nn", "functional.thing").rule, "pickle.dotted-walk");
}

static void an_allowed_module_allows_none_of_its_other_names(void **state)
{
    (void)state;
    assert_non_null(judge_import("collections", "namedtuple").rule);
    assert_non_null(judge_import("torch._utils", "_import_dotted_name").rule);
    assert_non_null(judge_import("collections", "OrderedDict.__init__").rule);
    assert_non_null(judge_import("collections", "OrderedDic").rule);
    assert_non_null(judge_import("collections ", "OrderedDict").rule);
}

static void disguised_names_are_critical(void **state)
{
    (void)state;
    static const tut_str odd[][2] = {
        {{"o\xd1\x95", 3}, {"system", 6}}, {{"os\n", 3}, {"system", 6}},
        {{"os\0x", 4}, {"system", 6}},     {{"os", 2}, {"sys tem", 7}},
        {{"", 0}, {"system", 6}},          {{"os.", 3}, {"system", 6}},
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        tut_pickle_verdict v;
        tut_pickle_event e = event_of(TUT_PICKLE_IMPORT, "GLOBAL", "", "", "");
        e.module = odd[i][0];
        e.name = odd[i][1];
        tut_pickle_judge(&e, &plain, &v);
        assert_string_equal(v.rule, "pickle.disguised-name");
        assert_int_equal(v.severity, TUT_SEVERITY_CRITICAL);
    }
}

static void whose_code_it_is_decides_what_no_table_knows(void **state)
{
    (void)state;
    assert_string_equal(judge_import("__main__", "Net").rule, "pickle.unknown-module");
    assert_string_equal(judge_import("models.yolo", "Model").rule, "pickle.unknown-module");
    tut_pickle_verdict v = judge_call("transformers.models.bert", "BertModel", "()");
    assert_string_equal(v.rule, "pickle.unlisted-name");
    assert_int_equal(v.severity, TUT_SEVERITY_MEDIUM);
    v = judge_call("transformers.models.bert", "do_things", "()");
    assert_int_equal(v.severity, TUT_SEVERITY_HIGH);
    v = judge_call("colorsys", "rgb_to_hls", "(1, 2, 3)");
    assert_string_equal(v.rule, "pickle.call-unlisted");
    assert_int_equal(v.severity, TUT_SEVERITY_HIGH);
}

static void partial_is_as_harmless_as_what_it_is_given(void **state)
{
    (void)state;
    assert_null(judge_call("functools", "partial", "(torch.nn.modules.linear.Linear,)").rule);
    assert_int_equal(judge_call("functools", "partial", "(os.system,)").severity,
                     TUT_SEVERITY_CRITICAL);
    assert_int_equal(judge_call("functools", "partial", "(own.thing,)").severity,
                     TUT_SEVERITY_MEDIUM);
}

static void bound_methods_of_allowed_objects_are_harmless(void **state)
{
    (void)state;
    tut_pickle_verdict v = judge_call("builtins", "getattr",
                                      "(torch.nn.modules.linear.<result of LazyLinear>, '_infer')");
    assert_null(v.rule);
    assert_true(v.settles_import);
    v = judge_call("builtins", "getattr", "(re.RegexFlag, 'IGNORECASE')");
    assert_null(v.rule);
    assert_true(v.settles_import);
    v = judge_call("builtins", "getattr", "(sklearn.own.<result of Thing>, 'method')");
    assert_int_equal(v.severity, TUT_SEVERITY_MEDIUM);
    static const char *const bad[] = {
        "(torch.nn.modules.linear.<result of LazyLinear>, '__class__')",
        "(own.<result of Thing>, 'method')",
        "(torch.nn.modules.linear.LazyLinear, '__init__')",
        "(pathlib.PosixPath.home, 'method')",
        "(os, 'system')",
        "(torch.nn.modules.linear.<result of LazyLinear>, <computed>)",
        "('x', '.<result of ', 'y>')",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(judge_call("builtins", "getattr", bad[i]).severity, TUT_SEVERITY_HIGH);
}

static void attributes_of_allowed_classes_are_harmless_until_called(void **state)
{
    (void)state;
    assert_null(judge_import("builtins", "str.split").rule);
    assert_null(judge_import("re", "RegexFlag.IGNORECASE").rule);
    assert_null(judge_import("torch._utils", "torch.contiguous_format").rule);
    assert_int_equal(judge_call("builtins", "str.split", "('a',)").severity, TUT_SEVERITY_HIGH);
    assert_int_equal(judge_import("pathlib", "PosixPath.write_text").severity, TUT_SEVERITY_HIGH);
    assert_int_equal(judge_import("logging", "collections.OrderedDict").severity,
                     TUT_SEVERITY_HIGH);
    assert_int_equal(judge_import("torch._utils", "os.system").severity, TUT_SEVERITY_HIGH);
    assert_int_equal(judge_import("torch", "os").severity, TUT_SEVERITY_HIGH);
}

static void what_is_only_held_or_made_empty_is_not_called(void **state)
{
    (void)state;
    assert_null(judge_import("numpy", "sqrt").rule);
    assert_null(judge_call("torch.nn.modules.linear", "Linear", "()").rule);
    assert_int_equal(judge_call("numpy", "sqrt", "(4,)").severity, TUT_SEVERITY_MEDIUM);
    assert_int_equal(judge_call("torch.nn.modules.linear", "Linear", "(4, 2)").severity,
                     TUT_SEVERITY_MEDIUM);
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_CALL, "REDUCE", "numpy", "sqrt", "(own.thing,)");
    e.has_objects = true;
    tut_pickle_judge(&e, &plain, &v);
    assert_int_equal(v.severity, TUT_SEVERITY_HIGH);
}

static void methods_that_touch_files_are_no_harmless_attributes(void **state)
{
    (void)state;
    static const char *const names[] = {"ndarray.tofile", "ndarray.dump", "ndarray.tobytes"};
    assert_int_equal(judge_import("numpy", names[0]).severity, TUT_SEVERITY_HIGH);
    assert_int_equal(judge_import("numpy", names[1]).severity, TUT_SEVERITY_HIGH);
    assert_null(judge_import("numpy", names[2]).rule);
    assert_int_equal(
        judge_call("builtins", "getattr", "(numpy.<result of ndarray>, 'tofile')").severity,
        TUT_SEVERITY_HIGH);
}

static void iterators_over_containers_are_harmless(void **state)
{
    (void)state;
    assert_null(judge_call("builtins", "iter", "([1, 2],)").rule);
    assert_int_equal(judge_call("builtins", "iter", "(os.getcwd, 1)").severity,
                     TUT_SEVERITY_CRITICAL);
}

static void endless_iterators_are_not_used_up(void **state)
{
    (void)state;
    assert_int_equal(judge_call("builtins", "list", "(itertools.<result of count>,)").severity,
                     TUT_SEVERITY_HIGH);
    assert_null(judge_call("builtins", "list", "([1],)").rule);
    assert_null(judge_call("itertools", "count", "(0,)").rule);
    assert_int_equal(judge_call("builtins", "pow", "(10, 1000000000)").severity,
                     TUT_SEVERITY_MEDIUM);
}

static void state_of_shared_objects_is_not_set(void **state)
{
    (void)state;
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_BUILD, "BUILD", "logging", "getLogger", "{}");
    tut_pickle_judge(&e, &plain, &v);
    assert_int_equal(v.severity, TUT_SEVERITY_HIGH);
    assert_null(judge_call("logging", "getLogger", "('x',)").rule);
}

static void what_the_program_itself_defines_is_worth_a_look(void **state)
{
    (void)state;
    assert_int_equal(judge_call("__main__", "Net", "()").severity, TUT_SEVERITY_MEDIUM);
    assert_int_equal(judge_import("__main__", "my_function").severity, TUT_SEVERITY_MEDIUM);
    assert_int_equal(judge_import("__main__", "subprocess").severity, TUT_SEVERITY_HIGH);
    assert_int_equal(judge_call("__main__", "run", "('id',)").severity, TUT_SEVERITY_HIGH);
    assert_int_equal(judge_call("__main__", "os.system", "('id',)").severity,
                     TUT_SEVERITY_CRITICAL);
}

static void type_of_one_value_is_harmless_and_of_three_is_not(void **state)
{
    (void)state;
    assert_null(judge_call("builtins", "type", "(None,)").rule);
    assert_non_null(judge_call("builtins", "type", "('X', (builtins.object,), {})").rule);
}

static void unresolved_calls_are_critical(void **state)
{
    (void)state;
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_CALL, "REDUCE", "", "<result of a call>", "()");
    e.is_resolved = false;
    tut_pickle_judge(&e, &plain, &v);
    assert_string_equal(v.rule, "pickle.unresolved-call");
    assert_int_equal(v.severity, TUT_SEVERITY_CRITICAL);
    e.act = TUT_PICKLE_IMPORT;
    tut_pickle_judge(&e, &plain, &v);
    assert_string_equal(v.rule, "pickle.unresolved-name");
}

static void writes_into_imports_are_critical_even_for_allowed_names(void **state)
{
    (void)state;
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_WRITE, "SETITEM", "collections", "OrderedDict",
                                  "{'a': 1}");
    tut_pickle_judge(&e, &plain, &v);
    assert_string_equal(v.rule, "pickle.overwrites-import");
    assert_int_equal(v.severity, TUT_SEVERITY_CRITICAL);
}

static void persistent_ids_are_usual_in_pytorch_files_only(void **state)
{
    (void)state;
    tut_pickle_verdict v;
    tut_pickle_event e = event_of(TUT_PICKLE_PERSID, "BINPERSID", "", "storage", "('storage',)");
    tut_pickle_judge(&e, &torch_file, &v);
    assert_null(v.rule);
    tut_pickle_judge(&e, &plain, &v);
    assert_string_equal(v.rule, "pickle.persistent-id");
    e.name = TUT_LIT("reduce_package");
    tut_pickle_judge(&e, &torch_file, &v);
    assert_string_equal(v.rule, "pickle.persistent-id");
}

static void descriptions_are_one_escaped_line(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_pickle_verdict v = judge_call("posix", "system", "('echo\n\x1b[31m',)");
    tut_pickle_event e = event_of(TUT_PICKLE_CALL, "REDUCE", "posix", "system",
                                  "('echo\n\x1b[31m',)");
    tut_pickle_describe(&e, &v, &out);
    assert_true(tut_is_ok(tut_buf_check(&out, NULL)));
    assert_null(memchr(out.data, '\n', out.len));
    assert_null(memchr(out.data, 0x1b, out.len));
    assert_true(tut_str_starts(tut_buf_str(&out), TUT_LIT("posix.system('echo")));
    assert_true(tut_str_ends(tut_buf_str(&out), TUT_LIT("'), through REDUCE")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allow_list_is_sorted_and_well_formed),
        cmocka_unit_test(worlds_of_names_are_told_apart),
        cmocka_unit_test(harmless_names_are_harmless_in_every_act),
        cmocka_unit_test(every_known_gadget_is_dangerous_when_called),
        cmocka_unit_test(every_known_gadget_is_seen_when_only_imported),
        cmocka_unit_test(shell_calls_are_called_by_their_name),
        cmocka_unit_test(python_2_names_mean_what_python_3_makes_of_them),
        cmocka_unit_test(walks_are_followed_to_their_end),
        cmocka_unit_test(an_allowed_module_allows_none_of_its_other_names),
        cmocka_unit_test(disguised_names_are_critical),
        cmocka_unit_test(whose_code_it_is_decides_what_no_table_knows),
        cmocka_unit_test(partial_is_as_harmless_as_what_it_is_given),
        cmocka_unit_test(bound_methods_of_allowed_objects_are_harmless),
        cmocka_unit_test(attributes_of_allowed_classes_are_harmless_until_called),
        cmocka_unit_test(what_is_only_held_or_made_empty_is_not_called),
        cmocka_unit_test(methods_that_touch_files_are_no_harmless_attributes),
        cmocka_unit_test(iterators_over_containers_are_harmless),
        cmocka_unit_test(endless_iterators_are_not_used_up),
        cmocka_unit_test(state_of_shared_objects_is_not_set),
        cmocka_unit_test(what_the_program_itself_defines_is_worth_a_look),
        cmocka_unit_test(type_of_one_value_is_harmless_and_of_three_is_not),
        cmocka_unit_test(unresolved_calls_are_critical),
        cmocka_unit_test(writes_into_imports_are_critical_even_for_allowed_names),
        cmocka_unit_test(persistent_ids_are_usual_in_pytorch_files_only),
        cmocka_unit_test(descriptions_are_one_escaped_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
