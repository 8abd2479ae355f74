/*
 * Packages of lock files that are trees:
 *
 *   Pipfile.lock       {"default" | "develop": {NAME: {"version": "==1.2", "hashes": [DIGEST]}}}
 *   package-lock.json  2, 3: {"packages": {"node_modules/NAME": {"version", "integrity"}}}
 *                      1:    {"dependencies": {NAME: {"version", "integrity", "dependencies"}}}
 *   pnpm-lock.yaml     packages: {KEY: {resolution: {integrity: DIGEST}}}
 *                      KEY = NAME@VERSION, /NAME@VERSION (6), /NAME/VERSION (5); "(PEERS)" behind
 *   environment.yml    dependencies: [NAME=VERSION=BUILD, {pip: [REQUIREMENT]}]
 *   conda-lock.yml     package: [{name, version, manager, hash: {md5, sha256}}]
 */
#include "formats/conf.h"
#include "formats/lock_lines.h"
#include "formats/text.h"

static tut_str behind(tut_str s, size_t len)
{
    return (tut_str){s.data + len, s.len - len};
}

static bool is_under(const tut_conf *c, const char *a, const char *b)
{
    tut_str key = tut_conf_key_at(c, 1);
    return tut_str_eq_z(key, a) || (b && tut_str_eq_z(key, b));
}

static void begin(tut_conf *c, const char *type, tut_str name)
{
    tut_package_give(c->x, &c->package);
    tut_package_begin(&c->package, type);
    tut_package_name(&c->package, name);
    c->package_depth = c->depth + 1;
    c->packages++;
}

/* "node_modules/a/node_modules/@b/c" -> "@b/c". Folders of the project hold no such part. */
static void begin_npm(tut_conf *c, tut_str key)
{
    static const tut_str mark = {"node_modules/", 13};
    bool is_path = is_under(c, "packages", NULL);
    tut_str name = key;
    size_t at;
    bool is_own = is_path && !tut_str_find(name, mark, &at);
    while (is_path && tut_str_find(name, mark, &at))
        name = behind(name, at + mark.len);
    bool is_cut = key.len == TUT_CONF_KEY;
    begin(c, "npm", is_cut ? TUT_LIT("") : name);
    c->package.is_own = is_own;
}

static void begin_pnpm(tut_conf *c, tut_str key)
{
    size_t at;
    if (tut_str_find(key, TUT_LIT("("), &at))
        key.len = at;
    if (key.len > 0 && key.data[0] == '/')
        key = behind(key, 1);
    size_t mark = 0;
    for (size_t i = 1; i < key.len && !mark; i++) {
        if (key.data[i] == '@')
            mark = i;
    }
    if (!mark) { /* "@scope/name/1.2.3_peers" */
        const char *slash = key.len ? memrchr(key.data, '/', key.len) : NULL;
        mark = slash ? (size_t)(slash - key.data) : 0;
    }
    begin(c, "npm", mark ? (tut_str){key.data, mark} : key);
    if (!mark)
        return;
    tut_str version = behind(key, mark + 1);
    const char *peers = memchr(version.data, '_', version.len);
    if (peers)
        version.len = (size_t)(peers - version.data);
    if (version.len > 0 && version.data[0] >= '0' && version.data[0] <= '9')
        tut_package_version(&c->package, version);
}

/* "channel::name=1.2=build"; "name>=1" pins nothing. */
static void give_conda(tut_conf *c, tut_str text)
{
    size_t at;
    text = tut_str_trim(text);
    if (tut_str_find(text, TUT_LIT("::"), &at))
        text = behind(text, at + 2);
    size_t len = 0;
    while (len < text.len && !memchr(" =<>!~[", text.data[len], 7))
        len++;
    begin(c, "conda", (tut_str){text.data, len});
    tut_str version = tut_str_trim(behind(text, len));
    bool is_pinned = version.len > 1 && version.data[0] == '=';
    while (is_pinned && version.len > 0 && version.data[0] == '=')
        version = behind(version, 1);
    const char *build = version.len ? memchr(version.data, '=', version.len) : NULL;
    if (build)
        version.len = (size_t)(build - version.data);
    bool is_loose = version.len == 0 || memchr(version.data, '*', version.len) ||
                    memchr(version.data, ',', version.len) ||
                    memchr(version.data, '|', version.len);
    if (is_pinned && !is_loose)
        tut_package_version(&c->package, version);
    tut_package_give(c->x, &c->package);
}

