/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Services: functions that one module provides to others, in a struct.
 *
 * A service has a name and a version; a higher version adds members at the end.
 * Its struct is declared in a header of the module that provides it.
 */
#ifndef RELAY_SERVICE_H
#define RELAY_SERVICE_H

#ifdef __cplusplus
extern "C" {
#endif

struct relay_ctx;

/*
 * Provides `ops`, which must stay valid until fini.  [C] init.  Returns 0, or
 * -1 if the name is in use.
 */
int relay_service_publish(struct relay_ctx *cx, const char *name,
	unsigned version, const void *ops);

/*
 * Looks up a service.  [C] start or later, and again in each reload.  Do not
 * use a service on workers: its provider may be removed before the user is
 * notified.  In start, only services of modules earlier in `modules` are found;
 * from ready on, all.  Returns NULL, which is not an error, if nobody provides
 * the service or only an older version. *self (may be NULL) becomes the
 * provider's context, the first argument of the functions.
 */
const void *relay_service_find(struct relay_ctx *cx, const char *name,
	unsigned version, struct relay_ctx **self);

#ifdef __cplusplus
}
#endif

#endif
