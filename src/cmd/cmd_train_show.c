/* tutela train show: the text of a module. */
#include <unistd.h>

#include "cmd/train_act.h"
#include "govern/training_view.h"

static const tut_option options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_train_act) a = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const tut_training_module *m;
    tut_error err = {0};
    tut_term term;
    if (!tut_is_ok(tut_train_open(&a, args, false, &err)) ||
        !tut_is_ok(tut_train_module(&a, args->positional[0], &m, &err)))
        return tut_cmd_fail(&err);
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    tut_training_text(m, &term, &out);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_train_show = {
    .name = "train show",
    .arguments = "MODULE",
    .summary = "Print the text of a module",
    .help = "Headings, lists and tables are laid out for the terminal. The questions are asked by "
            "tutela train take.",
    .formats = "table",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
