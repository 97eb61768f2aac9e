/* SPDX-License-Identifier: MPL-2.0 */

/*
 * load.c - how fast many devices are claimed and looked up in a registry.
 *
 *   registry-load SERVER DEVICES FINDS
 *
 * The devices are numbers; the table of claims and the registry are those of
 * the module cluster.  Prints JSON: seconds until all are claimed, seconds
 * until all are claimed again as after a loss, seconds of FINDS lookups of
 * devices that nobody has, the CPU time of this process for each, and the bytes
 * it needs.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <event2/event.h>

#include "cluster/claims/claims.h"
#include "cluster/redis/redis_registry.h"

/* Lookups under way at the same time. */
#define WINDOW 256
/* After that nothing comes any more. */
#define PATIENCE_S 600

enum phase { PHASE_CONNECT, PHASE_CLAIM, PHASE_AGAIN, PHASE_FIND, PHASE_OVER };

static struct event_base *base;
static struct redis_registry *registry;
static struct claims *claims;
static enum phase phase;
static uint64_t devices, finds, asked, answered;
static double began, cpu_began;

static double seconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int64_t now_ms(void)
{
	return (int64_t)(seconds(CLOCK_MONOTONIC) * 1000);
}

static void id_of(uint64_t number, uint8_t id[REGISTRY_ID])
{
	memset(id, 0x5a, REGISTRY_ID);
	memcpy(id, &number, sizeof(number));
}

static void begin(enum phase next)
{
	phase = next;
	began = seconds(CLOCK_MONOTONIC);
	cpu_began = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void report(const char *name)
{
	printf("\"%s_s\": %.4f, \"%s_cpu_s\": %.4f, ", name,
		seconds(CLOCK_MONOTONIC) - began, name,
		seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_began);
}

static void ask_more(void)
{
	static const uint8_t message[200];
	uint8_t id[REGISTRY_ID];

	while (asked < finds && asked - answered < WINDOW) {
		id_of(UINT64_MAX - asked, id);
		if (redis_registry_ops.find(registry, id, asked + 1, message,
			    sizeof(message)) != 0)
			return;
		asked++;
	}
}

static void found(void *arg, uint64_t number, enum find_end end)
{
	(void)arg;
	(void)number;
	if (end != FIND_NOBODY) {
		fprintf(stderr, "a lookup ended with %d\n", (int)end);
		exit(1);
	}
	if (++answered < finds) {
		ask_more();
		return;
	}
	report("find");
	phase = PHASE_OVER;
	(void)event_base_loopbreak(base);
}

static void claimed(void *arg, const uint8_t *id, const struct owner *before,
	const struct owner *now)
{
	(void)arg;
	claims_claimed(claims, id, before, now, now_ms());
}

static void join_all(void)
{
	uint8_t id[REGISTRY_ID];
	struct claim_conn conn = {.worker = 0};

	begin(PHASE_CLAIM);
	for (uint64_t i = 0; i < devices; i++) {
		id_of(i, id);
		conn.conn = i + 1;
		if (claims_joined(claims, id, conn, now_ms()) != 0)
			exit(1);
	}
}

static void back(void *arg, bool whole)
{
	(void)arg;
	claims_back(claims, whole, now_ms());
	if (phase == PHASE_CONNECT)
		join_all();
}

static void away(void *arg, const char *why)
{
	(void)arg;
	fprintf(stderr, "away: %s\n", why);
	claims_away(claims, now_ms());
}

static void received(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	(void)len;
}

static void identified(void *arg, const uint8_t *id)
{
	(void)arg;
	(void)id;
}

static int claim(void *arg, const uint8_t *id, enum claim_how how,
	uint64_t epoch, uint64_t serial)
{
	(void)arg;
	return redis_registry_ops.claim(registry, id, how, epoch, serial);
}

static int release(void *arg, const uint8_t *id, uint64_t serial)
{
	(void)arg;
	return redis_registry_ops.release(registry, id, serial);
}

static void tell(void *arg, uint64_t to, const uint8_t *id, uint64_t epoch)
{
	(void)arg;
	(void)to;
	(void)id;
	(void)epoch;
}

static int probe(void *arg, const uint8_t *id, struct claim_conn conn)
{
	(void)arg;
	(void)id;
	(void)conn;
	return -1;
}

static int end(void *arg, const uint8_t *id, struct claim_conn conn)
{
	(void)probe(arg, id, conn);
	return 0;
}

static bool lives(void *arg, uint64_t incarnation)
{
	(void)arg;
	(void)incarnation;
	return false;
}

static uint64_t chance(void *arg)
{
	(void)arg;
	return ((uint64_t)rand() << 32) ^ (uint64_t)rand();
}

static void look(void)
{
	struct claims_count count;

	claims_counts(claims, &count);
	if (phase == PHASE_CLAIM && !count.unclaimed) {
		report("claim");
		begin(PHASE_AGAIN);
		claims_back(claims, false, now_ms());
	} else if (phase == PHASE_AGAIN && count.claims >= 2 * devices) {
		report("again");
		begin(PHASE_FIND);
		ask_more();
	}
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct timeval next = {.tv_sec = 0};
	int64_t ms = claims_tick(claims, now_ms());

	(void)fd;
	(void)what;
	look();
	next.tv_usec = (ms > 5 ? 5 : ms) * 1000;
	(void)event_add(arg, &next);
}

static const struct registry_calls registry_calls = {.claimed = claimed,
	.found = found,
	.received = received,
	.identified = identified,
	.back = back,
	.away = away};
static const struct claims_calls claims_calls = {
	claim, release, tell, tell, probe, end, lives, chance};

static int run(const char *server)
{
	const char *servers[] = {server, NULL};
	struct redis_settings settings = {
		.servers = servers, .name = "load", .incarnation = 1};
	struct timeval now = {0, 0}, limit = {PATIENCE_S, 0};
	struct event *timer = evtimer_new(base, tick, event_self_cbarg());
	struct relay_err err;

	claims = claims_new(1, &claims_calls, NULL);
	registry = redis_registry_open(
		base, &settings, &registry_calls, NULL, &err);
	if (!registry || !claims || !timer)
		return 1;
	printf("{");
	(void)event_add(timer, &now);
	(void)event_base_loopexit(base, &limit);
	(void)event_base_dispatch(base);
	event_free(timer);
	redis_registry_close(registry);
	claims_free(claims);
	return phase == PHASE_OVER ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int result;

	if (argc != 4) {
		fprintf(stderr, "usage: registry-load SERVER DEVICES FINDS\n");
		return 2;
	}
	devices = strtoull(argv[2], NULL, 10);
	finds = strtoull(argv[3], NULL, 10);
	base = event_base_new();
	result = base ? run(argv[1]) : 1;
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("\"most_kib\": %ld}\n", usage.ru_maxrss);
	event_base_free(base);
	return result;
}
