/* SPDX-License-Identifier: MPL-2.0 */

/* relay-siege: attackers of relays, and good clients at the same time. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attacks.h"
#include "budget.h"
#include "good.h"
#include "options.h"

/* Only a few, because real devices do not change their address each time. */
#define GOOD_SOURCES 8

/* Ends the process after the loop's own limit, if the loop hangs. */
#define LAST_RESORT_S 30

static int usage(void)
{
	size_t count;
	const struct attack *attacks = attacks_all(&count);

	fprintf(stderr, "usage: relay-siege good|ATTACK --relay HOST:PORT ...\n"
			"       relay-siege list|budget\n");
	options_usage();
	fprintf(stderr, "attacks:\n");
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "  %-17s %s\n", attacks[i].name,
			attacks[i].help);
	return 2;
}

static int list(void)
{
	size_t count;
	const struct attack *attacks = attacks_all(&count);

	for (size_t i = 0; i < count; i++)
		printf("%s\t%s\t%s\n", attacks[i].name,
			attacks[i].gateway.answers ? "lan" : "relay",
			attacks[i].help);
	return 0;
}

static void stop(evutil_socket_t signal, short what, void *arg)
{
	struct siege *siege = arg;

	(void)signal;
	(void)what;
	siege->stopped = true;
	bench_stop(&siege->bench);
}

static int run(struct siege *siege, const struct attack *attack)
{
	struct event terminated;
	int result;

	if (attack)
		siege->bench.sources = siege->attackers;
	else
		siege->bench.sources.count = GOOD_SOURCES;
	evsignal_assign(&terminated, siege->bench.base, SIGTERM, stop, siege);
	if (evsignal_add(&terminated, NULL))
		return 2;
	result = attack ? attack_run(siege, attack) : good_run(siege);
	evsignal_del(&terminated);
	return result;
}

int main(int argc, char **argv)
{
	static struct siege siege;
	struct options options;
	const struct attack *attack = argc > 1 ? attacks_find(argv[1]) : NULL;
	int result = 2;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (argc == 2 && strcmp(argv[1], "budget") == 0) {
		budget_print(stdout);
		return 0;
	}
	if (argc < 2 || (!attack && strcmp(argv[1], "good") != 0))
		return usage();
	if (options_read(&options, argc - 1, argv + 1))
		return usage();
	if (options_apply(&options, &siege))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	pattern_init();
	alarm((unsigned)(siege.settings.limit_ms / 1000) + LAST_RESORT_S);
	if (!bench_init(&siege.bench, &siege.settings))
		result = run(&siege, attack);
	bench_finish(&siege.bench);
	return result;
}
