/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes all that gateways and impostors in the local network send: SSDP,
 * descriptions, SOAP answers, NAT-PMP, over a simulated network.
 *
 * The first byte says what is mapped and in which pieces answers arrive.  The
 * rest are answers, which lines of "%%%" separate: each datagram that is
 * awaited and each connection takes the next one.  Whatever they say, requests
 * must only go to gateways, must be whole requests, and must end in time.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "gateway.h"
#include "global.h"
#include "shared/monotonic.h"
#include "netlink.h"
#include "pmp.h"

#define FIRST_FD   100000 /* no descriptor of the process */
#define SOCKETS    8      /* at a time */
#define TIMEOUT_MS 3000
#define LONGEST_MS 60000 /* of all calls together */

/* Descriptors of the simulated network. */
static struct wire {
	bool open, datagrams, v6, answered;
	char request[2048]; /* what was sent on a connection */
	size_t request_len;
	const uint8_t *at; /* what is left of its answer */
	size_t left;
} wires[SOCKETS];

static const uint8_t *rest; /* of the input */
static size_t rest_len;
static bool rest_over;
static size_t piece;
static unsigned turns;
static int64_t now_ms;

static bool next_answer(const uint8_t **at, size_t *len)
{
	static const char separator[] = "%%%\n";
	const uint8_t *end =
		memmem(rest, rest_len, separator, sizeof(separator) - 1);

	if (rest_over)
		return false;
	*at = rest;
	*len = end ? (size_t)(end - rest) : rest_len;
	rest_over = !end;
	if (end) {
		rest += *len + sizeof(separator) - 1;
		rest_len -= *len + sizeof(separator) - 1;
	}
	return true;
}

static struct wire *wire_of(int fd)
{
	FUZZ_CHECK(fd >= FIRST_FD && fd < FIRST_FD + SOCKETS);
	FUZZ_CHECK(wires[fd - FIRST_FD].open);
	return &wires[fd - FIRST_FD];
}

int __wrap_socket(int family, int type, int protocol);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_bind(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockname(int fd, struct sockaddr *out, socklen_t *len);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
	const struct sockaddr *to, socklen_t to_len);
ssize_t __wrap_recv(int fd, void *out, size_t len, int flags);
ssize_t __wrap_recvfrom(int fd, void *out, size_t len, int flags,
	struct sockaddr *from, socklen_t *from_len);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_gettimeofday(struct timeval *out, void *zone);
unsigned __wrap_if_nametoindex(const char *name);

int __wrap_socket(int family, int type, int protocol)
{
	(void)protocol;
	for (int i = 0; i < SOCKETS; i++) {
		if (wires[i].open)
			continue;
		wires[i] = (struct wire){.open = true,
			.datagrams = (type & 0xf) == SOCK_DGRAM,
			.v6 = family == AF_INET6};
		return FIRST_FD + i;
	}
	FUZZ_CHECK(!"too many sockets");
	return -1;
}

/* A request has one line and one field of each kind: nothing of what a gateway
 * says may add another one. */
static void check_request(const struct wire *wire)
{
	unsigned lines = 0;
	const char *at = wire->request, *end;
	bool is_post = strncmp(at, "POST ", 5) == 0;

	FUZZ_CHECK(is_post || strncmp(at, "GET ", 4) == 0);
	while ((end = strstr(at, "\r\n")) != NULL && end != at) {
		FUZZ_CHECK(memchr(at, '\n', (size_t)(end - at)) == NULL);
		lines++;
		at = end + 2;
	}
	FUZZ_CHECK(end);
	FUZZ_CHECK(lines == (is_post ? 7U : 5U));
}

int __wrap_close(int fd)
{
	struct wire *wire;

	/* One of the driver's own. */
	if (fd < FIRST_FD)
		return __real_close(fd);
	wire = wire_of(fd);
	if (!wire->datagrams && wire->answered)
		check_request(wire);
	wire->open = false;
	return 0;
}

int __wrap_bind(int fd, const struct sockaddr *to, socklen_t len)
{
	(void)wire_of(fd);
	(void)to;
	(void)len;
	return 0;
}

