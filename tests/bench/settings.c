/* SPDX-License-Identifier: MPL-2.0 */

/* The table of options, and the parser of the command line. */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

enum kind {
	KIND_SWITCH,
	KIND_NUMBER,
	KIND_SECONDS, /* decimals allowed; stored in milliseconds */
	KIND_TEXT
};

#define LOAD  (COMMAND_THROUGHPUT | COMMAND_PINGPONG)
#define JOIN  (COMMAND_IDLE | COMMAND_JOINS)
#define RELAY (JOIN | COMMAND_SETUPS)
#define ALL   (LOAD | RELAY)

struct option_row {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t fallback, min, max; /* KIND_SECONDS: milliseconds */
	int commands;
	const char *help;
};

#define AT(field) offsetof(struct settings, field)

static const struct option_row rows[] = {
	{"relay", KIND_TEXT, AT(relay), 0, 0, 0, ALL,
		"HOST:PORT of the relay; HOST is an IPv4 address"},
	{"ask-relay", KIND_TEXT, AT(ask_relay), 0, 0, 0, COMMAND_SETUPS,
		"HOST:PORT of another relay of the cluster, which is asked"},
	{"connect-direct", KIND_SWITCH, AT(direct), 0, 0, 0, LOAD,
		"no relay: the limit that plain loopback sets"},
	{"tcp-port", KIND_NUMBER, AT(tcp_port), 0, 1, 65535, LOAD,
		"a plain TCP proxy listens there instead of a relay"},
	{"backend-port", KIND_NUMBER, AT(backend_port), 0, 1, 65535, LOAD,
		"where that proxy connects to: listened on by this program"},
	{"proxy-host", KIND_TEXT, AT(proxy_host), 0, 0, 0, LOAD,
		"IPv4 address of that proxy, if it is not on loopback"},
	{"own-host", KIND_TEXT, AT(own_host), 0, 0, 0, LOAD,
		"IPv4 address to listen on, if it is not that of loopback"},
	{"client-net", KIND_TEXT, AT(client_net), 0, 0, 0,
		LOAD | COMMAND_SETUPS,
		"file of the network namespace of clients"},
	{"server-net", KIND_TEXT, AT(server_net), 0, 0, 0,
		LOAD | COMMAND_SETUPS,
		"the same for the devices that they ask for"},
	{"transit-port", KIND_NUMBER, AT(transit_port), 0, 1, 65535, LOAD,
		"a transit relay of Magic Wormhole listens there"},
	{"sessions", KIND_NUMBER, AT(sessions), 1, 1, 4000, LOAD,
		"sessions at the same time"},
	{"heavy", KIND_NUMBER, AT(heavy), 0, 1, 4000, COMMAND_THROUGHPUT,
		"only so many of them carry bytes, all on one thread of the "
		"server"},
	{"spread", KIND_SWITCH, AT(spread), 0, 0, 0, COMMAND_THROUGHPUT,
		"those are on as many of its threads as there are"},
	{"both-ways", KIND_SWITCH, AT(both_ways), 0, 0, 0, COMMAND_THROUGHPUT,
		"every session carries bytes in both directions"},
	{"check", KIND_SWITCH, AT(check), 0, 0, 0, LOAD,
		"compare every byte with what was sent"},
	{"write-size", KIND_NUMBER, AT(write_size), 131072, 1, 1048576, LOAD,
		"bytes of one write in bulk"},
	{"size", KIND_NUMBER, AT(size), 64, 1, 65536, COMMAND_PINGPONG,
		"bytes of a ping"},
	{"bulk", KIND_NUMBER, AT(bulk), 0, 0, 1000, COMMAND_PINGPONG,
		"sessions with bulk load beside the measured ones"},
	{"seconds", KIND_SECONDS, AT(seconds_ms), 2000, 50, 36000000, LOAD,
		"how long to measure"},
	{"warmup", KIND_SECONDS, AT(warmup_ms), 300, 0, 60000, LOAD,
		"how long to run before measuring"},
	{"devices", KIND_NUMBER, AT(devices), 100, 0, 100000, JOIN,
		"devices that join, each with its own certificate"},
	{"silent", KIND_NUMBER, AT(silent), 0, 0, 100000, COMMAND_IDLE,
		"connections that never send a byte"},
	{"together", KIND_SWITCH, AT(together), 0, 0, 0, COMMAND_JOINS,
		"joins are sent, and timed, when all handshakes are over"},
	{"tls12", KIND_SWITCH, AT(tls12), 0, 0, 0, RELAY,
		"TLS 1.2 instead of 1.3"},
	{"p384", KIND_SWITCH, AT(p384), 0, 0, 0, RELAY,
		"devices with keys on P-384, as Syncthing's, not P-256"},
	{"token", KIND_TEXT, AT(token), 0, 0, 0, LOAD | RELAY,
		"what devices bring to join"},
	{"count", KIND_NUMBER, AT(count), 100, 1, 1000000, COMMAND_SETUPS,
		"sessions to set up"},
	{"both-at-once", KIND_SWITCH, AT(both_at_once), 0, 0, 0, COMMAND_SETUPS,
		"both sides join the session at the same instant"},
	{"parallel", KIND_NUMBER, AT(parallel), 16, 1, 20000, ALL,
		"handshakes or set-ups under way at the same time"},
	{"server-pid", KIND_NUMBER, AT(server_pid), 0, 1, INT32_MAX, ALL,
		"process whose CPU time and memory to report"},
	{"client-timeout", KIND_SECONDS, AT(client_timeout_ms), 10000, 100,
		600000, ALL, "after which a client gives up, as real ones do"},
	{"limit", KIND_SECONDS, AT(limit_ms), 60000, 100, 36000000, ALL,
		"after which the run is ended and counted as failed"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/*
 * Stores by offset with memcpy, because a cast would hide const and alignment
 * from the compiler.
 */
static void store_number(
	struct settings *s, const struct option_row *row, int64_t value)
{
	memcpy((char *)s + row->offset, &value, sizeof(value));
}

static int fail(const char *name, const char *text, const char *why)
{
	fprintf(stderr, "relay-load: --%s %s: %s\n", name, text, why);
	return -1;
}

static int read_number(
	struct settings *s, const struct option_row *row, const char *text)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || *end || errno)
		return fail(row->name, text, "not a number");
	if (row->kind == KIND_SECONDS)
		value *= 1000;
	if (value < (double)row->min || value > (double)row->max)
		return fail(row->name, text, "out of range");
	store_number(s, row, (int64_t)value);
	return 0;
}