static void give_requirement(tut_conf *c, tut_str text)
{
    begin(c, "pypi", (tut_str){"", 0});
    tut_lock_requirement(&c->package, tut_str_trim(text));
    tut_package_give(c->x, &c->package);
}

/* What a package says of itself: values of its container, and of those in it. */
static void note_value(tut_conf *c, tut_str key, tut_str text)
{
    tut_package_draft *d = &c->package;
    tut_str above = tut_conf_key_at(c, c->depth - 1);
    bool is_direct = c->depth == c->package_depth;
    if (is_direct && tut_str_eq_z(key, "version")) {
        bool is_pinned = tut_str_starts(text, TUT_LIT("=="));
        tut_package_version(d, is_pinned ? behind(text, 2) : text);
    } else if (is_direct && tut_str_eq_z(key, "name")) {
        tut_package_name(d, text); /* what an alias stands for */
    } else if (is_direct && tut_str_eq_z(key, "manager")) {
        d->type = tut_str_eq_z(text, "pip") ? "pypi" : d->type;
    } else if (is_direct && tut_str_eq_z(key, "link")) {
        d->is_own |= tut_str_eq_z(text, "true");
    } else if (tut_str_eq_z(key, "integrity") || (key.len == 0 && tut_str_eq_z(above, "hashes"))) {
        tut_package_digest(d, text);
    } else if (tut_str_eq_z(above, "hash") && tut_str_eq_z(key, "sha256")) {
        d->digests = 0; /* it says more than the md5 beside it */
        tut_package_digest_of(d, "sha256", text);
    } else if (tut_str_eq_z(above, "hash") && tut_str_eq_z(key, "md5") && d->digests == 0) {
        tut_package_digest_of(d, "md5", text);
    }
}

static void note_npm(tut_conf *c, tut_str key, bool is_container)
{
    /* Version 1 has "dependencies", 3 has "packages", 2 has both. */
    bool is_old = !c->has_packages && c->depth >= 2 && c->depth % 2 == 0 &&
                  is_under(c, "dependencies", NULL) &&
                  tut_str_eq_z(tut_conf_key_at(c, c->depth - 1), "dependencies");
    if (c->depth == 1 && tut_str_eq_z(key, "packages"))
        c->packages = 0; /* what was counted in "dependencies" is there again */
    bool is_new = c->depth == 2 && is_under(c, "packages", NULL);
    c->has_packages |= is_new;
    if (is_container && key.len > 0 && (is_old || is_new))
        begin_npm(c, key);
}

static void note_conda(tut_conf *c, tut_str text, bool is_container)
{
    bool is_list = !is_container && is_under(c, "dependencies", NULL);
    if (is_list && c->depth == 2)
        give_conda(c, text);
    else if (is_list && c->depth == 4 && tut_str_eq_z(tut_conf_key_at(c, 3), "pip"))
        give_requirement(c, text);
    else if (is_container && c->depth == 2 && is_under(c, "package", NULL))
        begin(c, "conda", (tut_str){"", 0});
}

void tut_conf_note_package(tut_conf *c, tut_str key, tut_str text, bool is_container)
{
    switch (c->role) {
    case TUT_CONF_PIPFILE:
        if (c->depth == 2 && is_under(c, "default", "develop"))
            begin(c, "pypi", key);
        break;
    case TUT_CONF_NPM:
        note_npm(c, key, is_container);
        break;
    case TUT_CONF_PNPM:
        if (c->depth == 2 && is_under(c, "packages", NULL))
            begin_pnpm(c, key);
        break;
    case TUT_CONF_CONDA:
        note_conda(c, text, is_container);
        break;
    case TUT_CONF_PLAIN:
    case TUT_CONF_INDEX:
    case TUT_CONF_VOCABULARY:
    case TUT_CONF_CARD:
    case TUT_CONF_NOTEBOOK:
        return;
    }
    if (!is_container && c->package.type && c->depth >= c->package_depth)
        note_value(c, key, text);
}

void tut_conf_close_package(tut_conf *c)
{
    if (c->package.type && c->depth == c->package_depth)
        tut_package_give(c->x, &c->package);
}

void tut_conf_finish_packages(tut_conf *c)
{
    tut_package_give(c->x, &c->package); /* cut off in it */
    if (c->role >= TUT_CONF_PIPFILE)
        tut_text_count(c->x, "packages", c->packages);
}
