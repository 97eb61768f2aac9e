/* SPDX-License-Identifier: MPL-2.0 */

/* The steps of the two processes of an upgrade, in an order that follows from
 * a seed. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/instance.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/takeover.h"
#include "life/upgrade.h"
#include "life/upgrade_tell.h"
#include "peers/conn_state.h"

#include "takeover.h"

#define CHILD       ((pid_t)1 << 22)
#define STEPS_MOST  80
#define SETTLE_MOST 200
#define AWAIT_MS    1000
#define DESCRIPTORS 64 /* none is above */

uint64_t takeover_steps, takeover_served;
static struct event_base *old_base, *new_base;
static uint64_t state;
static jmp_buf killed; /* the new process is gone */

static unsigned chance(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 16) % below);
}

static struct upgrade_state *old(void)
{
	return &instance->life->upgrade;
}

static void turn(struct event_base *base)
{
	if (event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE) < 0)
		world_fail("a loop fails");
}

/* Steps of the old process, and of its operator. */

static void old_turn(void)
{
	turn(old_base);
}

static void prepared(void)
{
	void (*over)(bool started) = world.prepared;
	int ends[2];

	if (!over)
		return;
	world.prepared = NULL;
	if (chance(8) == 0) {
		over(false);
		return;
	}
	if (handover_pair(ends) != 0)
		world_fail("no channel");
	upgrade_tell_begin();
	old()->channel = ends[0];
	old()->pid = CHILD;
	world.other_end = ends[1];
	world.runs = true;
	world.begun = world.ended = world.serves = false;
	world.misses_kill = chance(4) == 0;
	world.forwarded = world.told_bytes = 0;
	world.imported = world.handed_back = 0;
	old()->traffic_sent = 0;
	over(true);
}

/* Whatever it waits for does not come. */
static void old_timer(void)
{
	if (evtimer_pending(old()->timer, NULL)) {
		if (old()->ending)
			world.lost = true;
		event_active(old()->timer, EV_TIMEOUT, 0);
		turn(old_base);
	}
}

static void begin(void)
{
	upgrade_begin();
}

static void reload(void)
{
	bool waits = old()->stage == STAGE_PREPARING ||
		     old()->stage == STAGE_STARTING ||
		     old()->stage == STAGE_SWITCHING;

	world.reload_waits |= waits;
	if (upgrade_reload() != (old()->stage != STAGE_NONE))
		world_fail("a reload is in wrong hands");
}

/* Unless its last session has ended. */
static void forward(void)
{
	if (!old()->ending)
		world.forwarded += 5;
}

/* As server.c does when the last session has ended. */
static void last_session(void)
{
	if (world.drains && old()->stage == STAGE_OVER && !old()->ending)
		upgrade_end();
}

static void drain(void)
{
	if (chance(8) != 0)
		return;
	if (upgrade_drain() && old()->stage != STAGE_NONE)
		world_fail("an upgrade goes on in a drain");
	world.reload_waits = false; /* nobody serves what it would change */
}

static void stop(void)
{
	if (chance(16) != 0)
		return;
	world.told_to_end = world.lost = world.gone = true;
	upgrade_finish();
}

static void (*const steps_of_old[])(void) = {old_turn, old_turn, old_turn,
	prepared, old_timer, begin, reload, forward, last_session, drain, stop};

/* Steps of the new process. */

static void new_turn(void)
{
	if (instance->life->takeover.channel_event)
		turn(new_base);
}

static void hand_back(void)
{
	struct relay_conn conn = {.phase = CONN_TAKEN};

	if (!world.serves)
		return;
	conn.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (conn.fd < 0)
		world_fail("no descriptor");
	if (relay_conn_hand_back(NULL, &conn, "abc", 3) == 0)
		world.handed_back++;
	(void)close(conn.fd);
}

static void keep(void)
{
	if (world.serves && chance(4) == 0)
		takeover_keep();
}

static void end_well(void)
{
	if (world.serves && chance(8) == 0)
		world_end_new(0);
}

static void crash(void)
{
	if (world.runs && chance(8) == 0)
		world_end_new(1);
}

static void (*const steps_of_new[])(void) = {
	new_turn, new_turn, hand_back, keep, end_well, crash};

/* The end of the new process while it waits ends its own code, too. */
static void step_of_old(void)
{
	if (world.gone)
		return;
	takeover_steps++;
	steps_of_old[chance(sizeof(steps_of_old) / sizeof(*steps_of_old))]();
	world_check();
	if (world.gone && old()->timer)
		upgrade_finish();
}

bool steps_while_waiting(void)
{
	for (unsigned i = chance(4); i > 0; i--) {
		step_of_old();
		if (chance(16) == 0)
			crash();
		if (world.ended)
			longjmp(killed, 1);
	}
	return chance(32) == 0;
}

/* Until it serves, or is gone. */
static void begin_new(void)
{
	struct relay_err err;
	char text[16];

	if (!world.runs || world.begun || world.ended)
		return;
	world.begun = true;
	(void)snprintf(text, sizeof(text), "%d", world.other_end);
	(void)setenv(HANDOVER_CHANNEL, text, 1);
	instance->life->takeover.keep_sent = false;
	if (setjmp(killed) == 0) {
		if (takeover_init(&err) != 0)
			world_fail("the channel is none");
		world.other_end = -1;
		if (takeover_await(AWAIT_MS, &err) != 0) {
			world_end_new(1);
		} else {
			world.serves = true;
			world_check();
			(void)steps_while_waiting();
			if (takeover_serving(new_base, &err) != 0)
				world_fail("no memory");
			takeover_served++;
		}
	}
	world_check();
}

static void step(void)
{
	unsigned who = chance(8);

	if (who == 0) {
		begin_new();
	} else if (who < 4 && world.runs && world.begun) {
		takeover_steps++;
		steps_of_new[chance(
			sizeof(steps_of_new) / sizeof(*steps_of_new))]();
	} else {
		step_of_old();
	}
	world_check();
}

/* All do what they have to, and nothing else happens. */
static void settle(void)
{
	for (int i = 0; i < SETTLE_MOST; i++) {
		begin_new();
		if (!world.gone) {
			prepared();
			old_turn();
			if (old()->stage == STAGE_PROBATION)
				old_timer();
			if (i > SETTLE_MOST / 2 && world.serves)
				last_session();
		}
		if (world.gone && old()->timer)
			upgrade_finish();
		new_turn();
		world_check();
	}
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void set_up(uint64_t seed)
{
	static char program[] = "program";
	static char *argv[] = {program, NULL};

	state = seed * 0x9e3779b97f4a7c15U + 1;
	world = (struct world){.accepts = true, .other_end = -1};
	if (!old_base) {
		old_base = event_base_new();
		new_base = event_base_new();
	}
	if (!old_base || !new_base || life_create() != 0 ||
		upgrade_init(old_base, argv) != 0)
		world_fail("no memory");
}

void takeover_play(uint64_t seed)
{
	static int before;

	set_up(seed);
	begin();
	for (unsigned i = chance(STEPS_MOST); i > 0; i--)
		step();
	settle();
	world_check_end();
	if (old()->timer)
		upgrade_finish();
	takeover_finish();
	if (world.other_end >= 0)
		(void)close(world.other_end);
	life_destroy();
	if (before && descriptors() != before)
		world_fail("a descriptor is left open");
	before = descriptors();
}
