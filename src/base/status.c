#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[TUT_CODE_COUNT] = {
#define TUT_CODE_NAME(name, text) #name,
    TUT_CODES(TUT_CODE_NAME)
#undef TUT_CODE_NAME
};

static const char *const sentences[TUT_CODE_COUNT] = {
#define TUT_CODE_TEXT(name, text) text,
    TUT_CODES(TUT_CODE_TEXT)
#undef TUT_CODE_TEXT
};

const char *tut_code_name(tut_code code)
{
    return code < TUT_CODE_COUNT ? names[code] : names[TUT_BUG];
}

const char *tut_code_sentence(tut_code code)
{
    return code < TUT_CODE_COUNT ? sentences[code] : sentences[TUT_BUG];
}

static void fill(tut_error *err, tut_code code, const char *fmt, va_list ap) TUT_PRINTF(3, 0);

static void fill(tut_error *err, tut_code code, const char *fmt, va_list ap)
{
    err->code = code;
    err->has_offset = false;
    err->offset = 0;
    if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
        err->text[0] = '\0';
}

tut_status tut_fail(tut_error *err, tut_code code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, fmt, ap);
        va_end(ap);
    }
    return (tut_status){code};
}

tut_status tut_fail_at(tut_error *err, tut_code code, uint64_t offset, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, fmt, ap);
        va_end(ap);
        err->has_offset = true;
        err->offset = offset;
    }
    return (tut_status){code};
}

static tut_code code_of_errno(int value)
{
    switch (value) {
    case EACCES:
    case EPERM:
        return TUT_DENIED;
    case ENOMEM:
        return TUT_NOMEM;
    default:
        return TUT_IO;
    }
}

tut_status tut_fail_errno(tut_error *err, int errno_value, const char *fmt, ...)
{
    tut_code code = code_of_errno(errno_value);
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, fmt, ap);
        va_end(ap);
        size_t len = strlen(err->text);
        char text[128];
        const char *reason = strerror_r(errno_value, text, sizeof(text));
        snprintf(err->text + len, sizeof(err->text) - len, ": %s", reason);
    }
    return (tut_status){code};
}

void tut_error_set_path(tut_error *err, const char *path)
{
    if (err && err->path[0] == '\0' && path)
        snprintf(err->path, sizeof(err->path), "%s", path);
}

const char *tut_error_where(const tut_error *err)
{
    return strstr(err->text, err->path) ? "" : err->path;
}
