/* SPDX-License-Identifier: MPL-2.0 */

/* What clients do in a schedule, and what must be true then. */

#include <inttypes.h>
#include <string.h>

#include "client.h"
#include "devices.h"

#include "handback.h"
#include "messages.h"
#include "moves.h"
#include "relay.h"
#include "scene.h"
#include "scheduler.h"
#include "sim.h"

#define STEPS_MOST  400
#define ASKS_MOST   3
#define TARGETS     2
#define TRIES_MOST  40 /* each takes a second of simulated time */
#define BYTES_MOST  6000
#define KEYS_MOST   INVITATIONS
#define SOURCES_ALL SOURCES

uint64_t scene_sessions;

/* What a client is there for. */
enum deed { NOTHING, JOIN, ASK, SESSION };

struct act {
	enum deed deed;
	int device; /* its own; for ASK also the one that it asks for */
	int target;
	unsigned key; /* of SESSION: which invitation's */
	bool said;    /* it has sent its message */
	bool paid;    /* it has sent its payload */
};

static struct act acts[CLIENTS];

static struct scene {
	bool calm;           /* nobody leaves */
	bool upgrades;       /* sides of sessions come to the new server */
	unsigned drains_at;  /* the step at which the old one begins to drain */
	unsigned keys_taken; /* invitations for which somebody came */
	unsigned asks_begun, asks_wanted;
	unsigned joins_wanted[TARGETS];
	/* The sides that came with a key, and their places in sides[]. */
	struct {
		int side[2];
		unsigned count;
	} keys[KEYS_MOST];
} scene;

static struct client *come(enum deed deed, int device, int target)
{
	struct client *client;

	relay_choose(deed == SESSION && scene.upgrades ? NEW : OLD);
	client = client_connect(
		scheduler_below(RELAY_WORKERS), scheduler_below(SOURCES_ALL));
	relay_choose(OLD);
	if (!client)
		return NULL;
	acts[client - clients] =
		(struct act){.deed = deed, .device = device, .target = target};
	if (deed != SESSION)
		client_tls(client, device);
	return client;
}

/* Somebody comes with the next key that nobody has brought yet; now and then
 * two at once. */
static void bring_key(void)
{
	unsigned key = scene.keys_taken++;
	unsigned times = scheduler_below(4) == 0 ? 2 : 1;

	if (key >= KEYS_MOST)
		sim_die("more than %d invitations", KEYS_MOST);
	while (times-- > 0) {
		struct client *client = come(SESSION, 0, 0);

		if (!client)
			continue;
		acts[client - clients].key = key;
		scene.keys[key].side[scene.keys[key].count++] = client->side;
	}
}

static void say(struct client *client, struct act *act)
{
	uint8_t frame[FRAME_MAX];
	size_t len = 0;

	if (act->deed == JOIN)
		len = frame_write_join_relay(frame, sizeof(frame), "", 0);
	else if (act->deed == ASK)
		len = frame_write_connect(
			frame, sizeof(frame), device_id(act->target), 32);
	else if (act->deed == SESSION)
		len = frame_write_join_session(frame, sizeof(frame),
			invitations[act->key].key, invitations[act->key].len);
	sides[client->side].key = act->deed == SESSION;
	act->said = true;
	client_send(client, frame, len);
}

static bool open_here(const struct client *client)
{
	return client->tcp && !client->gone;
}

/* A client takes what has come for it, and answers.  Whether there was anything
 * to do. */
static bool act_on(struct client *client)
{
	struct act *act = &acts[client - clients];
	bool any = client->tcp->down.len > 0;

	if (any)
		client_take(client, SIZE_MAX);
	if (!act->said && (!client->ssl || client->up)) {
		say(client, act);
		return true;
	}
	if (act->deed == SESSION && sides[client->side].success && !act->paid) {
		act->paid = true;
		scene_sessions++;
		client_payload(
			client, NUMBER_LEN + scheduler_below(BYTES_MOST));
		return true;
	}
	return any;
}

static void leave(struct client *client)
{
	if (scheduler_below(2))
		client_reset(client);
	else
		client_close(client);
}

