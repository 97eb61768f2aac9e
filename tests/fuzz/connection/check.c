/* SPDX-License-Identifier: MPL-2.0 */

/* What must be true after every step, and after every input. */

#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "client.h"
#include "configurations.h"
#include "metrics/metrics.h"
#include "relay.h"
#include "sim.h"

#define GAUGES 256

/* The gauges of each server that must be as they were before. */
static struct gauges {
	unsigned count;
	struct {
		const struct relay_metric_def *def;
		const char *value_name;
		int64_t value;
	} all[GAUGES];
} gauges[CONFIGURATIONS];

static unsigned descriptors_before;

/* After the last step. */
static struct {
	uint64_t failures; /* sim_failed */
	int64_t ended_early;
} last;
static int64_t traffic_before; /* this input */

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int kind = SIM_FREE + 1; kind <= SIM_EVENT; kind++)
		if (kind != SIM_PIPE_READ && kind != SIM_PIPE_WRITE)
			n += sim_count((enum sim_kind)kind);
	return n;
}

/* These depend on the process or on time, not on what clients hold. */
static bool is_state(const struct relay_sample *sample)
{
	static const char *const others[] = {"uptime", "memory", "process",
		"cpu", "descriptors", "start_time", "lag", "rate", "level",
		"used", "remaining", "threads", "reset", "limit", "cap", NULL};

	if (sample->def->kind != RELAY_GAUGE)
		return false;
	for (unsigned i = 0; others[i]; i++)
		if (strstr(sample->def->name, others[i]) &&
			strcmp(sample->def->name, "session_kernel_memory"))
			return false;
	return true;
}

static int remember(const struct relay_sample *sample, void *arg)
{
	struct gauges *g = arg;

	if (!is_state(sample))
		return 0;
	if (g->count == GAUGES)
		sim_die("more than %d gauges", GAUGES);
	g->all[g->count].def = sample->def;
	g->all[g->count].value_name = sample->value_name;
	g->all[g->count++].value = sample->value;
	return 0;
}

static int compare(const struct relay_sample *sample, void *arg)
{
	const struct gauges *g = arg;

	if (!is_state(sample))
		return 0;
	for (unsigned i = 0; i < g->count; i++)
		if (g->all[i].def == sample->def &&
			g->all[i].value_name == sample->value_name &&
			g->all[i].value != sample->value)
			sim_die("the gauge %s{%s} is %" PRId64
				" after an input, and was %" PRId64,
				sample->def->name,
				sample->value_name ? sample->value_name : "",
				sample->value, g->all[i].value);
	return 0;
}

/* Sessions that ended for a reason that their sides need not see. */
static int64_t ended_early(void)
{
	static const char *const reasons[] = {"timeout", "stalled", "pressure",
		"denied", "limit", "error", "peer-lost", "overflow", NULL};
	int64_t n = 0;

	for (unsigned i = 0; reasons[i]; i++)
		n += relay_metric("core", "sessions_closed", reasons[i]);
	return n;
}

void check_begin(void)
{
	for (unsigned i = 0; i < CONFIGURATIONS; i++) {
		relay_choose(i);
		(void)metrics_visit(NULL, remember, &gauges[i]);
	}
	descriptors_before = descriptors();
}

static void remember_ends(void)
{
	last.failures = sim_failed;
	last.ended_early = ended_early();
}

/* Marks the sides that may have lost bytes in this step. */
static void find_cut(void)
{
	const bool failed = sim_failed != last.failures;

	if (!failed && ended_early() == last.ended_early)
		return;
	for (int i = 0; i < side_count; i++)
		if (sides[i].tcp && (failed || sides[i].tcp->server_gone))
			sides[i].cut = true;
	remember_ends();
}

void check_input(void)
{
	traffic_before = relay_metric("core", "session_traffic", NULL);
	remember_ends();
}

/* What is counted is what was read, if all sides sent what they should. */
static void check_traffic(void)
{
	int64_t n = relay_metric("core", "session_traffic", NULL);

	if (sides_odd())
		return;
	for (int i = 0; i < side_count; i++)
		n -= (int64_t)side_read(&sides[i]);
	if (n != traffic_before)
		sim_die("%" PRId64 " bytes more are counted than were read",
			n - traffic_before);
}

