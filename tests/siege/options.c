/* SPDX-License-Identifier: MPL-2.0 */

/* Options, translated for the load generator's code. */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define LIMIT_BEYOND_MS                                                        \
	120000 /* of a run whose loop does not end by itself                   \
		*/

static const struct row {
	const char *name, *help;
	size_t offset;
	enum { TEXT, NUMBER, SECONDS } kind;
	int64_t fallback;
} rows[] = {
	{"relay", "HOST:PORT of the relay", offsetof(struct options, relay),
		TEXT, 0},
	{"http", "HOST:PORT of its status address",
		offsetof(struct options, http), TEXT, 0},
	{"target", "ID of a device to ask for, in hex",
		offsetof(struct options, target), TEXT, 0},
	{"path", "what good clients scrape; none without it",
		offsetof(struct options, path), TEXT, 0},
	{"token", "what devices bring to join", offsetof(struct options, token),
		TEXT, 0},
	{"own", "address at which a gateway-... or lan-... attack answers",
		offsetof(struct options, own), TEXT, 0},
	{"seconds", "how long", offsetof(struct options, seconds_ms), SECONDS,
		3000},
	{"open", "connections at a time, not the attack's own number",
		offsetof(struct options, open), NUMBER, 0},
	{"per-second", "begun per second at most, instead",
		offsetof(struct options, per_s), NUMBER, 0},
	{"sources", "addresses that attackers come from",
		offsetof(struct options, sources), NUMBER, 64},
	{"server-pid", "process whose CPU time and memory to report",
		offsetof(struct options, server_pid), NUMBER, 0},
	{"patience", "after which a good client gives up",
		offsetof(struct options, patience_ms), SECONDS, 10000},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void store(struct options *out, const struct row *row, int64_t value)
{
	memcpy((char *)out + row->offset, &value, sizeof(value));
}

static int read_value(
	struct options *out, const struct row *row, const char *text)
{
	char *end;
	double value;

	if (row->kind == TEXT) {
		memcpy((char *)out + row->offset, &text, sizeof(text));
		return 0;
	}
	errno = 0;
	value = strtod(text, &end);
	if (end == text || *end || errno || value < 0 || value > 1e9) {
		fprintf(stderr, "relay-siege: --%s %s: no such number\n",
			row->name, text);
		return -1;
	}
	store(out, row, (int64_t)(row->kind == SECONDS ? value * 1000 : value));
	return 0;
}

int options_read(struct options *out, int argc, char **argv)
{
	struct option names[ROWS + 1];
	int which = 0;

	memset(out, 0, sizeof(*out));
	memset(names, 0, sizeof(names));
	for (size_t i = 0; i < ROWS; i++) {
		names[i].name = rows[i].name;
		names[i].has_arg = required_argument;
		if (rows[i].kind != TEXT)
			store(out, &rows[i], rows[i].fallback);
	}
	for (;;) {
		int c = getopt_long(argc, argv, "", names, &which);

		if (c == -1)
			return optind == argc ? 0 : -1;
		if (c || read_value(out, &rows[which], optarg))
			return -1;
	}
}

void options_usage(void)
{
	for (size_t i = 0; i < ROWS; i++)
		fprintf(stderr, "  --%-12s %s\n", rows[i].name, rows[i].help);
}

static int read_id(struct siege *siege, const char *text)
{
	if (strlen(text) != 2 * sizeof(siege->target_id))
		return -1;
	for (size_t i = 0; i < sizeof(siege->target_id); i++) {
		unsigned value;

		if (sscanf(text + 2 * i, "%2x", &value) != 1)
			return -1;
		siege->target_id[i] = (uint8_t)value;
	}
	siege->target = siege->target_id;
	return 0;
}

int options_apply(const struct options *options, struct siege *siege)
{
	if (!options->relay || !options->sources) {
		fprintf(stderr, "relay-siege: --relay is missing\n");
		return -1;
	}
	if (options->target && read_id(siege, options->target)) {
		fprintf(stderr, "relay-siege: --target is no ID\n");
		return -1;
	}
	if (options->http &&
		bench_read_address(&siege->http, "http", options->http))
		return -1;
	if (options->own &&
		inet_pton(AF_INET, options->own, &siege->own) != 1) {
		fprintf(stderr, "relay-siege: --own is not an IPv4 address\n");
		return -1;
	}
	siege->attackers = (struct sources){
		SIEGE_FIRST_SOURCE, (unsigned)options->sources};
	siege->seconds_ms = options->seconds_ms;
	siege->open = options->open;
	siege->per_s = options->per_s;
	siege->path = options->http ? options->path : NULL;
	siege->settings.relay = options->relay;
	siege->settings.token = options->token;
	siege->settings.server_pid = options->server_pid;
	siege->settings.parallel = 16;
	siege->settings.client_timeout_ms = options->patience_ms;
	siege->settings.limit_ms = options->seconds_ms + LIMIT_BEYOND_MS;
	return 0;
}
