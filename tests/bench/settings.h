/* SPDX-License-Identifier: MPL-2.0 */

/* settings.h - the command line of the load generator. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Options that a subcommand does not use are refused, so that a wrong command
 * line never produces figures.
 */
struct settings {
	const char *relay;     /* borrowed from argv: "127.0.0.1:22067" */
	const char *ask_relay; /* the same for requests; NULL: relay */
	bool direct;           /* no relay: plain loopback connections */
	int64_t tcp_port;      /* port of a plain TCP proxy; 0: none */
	int64_t backend_port;
	const char *proxy_host; /* an IPv4 address; NULL: loopback */
	const char *own_host;   /* where this program listens; NULL: loopback */
	const char *client_net; /* file of a network namespace; NULL: our own */
	const char *server_net;
	int64_t transit_port; /* of a transit relay of Magic Wormhole; 0: none
			       */
	int64_t sessions;
	int64_t heavy; /* of the sessions; 0: all */
	bool spread;
	bool both_ways;
	bool check;
	int64_t write_size;
	int64_t size;
	int64_t bulk;
	int64_t seconds_ms;
	int64_t warmup_ms;
	int64_t devices;
	int64_t silent;
	bool together;
	bool tls12;
	bool p384;
	const char *token; /* for joins; NULL: none */
	int64_t parallel;
	int64_t count;
	bool both_at_once;
	int64_t server_pid; /* 0: none */
	int64_t limit_ms;
	int64_t client_timeout_ms;
};

/* The first argument: the subcommand. */
enum command {
	COMMAND_THROUGHPUT = 1,
	COMMAND_PINGPONG = 2,
	COMMAND_IDLE = 4,
	COMMAND_JOINS = 8,
	COMMAND_SETUPS = 16
};

/* Returns 0, or -1 with the error on stderr. */
int settings_read(
	struct settings *out, enum command command, int argc, char **argv);

/* Writes all options with their defaults to stderr. */
void settings_usage(void);

#endif
