/* SPDX-License-Identifier: MPL-2.0 */

/*
 * state.h - the meter in a file that is always whole.
 */
#ifndef STATE_H
#define STATE_H

#include <strelaysrv/err.h>

#include "meter.h"

/* 0; 1 if there is no such file; -1 with err.  *meter is untouched unless 0. */
int state_read(const char *path, struct meter *meter, struct relay_err *err);
/* Beside the file, then in its place; on the disk when it returns 0. */
int state_write(
	const char *path, const struct meter *meter, struct relay_err *err);
/* Whether state_write() would do: writes beside the file only, and removes that
 * again.  0, or -1 with err. */
int state_try(
	const char *path, const struct meter *meter, struct relay_err *err);

#endif
