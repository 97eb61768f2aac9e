/* SPDX-License-Identifier: MPL-2.0 */

/* attacks.h - the table of attacks. */
#ifndef ATTACKS_H
#define ATTACKS_H

#include "gang.h"
#include "jam.h"
#include "swarm.h"

/* A ClientHello for the first swarm, which is made at the start. */
enum attack_hello {
	HELLO_NONE,
	HELLO_HALF,
	HELLO_GOOD,
	HELLO_P384,
	HELLO_LARGE
};

#define ATTACK_SWARMS 2

/* Any of its parts may be empty. */
struct attack {
	const char *name;
	const char *help; /* what strangers do, for the tables */
	enum attack_hello hello;
	struct swarm_plan swarms[ATTACK_SWARMS];
	struct gang_plan gang;
	size_t accomplices; /* devices that have joined, to be asked for */
	struct jam_plan jam;
	bool needs_target; /* a device of good clients */
};

/* In the order in which they are played; *count of them. */
const struct attack *attacks_all(size_t *count);
const struct attack *attacks_find(const char *name);

/* Plays it for siege->seconds_ms and prints what was done as a report.  Returns
 * the program's exit code. */
int attack_run(struct siege *siege, const struct attack *attack);

#endif
