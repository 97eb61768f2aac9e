/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The two steps of a start that lead into the sandbox.  All is [C].
 */
#ifndef SANDBOX_START_H
#define SANDBOX_START_H

struct config;
struct server_shared;

/* The first, before keys are read: makes the launcher (launcher.h), which makes
 * the filter.  If there is to be no sandbox, the reason is logged. */
void sandbox_start_prepare(const struct server_shared *server,
	char *const argv[], const struct config *config);

/* The second, after rights were dropped: enters it, if the first succeeded. */
void sandbox_start_enter(void);

#endif
