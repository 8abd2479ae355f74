#include "cmd/result_mark.h"

tut_result_mark tut_result_mark_of(const tut_term *term, tut_result result)
{
    switch (result) {
    case TUT_RESULT_PASS:
        return (tut_result_mark){TUT_STYLE_GOOD, tut_term_glyph(term, TUT_GLYPH_TICK)};
    case TUT_RESULT_FAIL:
    case TUT_RESULT_ERROR:
        return (tut_result_mark){TUT_STYLE_BAD, tut_term_glyph(term, TUT_GLYPH_CROSS)};
    case TUT_RESULT_NOT_APPLICABLE:
    case TUT_RESULT_NOT_CHECKED:
        break;
    }
    return (tut_result_mark){TUT_STYLE_DIM, tut_term_glyph(term, TUT_GLYPH_NOT_CHECKED)};
}