static void check_sockets(void)
{
	int64_t open = relay_metric("core", "connections", NULL);
	int64_t lingering = relay_metric("core", "connections_lingering", NULL);
	int64_t sockets = sim_count(SIM_TCP);

	if (open + lingering != sockets)
		sim_die("%" PRId64 " open and %" PRId64
			" lingering connections, but %" PRId64 " sockets",
			open, lingering, sockets);
	if (relay_metric("core", "connections_accepted", NULL) !=
		open + relay_metric("core", "connections_closed", NULL))
		sim_die("accepted connections are not those that are open and "
			"those that were closed");
	if (2 * relay_metric("core", "sessions", NULL) >
		relay_metric("core", "connections", "plain"))
		sim_die("more sides of sessions than plain connections");
}

static void check_bounds(void)
{
	const struct configuration *now = relay_configuration();
	int64_t lingering = relay_metric("core", "connections_lingering", NULL);

	if (now->sessions &&
		relay_metric("core", "sessions", NULL) > now->sessions)
		sim_die("more sessions than the bound");
	if (!now->per_source)
		return;
	for (struct client *a = clients; a < clients + CLIENTS; a++) {
		int64_t n = 0;

		for (struct client *b = clients; b < clients + CLIENTS; b++)
			n += a->tcp && b->tcp && b->tcp->fd >= 0 &&
			     memcmp(&a->tcp->from, &b->tcp->from,
				     sizeof(a->tcp->from)) == 0;
		if (n > now->per_source + lingering)
			sim_die("%" PRId64 " connections of one source", n);
	}
}

/* Whether the bytes from one side to the other could go on, and do not. */
static void check_flow(const struct side *from, const struct side *to)
{
	if (from->tcp->fd < 0 || to->tcp->fd < 0 ||
		relay_configuration()->shaped)
		return;
	if (from->tcp->arrived && sim_tcp_writable(to->tcp) &&
		!to->tcp->client_reset && !to->tcp->nospace)
		sim_die("a session does not move %zu bytes, although there is "
			"room for %zu",
			from->tcp->arrived, sim_tcp_room(to->tcp));
	if (from->tcp->up_fin && from->tcp->up.len == 0 &&
		!from->tcp->client_reset && !to->tcp->client_reset &&
		sim_tcp_writable(to->tcp) && !to->tcp->nospace &&
		!to->tcp->down_fin)
		sim_die("a session does not pass on an end");
}

static void check_end(struct side *self, const struct side *other)
{
	if (!self->tcp || !sim_client_at_end(self->tcp) || self->reset)
		return;
	if (other->fin || other->reset || self->fin)
		return;
	sim_die("a side of a session sees an end that nobody has sent");
}

static void check_whole(const struct side *self, const struct side *other)
{
	if (!self->tcp || !sim_client_at_end(self->tcp) || self->reset)
		return;
	if (!other->fin || other->reset || (other->tcp && other->tcp->lost))
		return;
	if (self->got != other->sent)
		sim_die("a side of a session has got %" PRIu64 " of %" PRIu64
			" bytes, and then an end",
			self->got, other->sent);
}

static void check_sides(bool at_rest)
{
	for (int i = 0; i < side_count; i++) {
		struct side *self = &sides[i], *other;

		if (self->other < 0)
			continue;
		other = &sides[self->other];
		if (other->odd || self->cut || other->cut)
			continue;
		check_end(self, other);
		check_whole(self, other);
		if (at_rest && self->tcp && other->tcp)
			check_flow(other, self);
	}
}

void check_step(bool at_rest)
{
	if (at_rest) /* else one may be on its way to a worker */
		check_sockets();
	check_bounds();
	check_traffic();
	find_cut();
	check_sides(at_rest);
}

void check_over(void)
{
	if (sim_count(SIM_TCP))
		sim_die("%u sockets are open after an input",
			sim_count(SIM_TCP));
	if (sim_piped())
		sim_die("%zu bytes are in pipes after an input", sim_piped());
	if (descriptors() != descriptors_before)
		sim_die("%u descriptors after an input instead of %u",
			descriptors(), descriptors_before);
	(void)metrics_visit(
		NULL, compare, &gauges[relay_configuration() - configurations]);
}
