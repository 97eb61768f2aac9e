/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The module host's state in one server: made before modules are looked for,
 * ended when none runs.
 */
#ifndef MODULES_H
#define MODULES_H

/* [C]  0, or -1 without memory. */
int modules_create(void);
/* [C]  Frees the layouts too: no connection or session may be left. */
void modules_destroy(void);

#endif
