/* The threat model as a diagram and as a page. */
#ifndef TUT_CMD_THREATS_PICTURE_H
#define TUT_CMD_THREATS_PICTURE_H

#include "cmd/threats_act.h"

TUT_MUST tut_status tut_threats_dot(const tut_threats_act *a, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_threats_svg(const tut_threats_act *a, tut_buf *out, tut_error *err);
/* The files that --svg and --html name; nothing without these. */
TUT_MUST tut_status tut_threats_pictures(const tut_threats_act *a, tut_error *err);

#endif
