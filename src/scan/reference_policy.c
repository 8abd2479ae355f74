#include "scan/reference_policy.h"

#include "scan/pickle_capability.h"
#include "scan/pickle_names.h"

enum { SHOWN_MAX = 300 };

/* Where a joined name is parted into module and name is not written there: any parting counts. */
static tut_capability capability_of(tut_str joined)
{
    tut_capability found = TUT_CAPABILITY_NONE;
    if (!memchr(joined.data, '.', joined.len))
        return tut_capability_of(TUT_LIT("builtins"), joined);
    for (size_t i = 1; i + 1 < joined.len && found == TUT_CAPABILITY_NONE; i++) {
        if (joined.data[i] != '.')
            continue;
        tut_str module = {joined.data, i};
        tut_str name = {joined.data + i + 1, joined.len - i - 1};
        found = tut_capability_of(module, name);
    }
    return found;
}

/* Of the standard library: what configurations of experiments ask for. */
static bool is_plain_standard(tut_str name)
{
    static const char *const prefixes[] = {"random.",   "math.",    "collections.",
                                           "datetime.", "decimal.", "fractions."};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (tut_str_starts(name, tut_str_of(prefixes[i])))
            return true;
    return false;
}

/* "torch.optim.Adam": written plainly, in a library that is known, and with no known harm. */
static bool is_of_library(tut_str name)
{
    return tut_python_is_dotted_name(name) &&
           (tut_python_is_library(name) || is_plain_standard(name)) &&
           capability_of(name) == TUT_CAPABILITY_NONE;
}

/* --- configuration --- */
/* Letters of other alphabets only look like those of a name that people know. */
static bool is_ascii(tut_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.data[i] >= 0x80)
            return false;
    return true;
}

/* What every mkdocs.yml of a project with icons or diagrams names. */
static bool is_of_documentation(tut_str name)
{
    static const char *const prefixes[] = {"material.extensions.", "materialx.", "pymdownx.",
                                           "mermaid2.", "mdx_math."};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (tut_str_starts(name, tut_str_of(prefixes[i])))
            return capability_of(name) == TUT_CAPABILITY_NONE;
    return false;
}

/* The loader does what the name says, with the arguments beside it. */
static void judge_configuration(const tut_reference *r, const char *call, const char *name,
                                tut_reference_verdict *v)
{
    tut_capability c = capability_of(r->name);
    bool is_type = r->act == TUT_REFERENCE_APPLY &&
                   (tut_str_eq_z(r->name, "type") || tut_str_eq_z(r->name, "builtins.type"));
    bool is_disguised = r->act == TUT_REFERENCE_TARGET && !is_ascii(r->name);
    bool is_call = tut_capability_severity(c) >= TUT_SEVERITY_HIGH || is_type || is_disguised;
    v->rule = is_call ? call : name;
    v->severity = tut_rule_find(tut_str_of(v->rule))->severity;
    /* Classes of libraries are what such files are for; what lies beside the file is not known. */
    if (r->act == TUT_REFERENCE_TARGET && !is_call && is_of_library(r->name))
        v->severity = TUT_SEVERITY_LOW;
    if (r->act == TUT_REFERENCE_TAG && !is_call && is_of_documentation(r->name))
        v->severity = TUT_SEVERITY_LOW;
    /* Each call is a finding; that the file names classes at all is one. */
    v->subject = is_call ? tut_name_hash(TUT_LIT("call"), r->name)
                         : tut_name_hash(TUT_LIT("name"), TUT_LIT(""));
}

/* --- program text --- */
static bool holds(tut_str text, const char *needle)
{
    size_t at;
    return tut_str_find(text, tut_str_of(needle), &at);
}

/* The word at `at`, blanks before it passed over; *ret_end is behind it. */
static tut_str word_at(tut_str text, size_t at, size_t *ret_end)
{
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
        at++;
    size_t end = at;
    while (end < text.len && !memchr(" \t\n;|&)\"'`", text.data[end], 10))
        end++;
    *ret_end = end;
    return (tut_str){text.data + at, end - at};
}

static bool is_word_of(tut_str word, const char *const *words, size_t count)
{
    const char *slash = word.len ? memrchr(word.data, '/', word.len) : NULL;
    if (slash) /* "/bin/sh" */
        word = (tut_str){slash + 1, word.len - (size_t)(slash + 1 - word.data)};
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(word, words[i]))
            return true;
    return false;
}

