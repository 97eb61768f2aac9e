/* SPDX-License-Identifier: MPL-2.0 */

/* What an operator has the server do: the same as signals do. */

#include <strelaysrv/err.h>
#include <strelaysrv/server.h>

#include "base/instance.h"
#include "host/reloading.h"
#include "life/drain.h"
#include "life/life_state.h"
#include "life/upgrade.h"
#include "life/upgrade_prepare.h"
#include "log/log.h"
#include "loop/loop.h"

static struct acts_state *self(void)
{
	return &instance->life->acts;
}

static const char *const nothing_else = "another process has taken over: ask "
					"that one";

static bool other_serves(void)
{
	return relay_draining() == RELAY_DRAIN_MOVE;
}

/* Why it cannot be done now; NULL: it can. */
static const char *objection(enum relay_act act)
{
	if (self()->waiting)
		return "something else was asked for: try again";
	if (reloading_is_on())
		return "a reload is under way: try again";
	if (act == RELAY_ACT_UPGRADE)
		return upgrade_objection();
	if (other_serves())
		return nothing_else;
	if (act == RELAY_ACT_RELOAD &&
		instance->life->upgrade.stage != STAGE_NONE)
		return "an upgrade is under way: try again";
	if (act == RELAY_ACT_DRAIN && relay_draining() != RELAY_DRAIN_NONE)
		return "the server drains already";
	if (act == RELAY_ACT_UNDRAIN && relay_draining() == RELAY_DRAIN_NONE)
		return "the server does not drain";
	return NULL;
}

/* Later than the callback that asked, since it calls hooks of modules. */
static void act_now(struct loop *loop, void *arg)
{
	(void)loop;
	self()->waiting = false;
	switch (*(const enum relay_act *)arg) {
	case RELAY_ACT_RELOAD:
		if (!upgrade_reload())
			reloading_begin();
		break;
	case RELAY_ACT_DRAIN:
		if (upgrade_drain())
			drain_begin(RELAY_DRAIN_LEAVE);
		break;
	case RELAY_ACT_UNDRAIN:
		if (!other_serves())
			drain_call_off();
		break;
	case RELAY_ACT_UPGRADE:
		upgrade_begin();
		break;
	}
}

int relay_server_act(enum relay_act act, struct relay_err *err)
{
	const char *why = objection(act);

	if (why)
		return relay_fail(err, "%s", why);
	if (loop_post(&instance->life->shared.control, act_now, &act,
		    sizeof(act)) != 0)
		return relay_fail(err, "out of memory");
	self()->waiting = true;
	self()->reload_asked |= act == RELAY_ACT_RELOAD;
	self()->drain_asked |= act == RELAY_ACT_DRAIN;
	self()->undrain_asked |= act == RELAY_ACT_UNDRAIN;
	self()->upgrade_asked |= act == RELAY_ACT_UPGRADE;
	return 0;
}

static enum relay_acted result(bool done)
{
	return done ? RELAY_ACTED_DONE : RELAY_ACTED_FAILED;
}

static enum relay_acted upgraded(void)
{
	switch (instance->life->upgrade.stage) {
	case STAGE_NONE:
		break;
	case STAGE_PREPARING:
	case STAGE_STARTING:
	case STAGE_SWITCHING:
		return RELAY_ACTED_NOT_YET;
	case STAGE_PROBATION:
	case STAGE_OVER:
		return RELAY_ACTED_DONE;
	}
	return RELAY_ACTED_FAILED;
}

static bool was_asked(enum relay_act act)
{
	switch (act) {
	case RELAY_ACT_RELOAD:
		return self()->reload_asked;
	case RELAY_ACT_DRAIN:
		return self()->drain_asked;
	case RELAY_ACT_UNDRAIN:
		return self()->undrain_asked;
	case RELAY_ACT_UPGRADE:
		return self()->upgrade_asked;
	}
	return false;
}

enum relay_acted relay_server_acted(enum relay_act act)
{
	if (!was_asked(act))
		return RELAY_ACTED_NEVER;
	if (self()->waiting)
		return RELAY_ACTED_NOT_YET;
	switch (act) {
	case RELAY_ACT_RELOAD:
		return reloading_is_on() ? RELAY_ACTED_NOT_YET
					 : result(reloading_succeeded());
	case RELAY_ACT_DRAIN:
		return result(relay_draining() == RELAY_DRAIN_LEAVE);
	case RELAY_ACT_UNDRAIN:
		return result(relay_draining() == RELAY_DRAIN_NONE);
	case RELAY_ACT_UPGRADE:
		return upgraded();
	}
	return RELAY_ACTED_FAILED;
}
