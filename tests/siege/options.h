/* SPDX-License-Identifier: MPL-2.0 */

/* options.h - the command line of the attacker. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "siege.h"

struct options {
	const char *relay, *http, *target, *path, *token, *own;
	int64_t seconds_ms, open, per_s, sources, server_pid, patience_ms;
};

/* Returns 0, or -1 with the error on stderr. */
int options_read(struct options *out, int argc, char **argv);
void options_usage(void);

/* Fills the settings, addresses and target. 0, or -1 with the error on
 * stderr. */
int options_apply(const struct options *options, struct siege *siege);

#endif
