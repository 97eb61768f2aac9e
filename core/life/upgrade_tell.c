/* SPDX-License-Identifier: MPL-2.0 */

/* What the old process of an upgrade tells the new one. */

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/metric.h>

#include "base/instance.h"
#include "life/handover.h"
#include "life/life_state.h"
#include "life/upgrade_tell.h"

static struct upgrade_state *self(void)
{
	return &instance->life->upgrade;
}

static int64_t traffic(void)
{
	return relay_metric_value(NULL, "core", "session_traffic", NULL);
}

void upgrade_tell_begin(void)
{
	self()->traffic_sent = traffic();
	self()->owes_left = self()->owes_ending = false;
}

/* False: there is no room for it now. */
static bool send_word(enum handover_word word, const void *data, size_t len)
{
	return handover_send(self()->channel, word, data, len, -1) == 0;
}

void upgrade_tell(void)
{
	int64_t total = traffic(), more = total - self()->traffic_sent;

	if (self()->channel < 0)
		return;
	if (self()->owes_left && send_word(HANDOVER_LEFT, NULL, 0))
		self()->owes_left = false;
	if (more > 0 && send_word(HANDOVER_TRAFFIC, &more, sizeof(more)))
		self()->traffic_sent = total;
	if (self()->owes_ending && send_word(HANDOVER_ENDING, NULL, 0))
		self()->owes_ending = false;
}

void upgrade_tell_left(void)
{
	self()->owes_left = true;
	upgrade_tell();
}

void upgrade_tell_ending(void)
{
	self()->owes_ending = true;
	upgrade_tell();
}
