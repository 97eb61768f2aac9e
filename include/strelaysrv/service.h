/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Services: what one module does for another, as a struct of functions.
 *
 * A service has a name and a version; a higher version adds members at the end.
 * Its struct is declared in a header of the module that gives it.
 */
#ifndef RELAY_SERVICE_H
#define RELAY_SERVICE_H

struct relay_ctx;

/*
 * Offers `ops`, which must live until fini.  [C] init.  0, or -1 when the name
 * is taken.
 */
int relay_service_publish(struct relay_ctx *cx, const char *name,
	unsigned version, const void *ops);

/*
 * Looks one up.  [C] start or later, anew in each reload.  Not to be used on
 * workers, since the giver may leave before whoever keeps it is told.  In
 * start, only modules that come earlier in `modules` are seen; from ready on,
 * all. NULL: nobody offers it, or only an older version.  Absence is no error.
 * *self (may be NULL) is the giver's own context, for the functions' first
 * argument.
 */
const void *relay_service_find(struct relay_ctx *cx, const char *name,
	unsigned version, struct relay_ctx **self);

#endif