/* "| sudo -E bash -", "| python3": not "| python -m json.tool", which only reads. */
static bool runs_input(tut_str command, size_t at)
{
    static const char *const shells[] = {"sh", "bash", "zsh", "dash", "ksh"};
    static const char *const others[] = {"python", "python2", "python3", "perl", "ruby", "node"};
    while (at < command.len && memchr(" \t\r\n\\", command.data[at], 5))
        at++; /* the command goes on in the next line */
    tut_str word = word_at(command, at, &at);
    bool is_sudo = tut_str_eq_z(word, "sudo");
    while (is_sudo && (tut_str_eq_z(word, "sudo") || tut_str_starts(word, TUT_LIT("-"))))
        word = word_at(command, at, &at);
    if (is_word_of(word, shells, sizeof(shells) / sizeof(shells[0])))
        return true;
    if (!is_word_of(word, others, sizeof(others) / sizeof(others[0])))
        return false;
    word = word_at(command, at, &at);
    return word.len == 0 || tut_str_eq_z(word, "-");
}

static bool pipes_into_interpreter(tut_str command)
{
    static const char *const others[] = {"bash <(",     "sh <(",         "-c \"$(curl",
                                         "-c \"$(wget", "eval \"$(curl", "eval $(curl",
                                         "source <("};
    for (size_t i = 0; i + 1 < command.len; i++)
        if (command.data[i] == '|' && runs_input(command, i + 1))
            return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (holds(command, others[i]))
            return true;
    return false;
}

static bool fetches(tut_str command)
{
    return holds(command, "curl ") || holds(command, "wget ");
}

/* Fetches a program and runs it. */
static bool fetches_and_runs(tut_str command)
{
    bool is_fetched = fetches(command) || holds(command, "Invoke-WebRequest") ||
                      holds(command, "DownloadString") || holds(command, "certutil");
    bool runs = pipes_into_interpreter(command) || holds(command, "chmod +x") ||
                holds(command, "IEX") || holds(command, "base64 -d");
    return is_fetched && runs;
}