/* The server has closed what it had to say nothing more to. */
static void follow_ends(void)
{
	for (struct client *c = clients; c < clients + CLIENTS; c++)
		if (open_here(c) && c->tcp->down.len == 0 &&
			(sim_client_at_end(c->tcp) || c->tcp->server_reset))
			client_close(c);
	clients_reap();
}

static void client_turn(void)
{
	struct client *client = &clients[scheduler_below(CLIENTS)];

	for (unsigned i = 0; i < CLIENTS && !open_here(client); i++)
		client = &clients[(client - clients + 1) % CLIENTS];
	if (!open_here(client))
		return;
	if (!scene.calm && scheduler_below(60) == 0)
		leave(client);
	else
		(void)act_on(client);
}

static void begin_something(void)
{
	int target = (int)scheduler_below(TARGETS);

	if (invitation_count > scene.keys_taken && scheduler_below(2)) {
		bring_key();
	} else if (scene.joins_wanted[target]) {
		scene.joins_wanted[target]--;
		(void)come(JOIN, target, 0);
	} else if (scene.asks_begun < scene.asks_wanted) {
		(void)come(ASK, TARGETS + (int)scene.asks_begun, target);
		scene.asks_begun++;
	}
}

static void draw(void)
{
	memset(&scene, 0, sizeof(scene));
	memset(acts, 0, sizeof(acts));
	scene.calm = scheduler_below(2);
	scene.upgrades = scheduler_below(3) == 0;
	scheduler_servers(scene.upgrades ? SERVERS : 1);
	handback_open(scene.upgrades);
	/* Whom a drain sends away leaves, too. */
	scene.drains_at = scene.upgrades && !scene.calm
				  ? scheduler_below(2 * STEPS_MOST)
				  : STEPS_MOST;
	scene.asks_wanted = 1 + scheduler_below(ASKS_MOST);
	for (int i = 0; i < TARGETS; i++)
		scene.joins_wanted[i] = scene.calm ? 1 : 1 + scheduler_below(2);
}

/* Everything that there is to do at this time, in any order. */
static void settle(void)
{
	bool busy = true;

	for (unsigned round = 0; busy; round++) {
		if (round > 10000)
			sim_die("clients and server never come to rest");
		busy = scheduler_settle();
		for (struct client *c = clients; c < clients + CLIENTS; c++)
			if (open_here(c))
				busy |= act_on(c);
		while (invitation_count > scene.keys_taken) {
			bring_key();
			busy = true;
		}
		follow_ends();
	}
}

/* Of all servers. */
static int64_t metric(const char *module, const char *name, const char *value)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < SERVERS; i++) {
		relay_choose(i);
		sum += relay_metric(module, name, value);
	}
	relay_choose(OLD);
	return sum;
}

static void wait(int64_t ms)
{
	relay_wait(ms);
	relay_choose(NEW);
	relay_leap(sim_us);
	relay_choose(OLD);
	settle();
}

/* What must be true at rest. */

static void check_keys(void)
{
	for (unsigned i = 0; i < scene.keys_taken; i++) {
		unsigned accepted = 0;

		for (unsigned n = 0; n < scene.keys[i].count; n++)
			accepted += sides[scene.keys[i].side[n]].success;
		if (accepted > 1)
			sim_die("a session key is accepted twice");
		for (unsigned n = 0; n < i; n++)
			if (memcmp(invitations[n].key, invitations[i].key,
				    invitations[i].len) == 0)
				sim_die("an invitation comes twice");
	}
}

static void check_devices(void)
{
	int64_t all = 0;

	for (int device = 0; device < DEVICES; device++) {
		int registered = 0;

		for (struct client *c = clients; c < clients + CLIENTS; c++)
			registered += open_here(c) && c->ssl && c->joined &&
				      acts[c - clients].device == device;
		if (registered > 1)
			sim_die("a device is registered twice");
		all += registered;
	}
	if (metric("relay", "devices", NULL) != all)
		sim_die("%" PRId64 " devices are registered, and %" PRId64
			" have joined",
			metric("relay", "devices", NULL), all);
}

