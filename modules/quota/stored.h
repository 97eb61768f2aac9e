/* SPDX-License-Identifier: MPL-2.0 */

/*
 * stored.h - the used traffic in the state file.
 *
 * The file's mount may not answer, so that all is done beside the control
 * thread.  All functions but the first are [C].
 */
#ifndef STORED_H
#define STORED_H

#include <stdbool.h>

#include <strelaysrv/module.h>

#include "meter.h"
#include "names.h"

/* What files_read() finds. */
struct stored {
	bool is_there, is_new; /* new: the operator wants to begin at 0 */
	struct meter meter;    /* zero if it is not there */
	struct names names;    /* owned, until stored_take() */
	struct self self;
};

/* The hooks of these names. */
int stored_files_read(const void *conf, void **files, struct relay_err *err);
void stored_files_free(void *files);
/* Takes over what was read, at the start. */
void stored_take(struct relay_ctx *cx);
/* Writes the file at the start, and waits for that, so that an error shows.  0,
 * or -1 with err. */
int stored_begin(struct relay_ctx *cx, struct relay_err *err);
/* Begins to write the file, unless another process has taken over.  An error is
 * logged later. */
void stored_save(struct relay_ctx *cx);
/* Begins to look whether somebody has removed the file; then it is written
 * again, which is logged. */
void stored_look(struct relay_ctx *cx);
/* Whether another file could be written.  Waits for that.  0, or -1 with err.
 */
int stored_try(struct relay_ctx *cx, const char *path, struct relay_err *err);
/* Writes the file, and waits for that for a few seconds at most. */
void stored_finish(struct relay_ctx *cx);

#endif