/* What makers of tools tell people to pipe into a shell. */
static bool is_of_known_maker(tut_str command)
{
    static const char *const places[] = {"https://sh.rustup.rs",
                                         "https://ollama.com/",
                                         "https://astral.sh/",
                                         "https://get.docker.com",
                                         "https://deb.nodesource.com/",
                                         "https://install.python-poetry.org",
                                         "https://bun.sh/",
                                         "https://get.helm.sh",
                                         "https://packages.cloud.google.com/",
                                         "https://sdk.cloud.google.com",
                                         "https://get.pixi.sh",
                                         "https://pixi.sh/",
                                         "https://install.julialang.org",
                                         "https://bootstrap.pypa.io/",
                                         "https://repo.anaconda.com/"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (holds(command, places[i]))
            return true;
    return false;
}

/* Hands a shell to whoever listens. */
static bool hands_shell_out(tut_str command)
{
    return holds(command, "/dev/tcp/") || holds(command, "/dev/udp/") || holds(command, "nc -e") ||
           holds(command, "ncat -e") || holds(command, "nc -c") ||
           (holds(command, "mkfifo") && holds(command, "nc ")) ||
           (holds(command, "socat") && holds(command, "exec:"));
}

/* Files that run when something is built, installed or tested, which loading a model does not. */
static bool is_for_building(tut_str file)
{
    static const char *const names[] = {"setup.py",      "conftest.py", "noxfile.py", "tasks.py",
                                        "fabfile.py",    "conf.py",     "manage.py",  "build.py",
                                        "SConstruct.py", "waf.py",      "__main__.py"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (tut_str_eq_z(file, names[i]))
            return true;
    return tut_str_starts(file, TUT_LIT("test_"));
}

static void say(tut_reference_verdict *v, const char *rule, const tut_reference *r)
{
    v->rule = rule;
    v->severity = tut_rule_find(tut_str_of(rule))->severity;
    v->subject = tut_name_hash(tut_str_of(rule), r->name);
}

/* What starts a program or runs text as code. The table of capabilities is no help here: it also
 * names what only a pickle has no business to call. */
typedef enum effect {
    EFFECT_NONE,
    EFFECT_SHELL,
    EFFECT_COMMAND,
    EFFECT_CODE,
    EFFECT_EXPRESSION
} effect;

static effect effect_of(tut_str name)
{
    static const struct {
        const char *name; /* with '*' at its end: whatever begins so */
        effect effect;
    } rows[] = {
        {"os.system", EFFECT_SHELL},          {"os.popen*", EFFECT_SHELL},
        {"os.exec*", EFFECT_COMMAND},         {"os.spawn*", EFFECT_COMMAND},
        {"os.posix_spawn*", EFFECT_COMMAND},  {"os.startfile", EFFECT_COMMAND},
        {"posix.system", EFFECT_SHELL},       {"nt.system", EFFECT_SHELL},
        {"subprocess.run", EFFECT_COMMAND},   {"subprocess.Popen", EFFECT_COMMAND},
        {"subprocess.call", EFFECT_COMMAND},  {"subprocess.check_*", EFFECT_COMMAND},
        {"subprocess.get*", EFFECT_SHELL},    {"asyncio.create_subprocess*", EFFECT_COMMAND},
        {"commands.get*", EFFECT_SHELL},      {"pty.spawn", EFFECT_SHELL},
        {"builtins.exec", EFFECT_CODE},       {"builtins.execfile", EFFECT_CODE},
        {"runpy.run_*", EFFECT_CODE},         {"builtins.eval", EFFECT_EXPRESSION},
        {"marshal.loads", EFFECT_EXPRESSION}, {"types.FunctionType", EFFECT_EXPRESSION},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tut_str row = tut_str_of(rows[i].name);
        bool is_open = tut_str_ends(row, TUT_LIT("*"));
        row.len -= is_open;
        if (is_open
                ? tut_str_starts(name, row) && !memchr(name.data + row.len, '(', name.len - row.len)
                : tut_str_eq(name, row))
            return rows[i].effect;
    }
    return EFFECT_NONE;
}

/* A cell of a notebook: fetching is what they are for, running what came is worth a word. */
static void judge_shell(const tut_reference *r, tut_reference_verdict *v)
{
    tut_str command = r->argument;
    /* "wget https://... && chmod +x" of a tool is usual; without encryption anyone may answer. */
    bool runs_plain = holds(command, "http://") && holds(command, "chmod +x");
    if (hands_shell_out(command))
        say(v, "code.reverse-shell", r);
    else if (fetches(command) && (pipes_into_interpreter(command) || runs_plain))
        say(v, "code.pipes-download", r);
    if (v->rule && v->severity == TUT_SEVERITY_MEDIUM && is_of_known_maker(command))
        v->severity = TUT_SEVERITY_LOW;
}

static void judge_call(const tut_reference *r, tut_str file, tut_reference_verdict *v)
{
    effect e = effect_of(r->name);
    if (e == EFFECT_NONE)
        return;
    bool is_command = e == EFFECT_SHELL || e == EFFECT_COMMAND;
    if (is_command && hands_shell_out(r->argument))
        say(v, "code.reverse-shell", r);
    else if (r->is_hidden)
        say(v, "code.hidden-code", r);
    else if (is_command && r->is_on_load && fetches_and_runs(r->argument))
        say(v, "code.fetch-and-run", r);
    else if (is_command && !r->is_on_load && fetches(r->argument) &&
             pipes_into_interpreter(r->argument))
        say(v, "code.pipes-download", r);
    else if (e != EFFECT_EXPRESSION && r->is_on_load && !is_for_building(file))
        say(v, "code.runs-on-import", r);
    bool is_deferred = v->rule && !r->is_on_load;
    if (is_deferred && v->severity == TUT_SEVERITY_MEDIUM && is_of_known_maker(r->argument))
        v->severity = TUT_SEVERITY_LOW;
    /* Programs that modules ask for something when they are imported are given as lists. */
    if (v->rule && e == EFFECT_SHELL && r->is_on_load && v->severity < TUT_SEVERITY_HIGH)
        v->severity = TUT_SEVERITY_HIGH;
}

void tut_reference_judge(const tut_reference *r, tut_str file_name, tut_reference_verdict *ret)
{
    *ret = (tut_reference_verdict){0};
    switch (r->act) {
    case TUT_REFERENCE_TAG:
    case TUT_REFERENCE_APPLY:
        judge_configuration(r, "data.yaml-python-call", "data.yaml-python-tag", ret);
        return;
    case TUT_REFERENCE_TARGET:
        judge_configuration(r, "data.hydra-call", "data.hydra-target", ret);
        return;
    case TUT_REFERENCE_CALL:
        judge_call(r, file_name, ret);
        return;
    case TUT_REFERENCE_SHELL:
        judge_shell(r, ret);
        return;
    }
}

void tut_reference_describe(const tut_reference *r, tut_buf *out)
{
    bool is_tag = r->shown.len > 0 && r->shown.data[0] == '!'; /* "!new:torch.nn.Linear" */
    if (r->act == TUT_REFERENCE_TARGET && !is_tag)
        tut_buf_add_z(out, "_target_: ");
    else if (r->act == TUT_REFERENCE_TAG || r->act == TUT_REFERENCE_APPLY)
        tut_buf_add_z(out, "!!python/");
    else if (r->act == TUT_REFERENCE_SHELL)
        tut_buf_add_z(out, "to a shell: ");
    tut_buf_add_escaped(out, r->shown, SHOWN_MAX);
    if (r->act != TUT_REFERENCE_CALL)
        return;
    tut_buf_add_byte(out, '(');
    if (r->argument.len > 0) {
        tut_buf_add_byte(out, '\'');
        tut_buf_add_escaped(out, r->argument, SHOWN_MAX);
        tut_buf_add_byte(out, '\'');
    }
    tut_buf_add_byte(out, ')');
    if (r->is_hidden)
        tut_buf_add_z(out, ", whose argument is decoded or fetched first");
    if (r->is_on_load)
        tut_buf_add_z(out, ", when the file is imported");
}
