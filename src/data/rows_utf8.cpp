/* simdjson's check of UTF-8 behind a C name: of long texts, tens of gigabytes a second. */
#include <simdjson.h>

extern "C" bool rows_utf8_valid(const char *text, size_t len);

extern "C" bool rows_utf8_valid(const char *text, size_t len)
{
    return simdjson::validate_utf8(text, len);
}