static void check_connections(void)
{
	int64_t open = metric("core", "connections", NULL);

	if (open != messages_connections())
		sim_die("%" PRId64 " connections are open, and %u have not "
			"ended",
			open, messages_connections());
	if (metric("core", "connections_accepted", NULL) !=
		open + metric("core", "connections_closed", NULL))
		sim_die("accepted connections are not those that are open and "
			"those that were closed");
}

static void check_rest(void)
{
	check_keys();
	check_devices();
	check_connections();
	handback_check_rest();
	messages_check();
	moves_check_rest();
}

/* The side that was accepted with this key; -1: none. */
static int accepted_side(unsigned key)
{
	for (unsigned n = 0; n < scene.keys[key].count; n++)
		if (sides[scene.keys[key].side[n]].success)
			return scene.keys[key].side[n];
	return -1;
}

/* Whether all has come about that must, if nobody has left. */
static const char *missing(int64_t asks_granted)
{
	if (invitation_count < 2 * (unsigned)asks_granted)
		return "an invitation is lost";
	for (unsigned i = 0; i < scene.keys_taken; i++) {
		int side = accepted_side(i);

		if (side < 0)
			return "no side was accepted with a key";
		if (sides[side].other < 0)
			return "a side of a session has got no bytes";
		if (sides[side].got != sides[sides[side].other].sent)
			return "bytes of a session are lost";
	}
	return NULL;
}

static void await_all(int64_t asks_before)
{
	int64_t granted =
		metric("relay", "connect_requests", "ok") - asks_before;
	const char *what = missing(granted);

	/* A device takes the next invitation some time after the last one. */
	for (int i = 0; what && i < TRIES_MOST; i++) {
		wait(1000);
		what = missing(granted);
	}
	if (what)
		sim_die("%s", what);
	if (invitation_count != 2 * (unsigned)granted)
		sim_die("%u invitations for %" PRId64 " requests",
			invitation_count, granted);
}

/* Who has asked for something has been answered. */
static void check_answers(void)
{
	for (struct client *c = clients; c < clients + CLIENTS; c++) {
		const struct act *act = &acts[c - clients];

		if (!open_here(c) || !act->said)
			continue;
		if (act->deed == ASK || (act->deed == JOIN && !c->joined) ||
			(act->deed == SESSION && !sides[c->side].success))
			sim_die("a client waits for an answer for ever");
	}
}

static void check_end(void)
{
	static const char *const gauges[][2] = {{"core", "connections"},
		{"core", "connections_lingering"}, {"core", "sessions"},
		{"relay", "devices"}, {"relay", "halves"},
		{"relay", "pending_keys"}, {"relay", "invitations_waiting"}};

	for (unsigned i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (metric(gauges[i][0], gauges[i][1], NULL))
			sim_die("%" PRId64 " %s when all have left",
				metric(gauges[i][0], gauges[i][1], NULL),
				gauges[i][1]);
	if (sim_count(SIM_TCP))
		sim_die("%u sockets are open when all have left",
			sim_count(SIM_TCP));
	if (messages_connections())
		sim_die("%u connections have not ended",
			messages_connections());
	handback_check_end();
	messages_check();
	moves_check_rest();
}

void scene_play(uint64_t seed)
{
	int64_t asks_before = metric("relay", "connect_requests", "ok");

	scheduler_seed(seed);
	sim_seed(seed);
	draw();
	for (unsigned step = 0; step < STEPS_MOST; step++) {
		unsigned what = scheduler_below(10);

		if (step == scene.drains_at)
			relay_drain(0);
		if (what < 6)
			scheduler_turn();
		else if (what < 9)
			client_turn();
		else
			begin_something();
		follow_ends();
	}
	settle();
	check_rest();
	if (scene.calm)
		await_all(asks_before);
	/* A device that is silent loses its place to a newer connection. */
	wait(6000);
	check_rest();
	check_answers();
	for (struct client *c = clients; c < clients + CLIENTS; c++)
		if (open_here(c))
			leave(c);
	settle();
	wait(130000);
	if (scene.drains_at < STEPS_MOST)
		relay_drain(0);
	wait(1000);
	check_end();
	clients_forget();
}