static int read_value(
	struct settings *s, const struct option_row *row, const char *text)
{
	if (!text)
		return fail(row->name, "", "needs a value");
	if (row->kind != KIND_TEXT)
		return read_number(s, row, text);
	memcpy((char *)s + row->offset, &text, sizeof(text));
	return 0;
}

static const struct option_row *find(const char *argument, int command)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strncmp(argument, "--", 2) == 0 &&
			strcmp(argument + 2, rows[i].name) == 0 &&
			rows[i].commands & command)
			return &rows[i];
	}
	return NULL;
}

static int check(const struct settings *s)
{
	if (s->direct + (s->tcp_port > 0) + (s->transit_port > 0) +
			(s->relay != NULL) !=
		1)
		return fail("relay", "", "or another way to connect, just one");
	if (s->heavy > s->sessions || (s->spread && !s->heavy))
		return fail(
			"heavy", "", "at most --sessions; --spread needs it");
	if (!s->client_net != !s->server_net)
		return fail("client-net", "", "needs --server-net, and back");
	if ((s->tcp_port > 0) != (s->backend_port > 0))
		return fail("tcp-port", "", "needs --backend-port");
	return 0;
}

int settings_read(
	struct settings *out, enum command command, int argc, char **argv)
{
	const bool yes = true;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].kind == KIND_NUMBER || rows[i].kind == KIND_SECONDS)
			store_number(out, &rows[i], rows[i].fallback);
	}
	for (int i = 0; i < argc; i++) {
		const struct option_row *row = find(argv[i], (int)command);

		if (!row) {
			fprintf(stderr, "relay-load: no option %s here\n",
				argv[i]);
			return -1;
		}
		if (row->kind == KIND_SWITCH)
			memcpy((char *)out + row->offset, &yes, sizeof(yes));
		else if (read_value(
				 out, row, i + 1 < argc ? argv[i + 1] : NULL))
			return -1;
		else
			i++;
	}
	return check(out);
}

static void print_fallback(const struct option_row *row)
{
	if (row->kind == KIND_NUMBER && row->fallback)
		fprintf(stderr, " (%lld)", (long long)row->fallback);
	if (row->kind == KIND_SECONDS)
		fprintf(stderr, " (%g s)", (double)row->fallback / 1000);
}

void settings_usage(void)
{
	static const char *const kinds[] = {
		[KIND_SWITCH] = "",
		[KIND_NUMBER] = "N",
		[KIND_SECONDS] = "SECONDS",
		[KIND_TEXT] = "TEXT",
	};

	for (size_t i = 0; i < ROWS; i++) {
		fprintf(stderr, "  --%-15s %-8s %s", rows[i].name,
			kinds[rows[i].kind], rows[i].help);
		print_fallback(&rows[i]);
		fputc('\n', stderr);
	}
}
