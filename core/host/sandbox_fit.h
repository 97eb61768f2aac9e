/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The sandbox that fits the modules of a configuration.
 *
 * It is entered once, at the start, and cannot be widened: a reload that needs
 * more is refused, and an upgrade (SIGUSR2) starts a process with a sandbox of
 * its own.  All is [C].
 */
#ifndef SANDBOX_FIT_H
#define SANDBOX_FIT_H

#include <stdbool.h>

#include <strelaysrv/err.h>

struct catalog;
struct config;
struct relay_module;
struct sandbox_state;

/* What the modules that the configuration names need: bits of sandbox.h. */
unsigned sandbox_fit_plan(
	const struct catalog *catalog, const struct config *config);
/*
 * Enters it as planned, with the filter's program from `fd`, and logs that.  A
 * kernel that does not let it gets a warning, and the server goes on without.
 * Threads that run already get the filter of system calls only.  False: nothing
 * is restricted.
 */
bool sandbox_fit_enter(int fd);
/* Logs that there is none, and why. */
void sandbox_fit_none(const char *why);

/* Whether the module can run under that configuration in the sandbox that was
 * entered.  0, or -1 with err. */
int sandbox_fit_check(const struct relay_module *mod,
	const struct config *config, struct relay_err *err);

/* Registers the metrics.  0, or -1 logged. */
int sandbox_metrics_init(void);

#endif
