/* SPDX-License-Identifier: MPL-2.0 */

/* Resolves the StatsD server's name, and connects to its address. */

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "shared/lookup.h"
#include "statsd/target.h"

#define RETRY_MS 30000

/* Name servers may change the order of several addresses at each answer. */
static bool is_still_listed(
	const struct target *target, const struct addrinfo *list)
{
	for (; list && target->fd >= 0; list = list->ai_next)
		if (target->len == list->ai_addrlen &&
			memcmp(&target->address, list->ai_addr, target->len) ==
				0)
			return true;
	return false;
}

/* Replaces the socket, unless its address is still right.  0, or -1 with errno;
 * then the old one stays. */
static int connect_to(struct target *target, const struct addrinfo *to)
{
	int fd, error;

	if (is_still_listed(target, to))
		return 0;
	if (to->ai_addrlen > sizeof(target->address)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
		error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	if (target->fd >= 0)
		(void)close(target->fd);
	target->fd = fd;
	memcpy(&target->address, to->ai_addr, to->ai_addrlen);
	target->len = to->ai_addrlen;
	return 0;
}

int target_begin(struct target *target, const char *host, const char *port,
	struct relay_err *err)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *to;
	int error;

	*target = (struct target){.host = host, .port = port, .fd = -1};
	error = getaddrinfo(host, port, &hints, &to);
	if (error == EAI_NONAME) {
		target->is_name = true;
		return 0;
	}
	if (error)
		return relay_fail(
			err, "%s, %s: %s", host, port, gai_strerror(error));
	error = connect_to(target, to);
	freeaddrinfo(to);
	if (error != 0)
		return relay_fail(
			err, "cannot send to %s: %s", host, strerror(errno));
	return 0;
}

static void take(struct relay_ctx *cx, struct target *target, int error,
	const struct addrinfo *list)
{
	bool known = target->fd >= 0;
	int before = target->fd;
	const char *why = error ? gai_strerror(error) : NULL;

	if (!error && connect_to(target, list) != 0)
		why = strerror(errno);
	if (why)
		relay_log(cx, RELAY_WARNING, "cannot look up %s: %s%s",
			target->host, why,
			known ? "; sends to the address that it had" : "");
	else if (known && target->fd != before)
		relay_log(cx, RELAY_NOTICE, "%s has another address now",
			target->host);
	target->failed = why != NULL;
}

bool target_refresh(
	struct relay_ctx *cx, struct target *target, int64_t again_ms)
{
	const struct addrinfo *list = NULL;
	int error = EAI_MEMORY;

	if (!target->is_name)
		return false;
	if (!target->lookup) {
		if (relay_now_ms(cx) < target->due_ms)
			return false;
		target->lookup =
			lookup_begin(target->host, target->port, SOCK_DGRAM);
	}
	if (target->lookup)
		error = lookup_result(target->lookup, &list);
	if (error == EAI_INPROGRESS)
		return true;
	take(cx, target, error, list);
	lookup_end(target->lookup);
	target->lookup = NULL;
	target->due_ms =
		relay_now_ms(cx) +
		(target->failed && again_ms > RETRY_MS ? RETRY_MS : again_ms);
	return false;
}

void target_finish(struct target *target)
{
	lookup_end(target->lookup);
	target->lookup = NULL;
	if (target->fd >= 0)
		(void)close(target->fd);
	target->fd = -1;
}
