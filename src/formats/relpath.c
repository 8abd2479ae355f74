#include "formats/relpath.h"

#include <string.h>

const char *tut_relpath_unsafe(tut_str s)
{
    size_t at = 0;
    if (s.len == 0)
        return "is empty";
    if (memchr(s.data, 0, s.len))
        return "holds a NUL";
    if (s.data[0] == '/')
        return "is absolute";
    if (memchr(s.data, '\\', s.len))
        return "holds a backslash, which is a separator elsewhere";
    if (s.len >= 2 && s.data[1] == ':' && ((s.data[0] | 0x20) >= 'a' && (s.data[0] | 0x20) <= 'z'))
        return "names a drive";
    if (tut_str_find(s, TUT_LIT("://"), &at) || tut_str_starts(s, TUT_LIT("file:")))
        return "is a URI";
    if (s.data[0] == '~' || memchr(s.data, '$', s.len) || memchr(s.data, '%', s.len))
        return "holds a sign that some loaders expand";
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < 0x20)
            return "holds a control character";
    for (size_t i = 0; i + 2 <= s.len; i++)
        if (s.data[i] == '.' && s.data[i + 1] == '.' && (i == 0 || s.data[i - 1] == '/') &&
            (i + 2 == s.len || s.data[i + 2] == '/'))
            return "leads upwards";
    return NULL;
}
