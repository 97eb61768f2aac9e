/* SPDX-License-Identifier: MPL-2.0 */

/* Runs one attack and reports the results. */

#include <stdio.h>
#include <stdlib.h>

#include <openssl/obj_mac.h>

#include "attacks.h"
#include "hello.h"
#include "report.h"

#define JOIN_MS 500 /* time for accomplices to join first */

/* One run of an attack: its row and its state. */
struct assault {
	struct siege *siege;
	struct attack attack;
	uint8_t *hello;
	struct gang_plan accomplice_plan;
	struct gang *accomplices, *gang;
	struct swarm *swarms[ATTACK_SWARMS];
	struct jam_counts jam;
	struct gateway *gateway;
	struct meter begin;
};

static int make_hello(struct assault *a)
{
	struct swarm_plan *plan = &a->attack.swarms[0];

	if (a->attack.hello == HELLO_NONE)
		return 0;
	if (a->attack.hello == HELLO_LARGE) {
		a->hello = hello_make_large(&plan->first_len);
	} else {
		a->hello = malloc(HELLO_MAX);
		if (a->hello)
			plan->first_len = hello_make(a->siege->bench.tls,
				a->attack.hello == HELLO_P384 ? NID_secp384r1
							      : NID_X25519,
				a->hello, HELLO_MAX);
		if (a->attack.hello == HELLO_HALF)
			plan->first_len /= 2;
	}
	plan->first = a->hello;
	return a->hello && plan->first_len ? 0 : -1;
}

static void set_scale(const struct siege *siege, size_t *open, int64_t *per_s)
{
	if (siege->open && *open)
		*open = (size_t)siege->open;
	if (siege->per_s)
		*per_s = siege->per_s;
}

static int start_swarms(struct assault *a)
{
	for (size_t i = 0; i < ATTACK_SWARMS; i++) {
		struct swarm_plan *plan = &a->attack.swarms[i];

		set_scale(a->siege, &plan->open, &plan->per_s);
		if (!plan->open)
			continue;
		a->swarms[i] = swarm_create(&a->siege->bench,
			plan->http ? &a->siege->http : &a->siege->bench.server,
			plan);
		if (!a->swarms[i])
			return -1;
	}
	return 0;
}

static int start_gangs(struct assault *a)
{
	struct gang_plan *plan = &a->attack.gang;

	set_scale(a->siege, &plan->open, &plan->per_s);
	if (a->attack.accomplices) {
		a->accomplice_plan = (struct gang_plan){.deed = DEED_JOIN,
			.open = a->attack.accomplices,
			.identities = a->attack.accomplices};
		a->accomplices = gang_create(a->siege, &a->accomplice_plan);
		if (!a->accomplices)
			return -1;
		plan->targets = a->accomplices;
		bench_run_for(&a->siege->bench, JOIN_MS);
	}
	if (plan->open) {
		a->gang = gang_create(a->siege, plan);
		if (!a->gang)
			return -1;
	}
	return 0;
}

static void report_swarms(const struct assault *a)
{
	struct swarm_counts sum = {0};

	for (size_t i = 0; i < ATTACK_SWARMS; i++) {
		const struct swarm_counts *one;

		if (!a->swarms[i])
			continue;
		one = swarm_counts(a->swarms[i]);
		sum.opened += one->opened;
		sum.ended_by_server += one->ended_by_server;
		sum.sent_bytes += one->sent_bytes;
		sum.received_bytes += one->received_bytes;
		sum.local_failures += one->local_failures;
	}
	report_count("opened", sum.opened);
	report_count("ended_by_server", sum.ended_by_server);
	report_count("sent_bytes", sum.sent_bytes);
	report_count("received_bytes", sum.received_bytes);
	report_count("local_failures", sum.local_failures);
}

static void report_gang(const struct gang_counts *counts)
{
	report_count("begun", counts->begun);
	report_count("handshakes", counts->opened);
	report_count("done", counts->done);
	report_count("refused", counts->refused);
	report_count("failed", counts->failed);
}

static void report_gateway(const struct gateway_counts *counts)
{
	report_count("searches", counts->searches);
	report_count("opened", counts->opened);
	report_count("sent_bytes", counts->sent_bytes);
}

static void report(const struct assault *a)
{
	struct meter now;

	meter_read(&now, a->siege->settings.server_pid);
	report_begin(a->attack.name);
	if (a->attack.swarms[0].open)
		report_swarms(a);
	if (a->gang)
		report_gang(gang_counts(a->gang));
	if (a->attack.jam.count) {
		report_count("sessions", a->jam.sessions);
		report_count("session_bytes", a->jam.sent_bytes);
		report_count("received_bytes", a->jam.received_bytes);
		report_count("rounds_failed", a->jam.failed);
	}
	if (a->gateway)
		report_gateway(gateway_counts(a->gateway));
	report_meters(&a->begin, &now);
	report_end(&a->siege->bench.tally);
}

static void release(struct assault *a)
{
	for (size_t i = 0; i < ATTACK_SWARMS; i++)
		swarm_destroy(a->swarms[i]);
	gang_destroy(a->gang);
	gang_destroy(a->accomplices);
	gateway_destroy(a->gateway);
	free(a->hello);
	free(a);
}

/* Making certificates takes time, and so does being found. */
static void begun(void *arg)
{
	struct assault *a = arg;

	meter_read(&a->begin, a->siege->settings.server_pid);
	puts("begun");
	fflush(stdout);
}

static int start_gateway(struct assault *a)
{
	if (!a->attack.gateway.answers)
		return 0;
	a->gateway = gateway_create(a->siege, &a->attack.gateway, begun, a);
	return a->gateway ? 0 : -1;
}

static int play(struct assault *a)
{
	struct siege *siege = a->siege;

	if (make_hello(a) || start_gangs(a) || start_swarms(a) ||
		start_gateway(a)) {
		fprintf(stderr, "relay-siege: cannot begin\n");
		return 2;
	}
	if (!a->gateway)
		begun(a);
	if (a->attack.jam.count) {
		set_scale(siege, &a->attack.jam.count, &(int64_t){0});
		jam_run(siege, &a->attack.jam, &a->jam);
	} else {
		bench_run_for(&siege->bench, siege->seconds_ms);
	}
	if (a->gateway && !gateway_counts(a->gateway)->searches)
		return 2;
	report(a);
	return 0;
}

int attack_run(struct siege *siege, const struct attack *attack)
{
	struct assault *a = calloc(1, sizeof(*a));
	int result = 2;

	if (!a)
		return 2;
	a->siege = siege;
	a->attack = *attack;
	if (attack->needs_target && !siege->target)
		fprintf(stderr, "relay-siege: %s needs --target\n",
			attack->name);
	else if (attack->gateway.answers && !siege->own.s_addr)
		fprintf(stderr, "relay-siege: %s needs --own\n", attack->name);
	else
		result = play(a);
	release(a);
	return result;
}
