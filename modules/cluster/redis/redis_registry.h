/* SPDX-License-Identifier: MPL-2.0 */

/*
 * redis_registry.h - the registry of a cluster in Redis or Valkey.  [C]
 *
 * Speaks the protocol itself (resp.h) and not by hiredis: version 0.14, that of
 * Debian 12, ends the process by abort() without memory, and by assert() after
 * a message that it does not expect, and has no TLS.
 */
#ifndef REDIS_REGISTRY_H
#define REDIS_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#include "cluster/redis/redis_counts.h"
#include "cluster/registry.h"

struct event_base;
struct redis_registry; /* opaque */

/* How long a server may take to accept, and to answer a request; defaults. */
#define REDIS_CONNECT_MS 3000
#define REDIS_ANSWER_MS  500

/* An empty text counts as NULL. */
struct redis_settings {
	/* HOST, HOST:PORT, [IPV6]:PORT or /PATH of a Unix socket; ends with
	 * NULL.  With `master` they are Sentinels that know a master by that
	 * name. */
	const char *const *servers;
	const char *master;
	const char *user; /* NULL: the password alone is sent */
	const char *password;
	int64_t database;
	bool tls;
	const char *ca_file; /* NULL: the system's certificates */
	const char *name; /* of the cluster: letters, digits, '.', '_', '-' */
	uint64_t incarnation;          /* of this process, never 0 */
	int64_t connect_ms, answer_ms; /* 0: the defaults */
	/* A level of <strelaysrv/log.h>.  May be NULL.  Gets the `arg` of
	 * redis_registry_open(). */
	void (*log)(void *arg, int level, const char *text);
};

/* Checks what does not need the network; the text names the setting.  The
 * password is not looked at, apart from its length.  0, or -1 with err. */
int redis_settings_check(
	const struct redis_settings *settings, struct relay_err *err);

/*
 * Copies the settings and begins to look for the server.  It is away until
 * calls->back; calls->away also tells that the first search has failed.  None
 * is called from here.  NULL with err: a setting is wrong, ca_file cannot be
 * read, or there is no memory.
 */
struct redis_registry *redis_registry_open(struct event_base *base,
	const struct redis_settings *settings,
	const struct registry_calls *calls, void *arg, struct relay_err *err);
/* Sends what is queued if that is possible without waiting, such as
 * lease_end() and release(), and closes.  Calls nothing.  Not from within a
 * function of registry_calls.  Accepts NULL. */
void redis_registry_close(struct redis_registry *registry);

/* `self` is the struct redis_registry. */
extern const struct registry_ops redis_registry_ops;

void redis_registry_counts(
	const struct redis_registry *registry, struct redis_counts *out);

#endif
