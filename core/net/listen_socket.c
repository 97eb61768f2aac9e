/* SPDX-License-Identifier: MPL-2.0 */

/* Listening sockets: their addresses, how they are bound, how they stop. */

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "config/schema.h"
#include "net/listen_socket.h"
#include "log/log.h"
#include "base/rights.h"

int listen_place_resolve(const char *text, int64_t protocol,
	struct listen_place *out, struct relay_err *err)
{
	out->v6only = protocol == CORE_TCP6;
	return address_resolve(text, protocol, &out->addr, &out->len, err);
}

bool listen_place_fall_back(struct listen_place *place, const char *text,
	int64_t protocol, int error)
{
	struct listen_place v4;

	if ((error != EAFNOSUPPORT && error != EADDRNOTAVAIL) ||
		text[0] != ':' || protocol != CORE_TCP ||
		listen_place_resolve(text, CORE_TCP4, &v4, NULL) != 0)
		return false;
	*place = v4;
	return true;
}

/* Comparing addresses. */

/* An address of either family; IPv4 is in the last 4 bytes of addr. */
struct bits {
	struct in6_addr addr;
	unsigned port, scope; /* scope: of a link-local address */
	bool v4, any;
};

/* [::ffff:192.0.2.1] serves IPv4 only, as 192.0.2.1 does. */
static struct bits bits_of(const struct listen_place *place)
{
	struct sockaddr_storage at = place->addr;
	struct bits out = {.port = address_port(&at)};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	address_unmap(&at);
	if (at.ss_family == AF_INET) {
		memcpy(&v4, &at, sizeof(v4));
		out.v4 = true;
		out.any = v4.sin_addr.s_addr == htonl(INADDR_ANY);
		memcpy(&out.addr.s6_addr[12], &v4.sin_addr, 4);
	} else {
		memcpy(&v6, &at, sizeof(v6));
		out.any = IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
		out.addr = v6.sin6_addr;
		out.scope = v6.sin6_scope_id;
	}
	return out;
}

static bool same_host(const struct bits *a, const struct bits *b)
{
	return a->v4 == b->v4 && a->scope == b->scope &&
	       IN6_ARE_ADDR_EQUAL(&a->addr, &b->addr);
}

bool listen_place_same(
	const struct listen_place *a, const struct listen_place *b)
{
	struct bits x = bits_of(a), y = bits_of(b);

	return x.port == y.port && same_host(&x, &y) &&
	       (x.v4 || a->v6only == b->v6only);
}

/* [::] covers IPv4 as well, unless v6only is set. */
static bool covers(const struct listen_place *place, const struct bits *wide,
	const struct bits *other)
{
	return wide->any &&
	       (wide->v4 == other->v4 || (!wide->v4 && !place->v6only));
}

bool listen_place_overlaps(
	const struct listen_place *a, const struct listen_place *b)
{
	struct bits x = bits_of(a), y = bits_of(b);

	if (!x.port || x.port != y.port)
		return false;
	return same_host(&x, &y) || covers(a, &x, &y) || covers(b, &y, &x);
}

void listen_places_pair(struct listen_place *places,
	const struct core_listener *listeners, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct bits six = bits_of(&places[i]);

		if (six.v4 || !six.any || listeners[i].address[0] == ':')
			continue;
		for (unsigned k = 0; k < count; k++) {
			const struct bits four = bits_of(&places[k]);

			if (four.v4 && four.any && four.port == six.port)
				places[i].v6only = true;
		}
	}
}

const char *listen_text(
	const struct core_listener *listener, char out[LISTEN_TEXT])
{
	if (listener->name[0])
		(void)snprintf(out, LISTEN_TEXT, "%.100s of listener %.*s",
			listener->address, CORE_LISTENER_NAME_MAX,
			listener->name);
	else
		(void)snprintf(out, LISTEN_TEXT, "%.100s", listener->address);
	return out;
}

/* Making sockets. */

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int set_family(int fd, const struct listen_place *place)
{
	if (place->addr.ss_family != AF_INET6)
		return 0;
	return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, place->v6only);
}

static int bind_to(int fd, const struct listen_place *place)
{
	return bind(fd, (const struct sockaddr *)&place->addr, place->len);
}

int listen_socket_probe(const struct listen_place *place)
{
	int fd = socket(place->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (set_family(fd, place) != 0 ||
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 ||
		bind_to(fd, place) != 0)
		error = errno;
	close(fd);
	return error;
}

int listen_socket_bind(struct listen_place *place)
{
	int fd = socket(place->addr.ss_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -1;
	(void)set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
		set_family(fd, place) == 0 && bind_to(fd, place) == 0 &&
		getsockname(fd, (struct sockaddr *)&place->addr, &place->len) ==
			0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

bool listen_socket_shares(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &len) == 0 &&
	       value;
}

/* Where the flags are in a TCP header, and the two that show a new connection:
 * SYN is set and ACK is not. */
#define FLAGS_AT    13
#define BEGINS_MASK (TH_SYN | TH_ACK)

void listen_socket_deafen(int fd)
{
	static const struct sock_filter begins_are_dropped[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, BEGINS_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_filter code[sizeof(begins_are_dropped) /
				sizeof(begins_are_dropped[0])];
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code};

	memcpy(code, begins_are_dropped, sizeof(code));
	/* Without the filter, a client that connects just before the socket is
	 * closed may be reset. */
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		    sizeof(program)) != 0)
		log_core(RELAY_DEBUG,
			"SO_ATTACH_FILTER: %s: a client that connects just "
			"before a listening socket is closed may be reset",
			strerror(errno));
}

const char *listen_socket_advice(int error)
{
	const char *lost = rights_advice(error);

	if (*lost)
		return lost;
	if (error == EACCES)
		return "; ports below 1024 need root at the start, or "
		       "CAP_NET_BIND_SERVICE";
	if (error == EADDRINUSE)
		return "; another program has it, or this server for another "
		       "purpose";
	return "";
}
