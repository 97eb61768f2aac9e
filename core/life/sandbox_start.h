/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The two steps of a start that lead into the sandbox.  All is [C].
 */
#ifndef SANDBOX_START_H
#define SANDBOX_START_H

struct config;
struct core_conf;
struct server_shared;

/* The first, before keys are read: makes the launcher (launcher.h).  If there
 * is to be no sandbox, the reason is logged. */
void sandbox_start_prepare(const struct server_shared *server,
	char *const argv[], const struct core_conf *core);

/* The second, after rights were dropped: enters it, if the first succeeded. */
void sandbox_start_enter(
	const struct server_shared *server, const struct config *config);

#endif
