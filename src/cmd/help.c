#include "cmd/help.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/args.h"

/* Beside what stands to its left, dim, at most 80 columns where nobody's terminal is wider. */
static void add_help(const tut_term *term, tut_buf *out, size_t indent, tut_str help)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_term_wrap(term, &text, indent, help);
    tut_str rest = tut_buf_str(&text);
    while (rest.len > 0) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        tut_term_text(term, out, TUT_STYLE_DIM, (tut_str){rest.data, len});
        tut_buf_add_byte(out, '\n');
        size_t used = end ? len + 1 : len;
        rest = (tut_str){rest.data + used, rest.len - used};
    }
}

static void add_summary(const tut_term *term, tut_buf *out, const char *summary)
{
    TUT_CLEAN(tut_buf) sentence = TUT_BUF_INIT;
    tut_buf_printf(&sentence, "%s.", summary);
    tut_term_wrap(term, out, 0, tut_buf_str(&sentence));
    tut_buf_add_byte(out, '\n');
}

static void add_options(const tut_term *term, tut_buf *out, const tut_option *table)
{
    for (size_t i = 0; table && table[i].name; i++) {
        size_t start = out->len;
        tut_buf_printf(out, "  %s", table[i].name);
        if (table[i].value)
            tut_buf_printf(out, " %s", table[i].value);
        size_t width = out->len - start;
        if (width > 26) {
            tut_buf_add_z(out, "\n");
            width = 0;
        }
        tut_buf_printf(out, "%*s", (int)(28 - width), "");
        add_help(term, out, 28, tut_str_of(table[i].help));
    }
}

int tut_help_all(int exit_status)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, TUT_COLOR_AUTO, &term);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_term_text(&term, &out, TUT_STYLE_BOLD,
                  TUT_LIT("tutela makes an AI system meet ETSI EN 304 223, and proves it.\n"));
    tut_buf_add_z(&out, "\nUsage   tutela [options] COMMAND ...\n\n");
    for (size_t i = 0; tut_commands[i]; i++) {
        tut_buf_printf(&out, "  %-12s", tut_commands[i]->name);
        tut_term_wrap(&term, &out, 14, tut_str_of(tut_commands[i]->summary));
    }
    tut_buf_add_z(&out, "\nOptions, before or after COMMAND\n");
    add_options(&term, &out, tut_global_options);
    tut_buf_add_z(
        &out, "\nExit    0 nothing wrong; 1 findings or an unmet control at or above --fail-on;\n"
              "        2 could not answer; 3 not enough was checked\n"
              "\nNext    tutela init DIR, then tutela assess DIR\n"
              "        tutela COMMAND --help explains one\n");
    return tut_cmd_output(&out, exit_status);
}

/* The last word of a name: "verify" of "ledger verify". */
static const char *last_word(const char *name)
{
    const char *space = strrchr(name, ' ');
    return space ? space + 1 : name;
}

int tut_help_family(const tut_command *c, int exit_status)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, TUT_COLOR_AUTO, &term);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_term_printf(&term, &out, TUT_STYLE_BOLD, "tutela %s %s\n", c->name, c->arguments);
    add_summary(&term, &out, c->summary);
    tut_term_wrap(&term, &out, 0, tut_str_of(c->help));
    tut_buf_add_z(&out, "\n");
    for (size_t i = 0; c->subcommands[i]; i++) {
        tut_buf_printf(&out, "  %-12s", last_word(c->subcommands[i]->name));
        tut_term_wrap(&term, &out, 14, tut_str_of(c->subcommands[i]->summary));
    }
    tut_buf_printf(&out, "\nNext    tutela %s %s --help explains one\n", c->name, c->arguments);
    return tut_cmd_output(&out, exit_status);
}

int tut_help_command(const tut_command *c)
{
    if (c->subcommands && !c->run)
        return tut_help_family(c, TUT_EXIT_OK);
    tut_term term;
    tut_term_detect(STDOUT_FILENO, TUT_COLOR_AUTO, &term);
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_term_printf(&term, &out, TUT_STYLE_BOLD, "tutela %s%s%s\n", c->name,
                    c->arguments && *c->arguments ? " " : "", c->arguments ? c->arguments : "");
    add_summary(&term, &out, c->summary);
    tut_term_wrap(&term, &out, 0, tut_str_of(c->help));
    for (size_t i = 0; c->subcommands && c->subcommands[i]; i++)
        tut_buf_printf(&out, "%s  tutela %s%s%s\n", i ? "" : "\nAnd\n", c->subcommands[i]->name,
                       c->subcommands[i]->arguments ? " " : "",
                       c->subcommands[i]->arguments ? c->subcommands[i]->arguments : "");
    if (c->options && c->options[0].name) {
        tut_buf_add_z(&out, "\nOptions\n");
        add_options(&term, &out, c->options);
    }
    tut_buf_add_z(&out, "\nOptions of every command\n");
    add_options(&term, &out, tut_global_options);
    tut_buf_printf(&out, "\nFormats  %s\n", c->formats);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

int tut_help_version(void)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_buf_add_z(&out, "tutela " TUTELA_VERSION "\n");
    return tut_cmd_output(&out, TUT_EXIT_OK);
}
