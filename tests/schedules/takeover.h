/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Upgrades: the old process (upgrade.c) and the new one (takeover.c) as they
 * are in the server, in one thread, each with a loop of its own, and a channel
 * between them that is real.  A seed decides who goes on next, when a time
 * limit passes, when a process ends, and when the operator reloads, drains or
 * stops. While the new process waits for GO, the old one goes on.
 *
 * After each step these must hold:
 *
 * - One process accepts at most: the new one begins after the old one has
 *   stopped, and the old one begins again only when the new one is gone.
 * - The old one closes its listening sockets only when the new one serves or is
 *   gone, and the new one takes its queues only afterwards.
 * - The service manager is told of the new process only when it is final.
 *
 * When nobody has anything left to do:
 *
 * - One process accepts, unless both were told to end, or the new one has
 *   crashed when the upgrade was final.
 * - A reload that came amid an upgrade has reached the process that serves.
 * - If both have gone on to the end, the old one has taken each connection that
 *   came back, and the new one knows all the bytes that the old one forwarded.
 * - Nothing is passed on to a new process that has left the channel.
 * - No descriptor is open.
 */
#ifndef TAKEOVER_SCHEDULES_H
#define TAKEOVER_SCHEDULES_H

#include <stdbool.h>
#include <stdint.h>

/* What both processes have done; takeover_world.c keeps it, and says what must
 * hold. */
struct world {
	/* The old process. */
	bool accepts, left, drains, gone, told_to_end, told_main, passes_on;
	void (*prepared)(bool started); /* not yet called */
	unsigned imported;
	int64_t forwarded; /* bytes of its sessions */
	/* The new one: the child of the old one. */
	bool runs, begun, serves, ended, child_told;
	int status;
	unsigned handed_back;
	int64_t told_bytes;
	bool misses_kill; /* it starts only when it was to be killed */
	bool lost;        /* a process has ended before its time */
	bool orphaned;    /* the new one has, and nobody takes its place: it was
			   * told to end, or the upgrade was final */
	bool reload_waits;
	int other_end; /* of the channel, until the new process has it */
};

extern struct world world;

/* Says what does not hold, and aborts. */
_Noreturn void world_fail(const char *what);
void world_check(void);
/* When nobody has anything left to do. */
void world_check_end(void);
/* The new process is gone: its end of the channel is closed. */
void world_end_new(int status);

/* While the new process waits: takes steps of the old one.  Whether to stop
 * waiting: a message has come, or time passes.  Does not return if the new
 * process is killed. */
bool steps_while_waiting(void);

/* Plays one schedule. */
void takeover_play(uint64_t seed);
extern uint64_t takeover_steps, takeover_served;

#endif
