/* SPDX-License-Identifier: MPL-2.0 */

/* Listening sockets that the process was started with. */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <strelaysrv/units.h>

#include "base/address.h"
#include "base/instance.h"
#include "config/schema.h"
#include "log/log.h"
#include "net/inherited.h"
#include "net/listen_socket.h"
#include "net/net_state.h"

/* The first descriptor that systemd passes, see sd_listen_fds(3). */
#define SYSTEMD_FIRST 3
/* Each worker may have a socket for each address; two are for HTTP. */
#define MOST (256 * (64 + CORE_LISTENERS_MAX) + 2)

struct inherited {
	int fd; /* owned; -1 once taken */
	enum inherited_use use;
	bool v6only;
	struct sockaddr_storage addr;
	char name[64]; /* as the service manager calls it, if it is no use */
};

static struct inherited_sockets *self(void)
{
	return &instance->net->inherited;
}

const char *const inherited_use_words[INHERITED_USES] = {
	[INHERITED_ANY] = "any",
	[INHERITED_RELAY] = "relay",
	[INHERITED_STATUS] = "status",
	[INHERITED_PRIVATE] = "private",
};

static enum inherited_use use_of(const char *word, size_t len)
{
	for (int use = INHERITED_RELAY; use < INHERITED_USES; use++)
		if (strlen(inherited_use_words[use]) == len &&
			memcmp(word, inherited_use_words[use], len) == 0)
			return (enum inherited_use)use;
	return INHERITED_ANY;
}

static int int_option(int fd, int level, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, option, &value, &len) == 0 ? value : -1;
}

static int examine(struct inherited *one, const char *variable, int fd,
	struct relay_err *err)
{
	socklen_t len = sizeof(one->addr);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || int_option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1 ||
		int_option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
		getsockname(fd, (struct sockaddr *)&one->addr, &len) != 0 ||
		(one->addr.ss_family != AF_INET &&
			one->addr.ss_family != AF_INET6))
		return relay_fail(err,
			"%s names descriptor %d, which is no listening TCP "
			"socket",
			variable, fd);
	one->fd = fd;
	one->v6only = one->addr.ss_family == AF_INET6 &&
		      int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
		fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return relay_fail(err,
			"cannot set the flags of descriptor %d, which %s "
			"names: %s",
			fd, variable, strerror(errno));
	return 0;
}

static int add(const char *variable, int fd, const char *name, size_t len,
	struct relay_err *err)
{
	struct inherited_sockets *sockets = self();
	struct inherited *list;

	if (sockets->count >= MOST)
		return relay_fail(err, "%s names more than %d descriptors",
			variable, MOST);
	list = realloc(sockets->list, (sockets->count + 1) * sizeof(*list));
	if (!list)
		return relay_fail(err, "out of memory");
	sockets->list = list;
	list[sockets->count] =
		(struct inherited){.fd = -1, .use = use_of(name, len)};
	if (list[sockets->count].use == INHERITED_ANY)
		(void)snprintf(list[sockets->count].name,
			sizeof(list[sockets->count].name), "%.*s", (int)len,
			name);
	if (examine(&list[sockets->count], variable, fd, err) != 0)
		return -1;
	sockets->count++;
	return 0;
}

static int read_number(const char *text, int64_t most, int64_t *out)
{
	struct relay_err err;

	return relay_int_parse(text, out, &err) == 0 && *out >= 0 &&
			       *out <= most
		       ? 0
		       : -1;
}

/* `names` is a list separated by colons, or NULL.  It may be shorter than
 * `count`. */
static int read_systemd(
	const char *count, const char *names, struct relay_err *err)
{
	int64_t n;

	if (read_number(count, MOST, &n) != 0)
		return relay_fail(err,
			"LISTEN_FDS is \"%.40s\", which is no number of "
			"descriptors",
			count);
	for (int i = 0; i < (int)n; i++) {
		size_t len = names ? strcspn(names, ":") : 0;

		if (add("LISTEN_FDS", SYSTEMD_FIRST + i, names ? names : "",
			    len, err) != 0)
			return -1;
		if (names)
			names = names[len] ? names + len + 1 : NULL;
	}
	return 0;
}

static int read_own(const char *text, struct relay_err *err)
{
	while (*text) {
		size_t len = strcspn(text, ","), word = strcspn(text, ":");
		char number[16];
		int64_t fd;

		if (word >= len || len - word > sizeof(number))
			goto error;
		(void)snprintf(number, sizeof(number), "%.*s",
			(int)(len - word - 1), text + word + 1);
		if (read_number(number, INT32_MAX, &fd) != 0)
			goto error;
		if (add(INHERITED_SOCKETS, (int)fd, text, word, err))
			return -1;
		text += len + (text[len] == ',');
	}
	return 0;
error:
	return relay_fail(err,
		INHERITED_SOCKETS " has \"%.40s\" where USE:DESCRIPTOR belongs",
		text);
}

