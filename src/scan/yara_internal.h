/* libyara as it was loaded, and the compiled rules: yara_compile.c and yara_match.c alone. */
#ifndef TUT_SCAN_YARA_INTERNAL_H
#define TUT_SCAN_YARA_INTERNAL_H

#include <yara.h>

#include "scan/yara.h"

#define TUT_YARA_FUNCTIONS(X)                                                                      \
    X(initialize)                                                                                  \
    X(set_configuration_uint32)                                                                    \
    X(compiler_create)                                                                             \
    X(compiler_destroy)                                                                            \
    X(compiler_set_callback)                                                                       \
    X(compiler_set_include_callback)                                                               \
    X(compiler_define_string_variable)                                                             \
    X(compiler_add_string)                                                                         \
    X(compiler_get_rules)                                                                          \
    X(rules_destroy)                                                                               \
    X(scanner_create)                                                                              \
    X(scanner_destroy)                                                                             \
    X(scanner_set_callback)                                                                        \
    X(scanner_set_flags)                                                                           \
    X(scanner_set_timeout)                                                                         \
    X(scanner_define_string_variable)                                                              \
    X(scanner_scan_mem_blocks)

typedef struct tut_yara_api {
#define TUT_YARA_MEMBER(name) __typeof__(&yr_##name) name;
    TUT_YARA_FUNCTIONS(TUT_YARA_MEMBER)
#undef TUT_YARA_MEMBER
} tut_yara_api;

struct tut_yara {
    YR_RULES *rules;
    size_t files;
    tut_sha256 digest;
};

/* Loads libyara once. UNSUPPORTED, with the package to install. */
TUT_MUST tut_status tut_yara_api_load(const tut_yara_api **ret_api, tut_error *err);
/* What was loaded; only after tut_yara_api_load. */
const tut_yara_api *tut_yara_api_get(void);

#endif