static void check_is_gateway(const struct sockaddr *to)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (to->sa_family == AF_INET)
		(void)inet_ntop(AF_INET,
			&((const struct sockaddr_in *)to)->sin_addr, text,
			sizeof(text));
	else
		(void)inet_ntop(AF_INET6,
			&((const struct sockaddr_in6 *)to)->sin6_addr, text,
			sizeof(text));
	FUZZ_CHECK(strcmp(text, "192.0.2.1") == 0 ||
		   strcmp(text, "fe80::1") == 0 ||
		   strcmp(text, "2001:db8::1") == 0);
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct wire *wire = wire_of(fd);

	(void)len;
	check_is_gateway(to);
	if (wire->datagrams)
		return 0;
	wire->answered = next_answer(&wire->at, &wire->left);
	errno = wire->answered ? EINPROGRESS : ECONNREFUSED;
	return wire->answered && piece % 2 ? 0 : -1;
}

int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len)
{
	(void)wire_of(fd);
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	(void)wire_of(fd);
	(void)level;
	(void)name;
	memset(value, 0, *len);
	return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *out, socklen_t *len)
{
	const struct sockaddr_in own = {.sin_family = AF_INET,
		.sin_port = htons(4),
		.sin_addr.s_addr = htonl(0xc0000205)};

	(void)wire_of(fd);
	memcpy(out, &own, sizeof(own));
	*len = sizeof(own);
	return 0;
}

int __wrap_fcntl(int fd, int command, ...)
{
	(void)wire_of(fd);
	(void)command;
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	FUZZ_CHECK(n <= 1 && ms >= 0);
	turns++;
	if (n == 1) {
		struct wire *wire = wire_of(fds[0].fd);

		/* Now and then a signal, or nothing yet. */
		if (turns % 7 == 0) {
			errno = EINTR;
			return -1;
		}
		fds[0].revents = fds[0].events;
		if (!wire->datagrams || !rest_over)
			return 1;
	}
	now_ms += ms + 1;
	return 0;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	struct wire *wire = wire_of(fd);
	size_t some = len < piece * 8 ? len : piece * 8;

	(void)flags;
	if (wire->datagrams)
		return (ssize_t)len;
	if (++turns % 5 == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (some > sizeof(wire->request) - 1 - wire->request_len)
		memset(wire->request, 0, sizeof(wire->request));
	FUZZ_CHECK(some <= sizeof(wire->request) - 1 - wire->request_len);
	memcpy(wire->request + wire->request_len, data, some);
	wire->request_len += some;
	return (ssize_t)some;
}

ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags,
	const struct sockaddr *to, socklen_t to_len)
{
	(void)wire_of(fd);
	(void)data;
	(void)flags;
	(void)to;
	(void)to_len;
	return (ssize_t)len;
}

