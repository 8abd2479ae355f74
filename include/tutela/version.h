/* Which Tutela this is. */
#ifndef TUTELA_VERSION_H
#define TUTELA_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0"; a literal. */
const char *tutela_version(void);

#ifdef __cplusplus
}
#endif
#endif