int inherited_init(struct relay_err *err)
{
	const char *pid = getenv("LISTEN_PID"),
		   *own = getenv(INHERITED_SOCKETS);
	const char *count = getenv("LISTEN_FDS");
	int64_t number;
	int result = 0;

	/* systemd's variables are meant for the process LISTEN_PID, not for its
	 * children, which inherit them. */
	if (pid && count && read_number(pid, INT32_MAX, &number) == 0 &&
		number == getpid())
		result = read_systemd(count, getenv("LISTEN_FDNAMES"), err);
	if (result == 0 && own)
		result = read_own(own, err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv(INHERITED_SOCKETS);
	return result;
}

static bool same_address(
	const struct inherited *one, const struct sockaddr_storage *addr)
{
	unsigned port = address_port(addr);

	if (one->addr.ss_family != addr->ss_family ||
		(port && port != address_port(&one->addr)))
		return false;
	if (addr->ss_family == AF_INET)
		return memcmp(&((const struct sockaddr_in *)&one->addr)
				       ->sin_addr,
			       &((const struct sockaddr_in *)addr)->sin_addr,
			       sizeof(struct in_addr)) == 0;
	return memcmp(&((const struct sockaddr_in6 *)&one->addr)->sin6_addr,
		       &((const struct sockaddr_in6 *)addr)->sin6_addr,
		       sizeof(struct in6_addr)) == 0 &&
	       ((const struct sockaddr_in6 *)&one->addr)->sin6_scope_id ==
		       ((const struct sockaddr_in6 *)addr)->sin6_scope_id;
}

static bool is_at(const struct inherited *one,
	const struct sockaddr_storage *addr, bool v6only)
{
	return same_address(one, addr) &&
	       (addr->ss_family == AF_INET || one->v6only == v6only);
}

#define SOCKET_TEXT (ADDRESS_HOST_MAX + ADDRESS_PORT_MAX)

static const char *describe(const struct inherited *one, char out[SOCKET_TEXT])
{
	char host[NI_MAXHOST] = "?";

	(void)getnameinfo((const struct sockaddr *)&one->addr,
		sizeof(one->addr), host, sizeof(host), NULL, 0, NI_NUMERICHOST);
	address_join(host, address_port(&one->addr), out, SOCKET_TEXT);
	return out;
}

static int hand_out(struct inherited *one)
{
	int fd = one->fd;

	one->fd = -1;
	return fd;
}

static bool fits(const struct inherited *one, enum inherited_use use)
{
	return one->fd >= 0 && (one->use == use || one->use == INHERITED_ANY);
}

int inherited_take(enum inherited_use use, const struct sockaddr_storage *addr,
	bool v6only)
{
	struct inherited_sockets *sockets = self();

	for (size_t i = 0; i < sockets->count; i++) {
		struct inherited *one = &sockets->list[i];

		if (fits(one, use) && is_at(one, addr, v6only))
			return hand_out(one);
	}
	return -1;
}

bool inherited_overlaps(
	enum inherited_use use, const struct listen_place *place)
{
	const struct inherited_sockets *sockets = self();

	for (size_t i = 0; i < sockets->count; i++) {
		const struct inherited *one = &sockets->list[i];
		const struct listen_place at = {
			.addr = one->addr, .v6only = one->v6only};

		if (fits(one, use) && listen_place_overlaps(&at, place))
			return true;
	}
	return false;
}

int inherited_check(const char *name, const struct listen_place *place,
	struct relay_err *err)
{
	const struct inherited_sockets *sockets = self();
	char text[SOCKET_TEXT];

	for (size_t i = 0; i < sockets->count; i++) {
		const struct inherited *one = &sockets->list[i];

		if (one->fd < 0 || strcmp(one->name, name) != 0 ||
			is_at(one, &place->addr, place->v6only))
			continue;
		return relay_fail(err,
			"the inherited socket \"%s\" is bound to %s%s, but "
			"the listener of that name has another address",
			name, describe(one, text),
			one->v6only ? " for IPv6 only" : "");
	}
	return 0;
}

int inherited_take_any(enum inherited_use use)
{
	struct inherited_sockets *sockets = self();

	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].fd >= 0 && sockets->list[i].use == use)
			return hand_out(&sockets->list[i]);
	return -1;
}

static void tell_unused(const struct inherited *one)
{
	char text[SOCKET_TEXT];

	if (one->name[0])
		log_core(RELAY_WARNING,
			"the inherited socket \"%s\" of %s is closed: no "
			"listener has that name, and the configuration has no "
			"such address",
			one->name, describe(one, text));
	else
		log_core(RELAY_WARNING,
			"the inherited socket of %s is closed: the "
			"configuration has no such address",
			describe(one, text));
}

void inherited_finish(void)
{
	struct inherited_sockets *sockets = self();

	for (size_t i = 0; i < sockets->count; i++) {
		if (sockets->list[i].fd < 0)
			continue;
		tell_unused(&sockets->list[i]);
		close(sockets->list[i].fd);
	}
	free(sockets->list);
	sockets->list = NULL;
	sockets->count = 0;
}