ssize_t __wrap_recv(int fd, void *out, size_t len, int flags)
{
	struct wire *wire = wire_of(fd);
	size_t some = len < piece ? len : piece;

	(void)flags;
	FUZZ_CHECK(len > 0);
	now_ms++;
	if (++turns % 6 == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (some > wire->left)
		some = wire->left;
	memcpy(out, wire->at, some);
	wire->at += some;
	wire->left -= some;
	return (ssize_t)some;
}

/* Each third datagram is a stranger's. */
ssize_t __wrap_recvfrom(int fd, void *out, size_t len, int flags,
	struct sockaddr *from, socklen_t *from_len)
{
	const struct sockaddr_in sender = {.sin_family = AF_INET,
		.sin_port = htons(5351),
		.sin_addr.s_addr =
			htonl(++turns % 3 == 0 ? 0xc0000242 : 0xc0000201)};
	const struct sockaddr_in6 sender_v6 = {.sin6_family = AF_INET6,
		.sin6_scope_id = 2,
		.sin6_addr.s6_addr = {0xfe, 0x80, [15] = 1}};
	const uint8_t *at;
	size_t some;

	(void)flags;
	FUZZ_CHECK(wire_of(fd)->datagrams);
	now_ms++;
	if (!next_answer(&at, &some)) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(from, &sender, sizeof(sender));
	*from_len = sizeof(sender);
	if (wire_of(fd)->v6) {
		memcpy(from, &sender_v6, sizeof(sender_v6));
		*from_len = sizeof(sender_v6);
	}
	if (some > len)
		some = len;
	memcpy(out, at, some);
	return (ssize_t)some;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
	(void)id;
	*out = (struct timespec){now_ms / 1000, now_ms % 1000 * 1000000};
	return 0;
}

int __wrap_gettimeofday(struct timeval *out, void *zone)
{
	(void)zone;
	*out = (struct timeval){now_ms / 1000, now_ms % 1000 * 1000};
	return 0;
}

unsigned __wrap_if_nametoindex(const char *name)
{
	(void)name;
	return 2;
}

/* The kernel's answers: those are not foreign. */

int netlink_default_routes(int family,
	void (*each)(const struct netlink_route *route, void *arg), void *arg)
{
	(void)family;
	(void)each;
	(void)arg;
	return -1;
}

int netlink_link_of(const struct host *host, uint8_t out[NETLINK_LINK])
{
	(void)host;
	(void)out;
	return -1;
}

int global_find(const char *local, struct global *out, struct relay_err *err)
{
	(void)local;
	(void)err;
	memset(out, 0, sizeof(*out));
	(void)snprintf(out->text, sizeof(out->text), "2001:db8::7");
	return 0;
}

bool global_is(const char *text)
{
	return strncmp(text, "2001:", 5) == 0;
}

/* Maps, looks twice, and removes the mapping. */
static void use(const struct gateway_ops *ops, const struct gateway_wish *wish)
{
	struct gateway *gateway = ops->create();
	struct gateway_mapping mapping = {.lease_ms = 0};
	struct relay_err err = {.text = ""};

	FUZZ_CHECK(gateway);
	if (ops->find(gateway, wish, &err) == GATEWAY_DONE) {
		enum gateway_result result =
			ops->map(gateway, wish, &mapping, &err);

		for (int i = 0; i < 2 && result == GATEWAY_DONE; i++) {
			FUZZ_CHECK(mapping.protocol && mapping.lease_ms >= 0);
			FUZZ_CHECK(mapping.outer.ss_family == AF_INET ||
				   mapping.outer.ss_family == AF_INET6);
			result = ops->check(gateway, wish, &mapping, &err);
		}
		FUZZ_CHECK(result == GATEWAY_DONE || err.text[0]);
		ops->unmap(gateway, wish);
	}
	ops->destroy(gateway);
}

/* Without the search, which would take the datagrams. */
static void use_pmp(const struct gateway_wish *wish)
{
	struct relay_err err = {.text = ""};
	struct sockaddr_in outer;
	int64_t lease_ms;

	for (int i = 0; i < 2; i++)
		if (pmp_map(TIMEOUT_MS, wish, wish->port, &outer, &lease_ms,
			    &err) == GATEWAY_DONE)
			FUZZ_CHECK(outer.sin_port && lease_ms >= 60000);
		else
			FUZZ_CHECK(err.text[0]);
	pmp_unmap(TIMEOUT_MS, wish);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct refusals refusals = {.counts = {0}};
	struct gateway_wish wish = {.port = 22067,
		.lease_ms = 3600000,
		.timeout_ms = TIMEOUT_MS,
		.random = 7,
		.refusals = &refusals};
	int64_t begun_ms = now_ms = 1000000;

	if (size == 0)
		return 0;
	for (const char *const *text = (const char *const[]){"192.0.2.1",
		     "fe80::1", "2001:db8::1", NULL};
		*text; text++)
		FUZZ_CHECK(
			host_read(*text, 2,
				&wish.gateways.list[wish.gateways.count++]) ==
			0);
	rest = data + 1;
	rest_len = size - 1;
	rest_over = false;
	piece = 1 + (size_t)(data[0] >> 2);
	turns = data[0];
	if (data[0] & 2)
		use_pmp(&wish);
	else
		use(data[0] & 1 ? &gateway_pinhole : &gateway_port, &wish);
	for (int i = 0; i < SOCKETS; i++)
		FUZZ_CHECK(!wires[i].open);
	FUZZ_CHECK(now_ms - begun_ms <= LONGEST_MS);
	return 0;
}
