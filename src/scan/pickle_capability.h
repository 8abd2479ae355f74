/* What a named thing of Python could do to the process that loads a pickle. */
#ifndef TUT_SCAN_PICKLE_CAPABILITY_H
#define TUT_SCAN_PICKLE_CAPABILITY_H

#include "base/str.h"
#include "scan/rule.h"

/* name, severity of a call on load, title of the finding */
#define TUT_CAPABILITIES(X)                                                                        \
    X(SHELL, CRITICAL, "Runs a shell command when the file is loaded")                             \
    X(PROCESS, CRITICAL, "Starts a program when the file is loaded")                               \
    X(CODE, CRITICAL, "Runs Python code when the file is loaded")                                  \
    X(NATIVE, CRITICAL, "Loads native code when the file is loaded")                               \
    X(UNPICKLE, CRITICAL, "Unpickles further data when the file is loaded")                        \
    X(IMPORT, CRITICAL, "Imports a module by name when the file is loaded")                        \
    X(WRITE, CRITICAL, "Writes or deletes files when the file is loaded")                          \
    X(NETWORK, CRITICAL, "Opens a network connection when the file is loaded")                     \
    X(PROCESS_STATE, CRITICAL, "Changes the process that loads the file")                          \
    X(LATER, CRITICAL, "Arranges a call for later when the file is loaded")                        \
    X(READ, HIGH, "Reads files or secrets when the file is loaded")                                \
    X(LOOKUP, HIGH, "Looks up an attribute by name when the file is loaded")                       \
    X(PARTIAL, MEDIUM, "Prepares a call")                                                          \
    X(NESTED_TORCH, MEDIUM, "Loads tensors from a file inside the file")

typedef enum tut_capability {
    TUT_CAPABILITY_NONE,
#define TUT_CAPABILITY_ENUM(name, severity, title) TUT_CAPABILITY_##name,
    TUT_CAPABILITIES(TUT_CAPABILITY_ENUM)
#undef TUT_CAPABILITY_ENUM
} tut_capability;

/* Of (module, name) as Python 3 calls them; a dotted name is looked at by each of its ends, as
 * "os.system" in module "logging" is os.system. NONE: no row speaks of it. */
tut_capability tut_capability_of(tut_str module, tut_str name);
const char *tut_capability_title(tut_capability c);
tut_severity tut_capability_severity(tut_capability c);

#endif
