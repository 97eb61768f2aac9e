/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A server with real rooms from base to host, two worker threads, and modules
 * that are built into the test: they note each callback, and fail when told to.
 */
#ifndef HOST_FIXTURE_H
#define HOST_FIXTURE_H

#include "config/flags.h"
#include "loop/loop.h"
#include "modules/catalog.h"
#include "tls/identity.h"

#define FIXTURE_MODULES 3
#define FIXTURE_WORKERS 2

/* The modules are "a", "b" and "c"; "c" is essential. */
extern struct fixture {
	struct loop control;
	struct catalog catalog;
	struct flags flags;
	struct identity identity;
	struct relay_module mods[FIXTURE_MODULES];
	struct relay_module *sorted[FIXTURE_MODULES];
	char path[32];       /* of the configuration file */
	const char *failing; /* "b.start": this callback fails; NULL: none */
	char called[512]; /* the callbacks on the control thread: "a.init " */
} fixture;

/* For cmocka: makes the rooms and starts the workers; ends all. */
int fixture_make(void **state);
int fixture_end(void **state);

/* Writes the configuration file: these modules (as "a, b"), and further lines.
 * Forgets what was called. */
void fixture_write(const char *modules, const char *lines);
/* Writes the file, and starts the host with it.  0 or -1. */
int fixture_start(const char *modules, const char *lines);
/* Writes the file, and reloads. */
void fixture_reload(const char *modules, const char *lines);

/* The modules in that stage, as "a b ". */
const char *fixture_in_stage(enum module_stage stage);

#endif
