/*
 * Requirements of pip, and what conda lists by address.
 *
 *   requirement = NAME [EXTRAS] [("==" | "===") VERSION | SPECIFIER | "@" URL] [";" MARKER] option*
 *   option      = "--hash=" ALGORITHM ":" HEX       (often on lines continued by a backslash)
 *   editable    = ("-e" | "--editable") URL "#egg=" NAME
 *   explicit    = URL "/" NAME "-" VERSION "-" BUILD (".conda" | ".tar.bz2") ["#" MD5]
 *
 * Only "==" without a wildcard, and "===", pin a version.
 */
#include "formats/lock_lines.h"

#include "formats/text.h"

bool tut_lock_next_word(tut_str *rest, tut_str *ret_word)
{
    *rest = tut_str_trim(*rest);
    size_t len = 0;
    while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t')
        len++;
    if (len == 0)
        return false;
    *ret_word = (tut_str){rest->data, len};
    *rest = (tut_str){rest->data + len, rest->len - len};
    return true;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static tut_str behind(tut_str s, size_t len)
{
    return (tut_str){s.data + len, s.len - len};
}

/* "==1.2" -> 1.2; "==1.*", ">=1" and "==1,!=2" pin nothing. */
static tut_str pinned(tut_str specifier)
{
    tut_str none = {"", 0};
    specifier = tut_str_trim(specifier);
    if (!tut_str_starts(specifier, TUT_LIT("==")))
        return none;
    specifier = behind(specifier, tut_str_starts(specifier, TUT_LIT("===")) ? 3 : 2);
    specifier = tut_str_trim(specifier);
    size_t len = 0;
    while (len < specifier.len && specifier.data[len] != ' ' && specifier.data[len] != ';')
        len++;
    specifier.len = len;
    bool is_loose = memchr(specifier.data, '*', specifier.len) ||
                    memchr(specifier.data, ',', specifier.len);
    return len > 0 && !is_loose ? specifier : none;
}

void tut_lock_requirement(tut_package_draft *d, tut_str text)
{
    size_t len = 0;
    while (len < text.len && is_name_char(text.data[len]))
        len++;
    tut_package_name(d, (tut_str){text.data, len});
    text = tut_str_trim(behind(text, len));
    if (text.len > 0 && text.data[0] == '[') {
        const char *end = memchr(text.data, ']', text.len);
        text = end ? tut_str_trim(behind(text, (size_t)(end - text.data) + 1)) : TUT_LIT("");
    }
    tut_package_version(d, pinned(text));
}

/* "-e git+https://…#egg=name&…" */
static void read_editable(tut_package_draft *d, tut_str text)
{
    size_t at;
    if (!tut_str_find(text, TUT_LIT("#egg="), &at))
        return;
    text = behind(text, at + 5);
    size_t len = 0;
    while (len < text.len && is_name_char(text.data[len]))
        len++;
    tut_package_name(d, (tut_str){text.data, len});
}

static void read_options(tut_package_draft *d, tut_str text)
{
    tut_str word;
    while (tut_lock_next_word(&text, &word)) {
        if (tut_str_starts(word, TUT_LIT("--hash=")))
            tut_package_digest(d, behind(word, 7));
        else if (tut_str_eq_z(word, "--hash") && tut_lock_next_word(&text, &word))
            tut_package_digest(d, word);
    }
}

static bool is_editable(tut_str text)
{
    return tut_str_starts(text, TUT_LIT("-e ")) || tut_str_starts(text, TUT_LIT("--editable"));
}

/* "http://host/": anyone on the way decides what is installed. Not a machine of one's own. */
static void check_index(tut_exam *x, tut_str url)
{
    static const char *const own[] = {"localhost", "127.", "10.", "192.168.", "[::1]", "172."};
    if (!tut_str_starts(url, TUT_LIT("http://")))
        return;
    tut_str host = {url.data + 7, url.len - 7};
    const char *slash = host.len ? memchr(host.data, '/', host.len) : NULL;
    if (slash)
        host.len = (size_t)(slash - host.data);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (tut_str_starts(host, tut_str_of(own[i])))
            return;
    if (host.len > 0 && memchr(host.data, '.', host.len))
        tut_exam_observe(x, "data.plain-index", TUT_NO_OFFSET, "packages are looked for at %.*s",
                         (int)(url.len < 200 ? url.len : 200), url.data);
}

/* Where packages are looked for: "-i URL", "--index-url=URL" and their kin. */
static void read_index(tut_lock_lines *l, tut_str text)
{
    static const char *const options[] = {"--index-url", "--extra-index-url", "--find-links", "-i",
                                          "-f"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        size_t len = strlen(options[i]);
        if (!tut_str_starts(text, tut_str_of(options[i])))
            continue;
        tut_str rest = behind(text, len);
        if (rest.len && rest.data[0] == '=')
            rest = behind(rest, 1);
        tut_str url;
        if (tut_lock_next_word(&rest, &url)) {
            tut_exam_fact(l->x, "lock.index", url);
            check_index(l->x, url);
        }
        return;
    }
}

static void begin_requirement(tut_lock_lines *l, tut_str text)
{
    tut_package_give(l->x, &l->draft);
    if (text.data[0] == '-')
        read_index(l, text);
    /* Options begin with '-', but "-e URL" installs something. */
    bool installs = text.data[0] != '-' || is_editable(text);
    l->is_requirement = text.data[0] != '#' && installs;
    if (!l->is_requirement)
        return;
    l->packages++;
    tut_package_begin(&l->draft, "pypi");
    if (text.data[0] == '-')
        read_editable(&l->draft, text);
    else if (is_name_char(text.data[0]) && text.data[0] != '.')
        tut_lock_requirement(&l->draft, text);
}

void tut_lock_pip(tut_lock_lines *l, tut_str line, bool is_cut)
{
    bool continued = l->continues;
    tut_str text = tut_str_trim(line);
    (void)is_cut;
    l->continues = text.len > 0 && text.data[text.len - 1] == '\\';
    if (text.len == 0)
        return;
    if (!continued)
        begin_requirement(l, text);
    if (l->is_requirement)
        read_options(&l->draft, text);
}

/* --- conda's explicit lists --- */

static bool take_ending(tut_str *name, tut_str ending)
{
    if (!tut_str_ends(*name, ending))
        return false;
    name->len -= ending.len;
    return true;
}

/* Cuts behind the last '-'; the part is what follows it. */
static bool take_part(tut_str *name, tut_str *ret_part)
{
    const char *dash = name->len ? memrchr(name->data, '-', name->len) : NULL;
    if (!dash)
        return false;
    size_t len = (size_t)(dash - name->data);
    *ret_part = behind(*name, len + 1);
    name->len = len;
    return true;
}

void tut_lock_conda(tut_lock_lines *l, tut_str line, bool is_cut)
{
    tut_str text = tut_str_trim(line);
    if (is_cut || text.len == 0 || text.data[0] == '#' || text.data[0] == '@')
        return;
    const char *mark = memchr(text.data, '#', text.len);
    tut_str digest = mark ? behind(text, (size_t)(mark - text.data) + 1) : TUT_LIT("");
    if (mark)
        text.len = (size_t)(mark - text.data);
    size_t at;
    if (!tut_str_find(text, TUT_LIT("://"), &at))
        return;
    const char *slash = memrchr(text.data, '/', text.len); /* the address has one */
    tut_str name = behind(text, (size_t)(slash - text.data) + 1);
    tut_str build, version;
    if ((!take_ending(&name, TUT_LIT(".conda")) && !take_ending(&name, TUT_LIT(".tar.bz2"))) ||
        !take_part(&name, &build) || !take_part(&name, &version))
        return;
    l->packages++;
    tut_package_begin(&l->draft, "conda");
    tut_package_name(&l->draft, name);
    tut_package_version(&l->draft, version);
    if (tut_str_starts(digest, TUT_LIT("sha256:")))
        tut_package_digest(&l->draft, digest);
    else if (digest.len)
        tut_package_digest_of(&l->draft, digest.len == 64 ? "sha256" : "md5", digest);
    tut_package_give(l->x, &l->draft);
}
