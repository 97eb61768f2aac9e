/* SPDX-License-Identifier: MPL-2.0 */

/* attacks.h - the table of attacks. */
#ifndef ATTACKS_H
#define ATTACKS_H

#include "gang.h"
#include "gateway.h"
#include "jam.h"
#include "swarm.h"

/* A ClientHello for the first swarm, generated at the start. */
enum attack_hello {
	HELLO_NONE,
	HELLO_HALF,
	HELLO_GOOD,
	HELLO_P384,
	HELLO_LARGE
};

#define ATTACK_SWARMS 2

/* Each part may be empty. */
struct attack {
	const char *name;
	const char *help; /* description for the tables */
	enum attack_hello hello;
	struct swarm_plan swarms[ATTACK_SWARMS];
	struct gang_plan gang;
	size_t accomplices; /* joined devices that are requested */
	struct jam_plan jam;
	struct gateway_plan gateway;
	bool needs_target; /* requests a device of the good clients */
};

/* All attacks in order; *count is their number. */
const struct attack *attacks_all(size_t *count);
const struct attack *attacks_find(const char *name);

/*
 * Runs it for siege->seconds_ms and prints a report.  Returns the program's
 * exit code.
 */
int attack_run(struct siege *siege, const struct attack *attack);

#endif
