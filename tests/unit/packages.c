/* Packages of lock files, in excerpts as the tools themselves write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "exam_recorder.h"

typedef struct lock_case {
    const char *name, *text;
    const char *has[6]; /* lines that the packages give, "package TYPE NAME VERSION DIGEST N" */
    const char *lacks[3];
} lock_case;

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const lock_case cases[] = {
    {"requirements.txt",
     "# pip-compile\n--index-url https://pypi.org/simple\nnumpy==1.26.4 \\\n"
     "    --hash=sha256:" A64 "\nPy_YAML==6.0.1 ; python_version >= \"3.8\" \\\n"
     "    --hash=sha256:" A64 " \\\n    --hash=sha256:" B64 "\n"
     "requests[socks]>=2.0,<3\ntorch==2.*\n-e git+https://x.example/r.git#egg=Own.Tool\n"
     "late @ https://x.example/late-1.0.whl\n./folder\n",
     {"package pypi numpy 1.26.4 sha256:" A64 " 1\n", "package pypi py-yaml 6.0.1 - 2\n",
      "package pypi requests - - 0\n", "package pypi torch - - 0\n",
      "package pypi own-tool - - 0\n", "package pypi late - - 0\n"},
     {"folder"}},
    {"poetry.lock",
     "[[package]]\nname = \"anyio\"\nversion = \"4.3.0\"\ndescription = \"x\"\nfiles = [\n"
     "    {file = \"anyio-4.3.0.tar.gz\", hash = \"sha256:" A64 "\"},\n]\n\n"
     "[package.dependencies]\nidna = \">=2.8\"\nversion = \"9\"\n\n[[package]]\nname = \"here\"\n"
     "version = \"0.1\"\n\n[package.source]\ntype = \"directory\"\nurl = \"../here\"\n\n"
     "[metadata]\nlock-version = \"2.0\"\ncontent-hash = \"" B64 "\"\n",
     {"package pypi anyio 4.3.0 sha256:" A64 " 1\n", "fact packages=2 "},
     {"here", "lock-version", " 9 "}},
    {"uv.lock",
     "version = 1\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"mine\"\nversion = "
     "\"0.1.0\"\n"
     "source = { virtual = \".\" }\ndependencies = [\n    { name = \"idna\" },\n]\n\n"
     "[[package]]\nname = \"idna\"\nversion = \"3.7\"\nsource = { registry = "
     "\"https://pypi.org/simple\" }\nsdist = { url = \"https://x/idna-3.7.tar.gz\", hash = "
     "\"sha256:" A64 "\", size = 1 }\nwheels = [\n    { url = \"https://x/idna.whl\", hash = "
     "\"sha256:" B64 "\", size = 2 },\n]\n",
     {"package pypi idna 3.7 - 2\n"},
     {"mine"}},
    {"pdm.lock",
     "[metadata]\ngroups = [\"default\"]\n\n[[package]]\nname = \"click\"\nversion = \"8.1.7\"\n"
     "files = [\n    {file = \"click-8.1.7-py3-none-any.whl\", hash = \"sha256:" A64 "\"},\n]\n",
     {"package pypi click 8.1.7 sha256:" A64 " 1\n"},
     {NULL}},
    {"pylock.toml",
     "lock-version = '1.0'\n[[packages]]\nname = 'attrs'\nversion = '25.1.0'\nwheels = [\n"
     "  {name = 'attrs.whl', hashes = {sha256 = '" A64 "'}},\n]\n[[packages]]\nname = "
     "\"cattrs\"\nversion = \"24.1.2\"\n[[packages.wheels]]\nname = \"c.whl\"\n"
     "[packages.wheels.hashes]\nsha256 = \"" B64 "\"\n",
     {"package pypi attrs 25.1.0 sha256:" A64 " 1\n",
      "package pypi cattrs 24.1.2 sha256:" B64 " 1\n"},
     {NULL}},
    {"Cargo.lock",
     "version = 3\n\n[[package]]\nname = \"mine\"\nversion = \"0.1.0\"\ndependencies = [\n "
     "\"libc\","
     "\n]\n\n[[package]]\nname = \"libc\"\nversion = \"0.2.155\"\nsource = "
     "\"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"" A64 "\"\n",
     {"package cargo libc 0.2.155 sha256:" A64 " 1\n"},
     {"mine"}},
    {"yarn.lock",
     "# yarn lockfile v1\n\n\n\"@babel/core@^7.0.0\", \"@babel/core@^7.1.0\":\n  version "
     "\"7.24.4\"\n  resolved \"https://registry.yarnpkg.com/@babel/core/-/core-7.24.4.tgz#1f\"\n"
     "  integrity sha512-MBVlMXP+kkl5394RBLSxxk/iLTeVGuXTV3cIDXavPpMMqnSnt6apKgan/U8O3USWZCWZT/"
     "TbgfEpKa4uMgN4Dg==\n  dependencies:\n    version \"9\"\n    ms \"^2.1.1\"\n\n"
     "ms@^2.1.1:\n  version \"2.1.3\"\n",
     {"package npm @babel/core 7.24.4 sha512-MBVlMXP+kkl5394RBLSxxk/iLTeVGuXTV3cIDXavPpMMqnSnt6ap"
      "Kgan/U8O3USWZCWZT/TbgfEpKa4uMgN4Dg== 1\n",
      "package npm ms 2.1.3 - 0\n"},
     {" 9 "}},
    {"yarn.lock",
     "__metadata:\n  version: 8\n\n\"lodash@npm:^4.17.0\":\n  version: 4.17.21\n  resolution: "
     "\"lodash@npm:4.17.21\"\n  checksum: 10c0/" A64 "\n  languageName: node\n\n"
     "\"mine@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"mine@workspace:.\"\n"
     "\"short@npm:is-odd@^3\":\n  version: 3.0.1\n",
     {"package npm lodash 4.17.21 - 0\n", "package npm is-odd 3.0.1 - 0\n"},
     {"mine", "package npm short"}},
    {"Pipfile.lock",
     "{\"_meta\":{\"hash\":{\"sha256\":\"" B64 "\"}},\"default\":{\"certifi\":{\"hashes\":["
     "\"sha256:" A64 "\"],\"index\":\"pypi\",\"version\":\"==2024.2.2\"}},\"develop\":{\"pytest\":"
     "{\"hashes\":[\"sha256:" A64 "\",\"sha256:" B64 "\"],\"version\":\"==8.1.1\"}}}",
     {"package pypi certifi 2024.2.2 sha256:" A64 " 1\n", "package pypi pytest 8.1.1 - 2\n"},
     {NULL}},
    {"package-lock.json",
     "{\"name\":\"mine\",\"version\":\"1.0.0\",\"lockfileVersion\":3,\"packages\":{\"\":{\"name\":"
     "\"mine\",\"version\":\"1.0.0\"},\"node_modules/ms\":{\"version\":\"2.1.2\",\"integrity\":"
     "\"sha512-AAAA\"},\"node_modules/debug/node_modules/@a/b\":{\"version\":\"1.1.1\"},"
     "\"packages/own\":{\"version\":\"0.1.0\"},\"node_modules/own\":{\"resolved\":"
     "\"packages/own\",\"link\":true},\"node_modules/alias\":{\"name\":\"real\",\"version\":\"3.0.0"
     "\"}}}",
     {"package npm ms 2.1.2 sha512-AAAA 1\n", "package npm @a/b 1.1.1 - 0\n",
      "package npm real 3.0.0 - 0\n"},
     {"own", "package npm mine", "alias"}},
    {"package-lock.json",
     "{\"lockfileVersion\":1,\"dependencies\":{\"a\":{\"version\":\"1.0.0\",\"integrity\":\"sha1-"
     "AAAA\",\"requires\":{\"b\":\"^2\"},\"dependencies\":{\"b\":{\"version\":\"2.0.0\"}}},\"c\":"
     "{\"version\":\"3.0.0\"}}}",
     {"package npm a 1.0.0 sha1-AAAA 1\n", "package npm b 2.0.0 - 0\n", "package npm c 3.0.0 - 0\n",
      "fact packages=3 "},
     {NULL}},
    {"pnpm-lock.yaml",
     "lockfileVersion: '9.0'\npackages:\n  '@babel/core@7.24.4':\n    resolution: {integrity: "
     "sha512-AAAA}\n    engines: {node: '>=6'}\n  ms@2.1.3:\n    resolution: {integrity: sha512-"
     "BBBB}\nsnapshots:\n  ms@2.1.3: {}\n",
     {"package npm @babel/core 7.24.4 sha512-AAAA 1\n", "package npm ms 2.1.3 sha512-BBBB 1\n",
      "fact packages=2 "},
     {NULL}},
    {"pnpm-lock.yaml",
     "lockfileVersion: 5.4\npackages:\n  /@a/b/1.2.3_react@17.0.2:\n    dev: true\n"
     "  /ms/2.1.3:\n    dev: false\n  /c@4.0.0(d@1.0.0):\n    dev: false\n",
     {"package npm @a/b", "package npm ms 2.1.3 - 0\n", "package npm c 4.0.0 - 0\n"},
     {NULL}},
    {"environment.yml",
     "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.10.4=h12debd9_0\n"
     "  - conda-forge::numpy==1.26.4\n  - scipy>=1.0\n  - pip\n  - pip:\n    - torch==2.2.0\n",
     {"package conda python 3.10.4 - 0\n", "package conda numpy 1.26.4 - 0\n",
      "package conda scipy - - 0\n", "package conda pip - - 0\n", "package pypi torch 2.2.0 - 0\n"},
     {NULL}},
    {"conda-lock.yml",
     "version: 1\nmetadata:\n  content_hash:\n    linux-64: " B64 "\npackage:\n- name: bzip2\n"
     "  version: 1.0.8\n  manager: conda\n  platform: linux-64\n  hash:\n    md5: "
     "0123456789abcdef0123456789abcdef\n    sha256: " A64 "\n- name: torch\n  version: 2.2.0\n"
     "  manager: pip\n",
     {"package conda bzip2 1.0.8 sha256:" A64 " 1\n", "package pypi torch 2.2.0 - 0\n"},
     {NULL}},
    {"conda-linux-64.lock",
     "# platform: linux-64\n@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/"
     "ca-certificates-2024.2.2-hbcca054_0.conda#2f4327a1cbe7f022401b236e915a5fef\n",
     {"package conda ca-certificates 2024.2.2 md5:2f4327a1cbe7f022401b236e915a5fef 1\n"},
     {NULL}},
    {"status",
     "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b7\n"
     "Description: a shell\n Version: 9\n\nPackage: gone\nStatus: deinstall ok config-files\n"
     "Version: 1\n\nPackage: tzdata\nStatus: install ok installed\nVersion: 2024a-0+deb12u1\n",
     {"package deb bash 5.2.15-2+b7 - 0\n", "package deb tzdata 2024a-0+deb12u1 - 0\n",
      "fact packages=2 "},
     {"gone", " 9 "}},
    {"dpkg-list.txt",
     "adduser\t3.134\nlibc6:amd64\t2.36-9+deb12u7\nlibstdc++6:amd64\t12.2.0-14\n",
     {"package deb adduser 3.134 - 0\n", "package deb libc6 2.36-9+deb12u7 - 0\n",
      "package deb libstdc++6 12.2.0-14 - 0\n"},
     {NULL}},
    {"apt.lock",
     "# pinned\nnginx=1.22.1-9\nlibssl3:amd64=3.0.13-1~deb12u1\n",
     {"package deb nginx 1.22.1-9 - 0\n", "package deb libssl3 3.0.13-1~deb12u1 - 0\n"},
     {NULL}},
    {"debian-packages.txt",
     "Desired=Unknown/Install\n||/ Name Version Architecture Description\n+++-===-===\n"
     "ii  bash  5.2.15-2+b7  amd64  GNU shell\nrc  old  1.0  all  left over\n"
     "openssl/stable,now 3.0.13-1 amd64 [installed]\n",
     {"package deb bash 5.2.15-2+b7 - 0\n", "package deb openssl 3.0.13-1 - 0\n"},
     {"old"}},
};

