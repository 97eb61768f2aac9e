/* SPDX-License-Identifier: MPL-2.0 */

/* state.h - stores the meter in a file, replaced atomically. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>

#include <strelaysrv/err.h>

#include "meter.h"
#include "names.h"
#include "others_state.h"

/* What the operator writes into the file to begin at 0. */
#define STATE_NEW "new\n"

/*
 * Returns 0; STATE_MISSING if the file does not exist; STATE_BEGIN if it has
 * STATE_NEW in it; -1 with err.  *meter, *names and *self are only changed if
 * 0.
 */
enum { STATE_MISSING = 1, STATE_BEGIN };
int state_read(const char *path, struct meter *meter, struct names *names,
	struct self *self, struct relay_err *err);
/* Writes a new file and renames it; it is on the disk when this returns 0. */
int state_write(const char *path, const struct meter *meter,
	const struct names *names, const struct self *self,
	struct relay_err *err);
/* Whether there is anything at that path; if that cannot be known, true. */
bool state_exists(const char *path);

#endif
