/*
 * Program text where a description should be: metadata of models (safetensors, GGUF, ONNX) is
 * copied into web pages, consoles and scripts, and nothing there needs a shell command, a call
 * that executes Python, or a script element.
 */
#ifndef TUT_FORMATS_SNIPPET_H
#define TUT_FORMATS_SNIPPET_H

#include "formats/format.h"

/* What in the text only a program says ("os.system("), or NULL. */
const char *tut_snippet_in(tut_str text);
/* Observes data.code-in-text when the value of this key holds one. */
void tut_snippet_check(tut_exam *x, tut_str key, tut_str value, uint64_t offset);

#endif
