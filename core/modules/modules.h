/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The state of the module host in one server: made before modules are searched,
 * freed when none runs any more.
 */
#ifndef MODULES_H
#define MODULES_H

/* [C]  0, or -1 without memory. */
int modules_create(void);
/* [C]  Also frees the layouts, so no connection or session may be left. */
void modules_destroy(void);

#endif
