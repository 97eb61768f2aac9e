/* SPDX-License-Identifier: MPL-2.0 */

/*
 * setup.h - what the asking thread needs to know of the options, and the files
 * that they name.  Constant once it is made.  A request keeps the one that it
 * began with, whatever a reload changes.
 */
#ifndef SETUP_H
#define SETUP_H

#include <stdatomic.h>

#include <strelaysrv/module.h>

#include "answer.h"

/* An empty one has text NULL. */
struct setup_files {
	_Atomic unsigned holders;
	struct relay_file token, ca, cert, key;
};

struct setup {
	_Atomic unsigned holders;
	struct setup_files *files; /* held */
	char *url, *socket;        /* owned; socket: "" for TCP */
	char *bearer;              /* owned; the whole header; NULL: none */
	char agent[80];
	enum dialect dialect;
	unsigned connections, retries;
	unsigned places; /* of questions: on connections, and in the queue */
	int64_t timeout_ms;
	unsigned generation; /* of those that were in use; 1: the first */
};

/* The hooks of these names. */
int setup_files_read(const void *conf, void **files, struct relay_err *err);
void setup_files_free(void *files);
/* With one holder; NULL with err.  [C] */
struct setup *setup_new(
	const void *conf, struct setup_files *files, struct relay_err *err);
struct setup *setup_hold(struct setup *setup);
/* The last one frees it.  NULL is allowed.  Any thread. */
void setup_let_go(struct setup *setup);

#endif