static const char *examine(exam_recorder *r, const lock_case *c, size_t len)
{
    tut_source source = tut_source_memory(tut_span_of(c->text, len));
    return recorder_examine(r, c->name, &source, true);
}

static void each_package_is_told_with_version_and_digest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        exam_recorder r;
        const char *log = examine(&r, &cases[i], strlen(cases[i].text));
        for (size_t k = 0; k < 6 && cases[i].has[k]; k++)
            if (!recorder_has(log, cases[i].has[k]))
                fail_msg("%s: no \"%s\" in\n%s", cases[i].name, cases[i].has[k], log);
        for (size_t k = 0; k < 3 && cases[i].lacks[k]; k++)
            if (recorder_has(log, cases[i].lacks[k]))
                fail_msg("%s: \"%s\" in\n%s", cases[i].name, cases[i].lacks[k], log);
        recorder_done(&r);
    }
}

static void a_cut_or_damaged_list_gives_what_was_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].text);
        for (size_t cut = 0; cut < len; cut++) {
            exam_recorder r;
            (void)examine(&r, &cases[i], cut);
            recorder_done(&r);
        }
        char copy[2048];
        assert_true(len < sizeof(copy));
        for (size_t at = 0; at < len; at++) {
            memcpy(copy, cases[i].text, len);
            copy[at] = (char)(copy[at] ^ (1 << (at % 7)));
            lock_case damaged = cases[i];
            damaged.text = copy;
            exam_recorder r;
            (void)examine(&r, &damaged, len);
            recorder_done(&r);
        }
    }
}

static void names_that_are_too_long_are_no_packages(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < 300; i++)
        tut_buf_add_byte(&text, 'a');
    tut_buf_add_z(&text, "==1\nb==1\n");
    exam_recorder r;
    tut_source source = tut_source_memory(tut_buf_span(&text));
    const char *log = recorder_examine(&r, "requirements.txt", &source, true);
    assert_non_null(strstr(log, "package pypi b 1 "));
    assert_null(strstr(log, "aaaa"));
    assert_non_null(strstr(log, "fact packages=2 ")); /* counted all the same */
    recorder_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_package_is_told_with_version_and_digest),
        cmocka_unit_test(a_cut_or_damaged_list_gives_what_was_there),
        cmocka_unit_test(names_that_are_too_long_are_no_packages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
