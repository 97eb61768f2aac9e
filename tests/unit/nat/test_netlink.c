/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of routes and neighbours, with a simulated kernel. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "netlink.h"

#define ROUTES 8

/* What the kernel answers: datagrams of so many bytes, one after the other. */
static _Alignas(struct nlmsghdr) char answer[8192];
static size_t length, datagrams[4], given, received;
static bool endless, refuses;
static uint16_t asked;
static unsigned char asked_family;
static struct netlink_route routes[ROUTES];
static unsigned count;

int __wrap_socket(int family, int type, int protocol);
int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *out, size_t room, int flags);

int __wrap_socket(int family, int type, int protocol)
{
	(void)type;
	assert_int_equal(family, AF_NETLINK);
	assert_int_equal(protocol, NETLINK_ROUTE);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd;
	(void)value;
	(void)len;
	assert_int_equal(level, SOL_SOCKET);
	assert_int_equal(name, SO_RCVTIMEO);
	return 0;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg body;
	} request;

	(void)fd;
	(void)flags;
	assert_int_equal(len, sizeof(request));
	memcpy(&request, data, len);
	asked = request.head.nlmsg_type;
	asked_family = request.body.rtm_family;
	return refuses ? -1 : (ssize_t)len;
}

/* It stops waiting when there is nothing more. */
ssize_t __wrap_recv(int fd, void *out, size_t room, int flags)
{
	size_t len = given < 4 ? datagrams[given] : 0, offset = 0;

	(void)fd;
	(void)flags;
	assert_true(len <= room);
	received++;
	for (size_t i = 0; i < given; i++)
		offset += datagrams[i];
	if (!len) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(out, answer + offset, len);
	if (!endless)
		given++;
	return (ssize_t)len;
}

static int setup(void **state)
{
	(void)state;
	memset(answer, 0, sizeof(answer));
	memset(datagrams, 0, sizeof(datagrams));
	length = given = received = count = 0;
	endless = refuses = false;
	return 0;
}

static struct nlmsghdr *begin(uint16_t type, const void *body, size_t len)
{
	struct nlmsghdr *message = (void *)(answer + length);

	message->nlmsg_type = type;
	message->nlmsg_len = (uint32_t)NLMSG_SPACE(len);
	if (len)
		memcpy(NLMSG_DATA(message), body, len);
	length += message->nlmsg_len;
	return message;
}

static struct nlmsghdr *begin_route(uint8_t dst_len, uint8_t type)
{
	const struct rtmsg body = {.rtm_dst_len = dst_len, .rtm_type = type};

	return begin(RTM_NEWROUTE, &body, sizeof(body));
}

static struct nlmsghdr *begin_neighbour(int interface, uint16_t neighbour_state)
{
	const struct ndmsg body = {
		.ndm_ifindex = interface, .ndm_state = neighbour_state};

	return begin(RTM_NEWNEIGH, &body, sizeof(body));
}

static void add(struct nlmsghdr *message, unsigned short type, const void *data,
	size_t len)
{
	struct rtattr *attr = (void *)(answer + length);

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), data, len);
	length += RTA_SPACE(len);
	message->nlmsg_len += (uint32_t)RTA_SPACE(len);
}

static void add_number(
	struct nlmsghdr *message, unsigned short type, uint32_t number)
{
	add(message, type, &number, sizeof(number));
}

static void add_address(
	struct nlmsghdr *message, unsigned short type, const char *text)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		add(message, type, bytes, 4);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		add(message, type, bytes, 16);
	else
		fail();
}

static void end_datagram(void)
{
	unsigned i = 0;
	size_t before = 0;

	while (datagrams[i])
		before += datagrams[i++];
	datagrams[i] = length - before;
}

static void end_answer(void)
{
	begin(NLMSG_DONE, NULL, 0);
	end_datagram();
}

static void see(const struct netlink_route *route, void *arg)
{
	assert_ptr_equal(arg, &routes);
	assert_true(count < ROUTES);
	routes[count++] = *route;
}

static int read_routes(int family)
{
	given = 0;
	return netlink_default_routes(family, see, &routes);
}

static void assert_route(
	unsigned i, const char *gateway, uint32_t scope, uint32_t metric)
{
	char text[HOST_TEXT];

	assert_true(i < count);
	host_text(&routes[i].gateway, text);
	assert_string_equal(text, gateway);
	assert_int_equal(routes[i].gateway.scope, scope);
	assert_int_equal(routes[i].metric, metric);
}

static void default_routes_with_a_gateway_are_seen(void **state)
{
	struct nlmsghdr *route;

	(void)state;
	route = begin_route(0, RTN_UNICAST);
	add_number(route, RTA_PRIORITY, 100);
	add_address(route, RTA_GATEWAY, "192.168.1.1");
	add_number(route, RTA_OIF, 2);
	route = begin_route(0, RTN_UNICAST); /* without a gateway */
	add_number(route, RTA_OIF, 3);
	route = begin_route(24, RTN_UNICAST); /* of one network */
	add_address(route, RTA_GATEWAY, "192.168.1.2");
	route = begin_route(0, RTN_BLACKHOLE);
	add_address(route, RTA_GATEWAY, "192.168.1.3");
	end_datagram();
	begin(RTM_NEWLINK, NULL, 0);
	route = begin_route(0, RTN_UNICAST);
	add_address(route, RTA_GATEWAY, "10.0.0.1");
	end_answer();
	assert_int_equal(read_routes(AF_INET), 0);
	assert_int_equal(asked, RTM_GETROUTE);
	assert_int_equal(asked_family, AF_INET);
	assert_int_equal(count, 2);
	assert_route(0, "192.168.1.1", 0, 100);
	assert_route(1, "10.0.0.1", 0, 0);
}

static void a_link_local_gateway_is_of_its_interface(void **state)
{
	struct nlmsghdr *route = begin_route(0, RTN_UNICAST);

	(void)state;
	add_address(route, RTA_GATEWAY, "fe80::1");
	add_number(route, RTA_OIF, 7);
	end_answer();
	assert_int_equal(read_routes(AF_INET6), 0);
	assert_int_equal(asked_family, AF_INET6);
	assert_int_equal(count, 1);
	assert_route(0, "fe80::1", 7, 0);
}

/* A next hop and its gateway; returns its length. */
static size_t put_hop(char *at, int interface, const char *gateway)
{
	struct rtnexthop *hop = (void *)at;
	struct rtattr *attr = (void *)(at + sizeof(*hop));

	hop->rtnh_ifindex = interface;
	attr->rta_type = RTA_GATEWAY;
	attr->rta_len = RTA_LENGTH(16);
	assert_int_equal(inet_pton(AF_INET6, gateway, RTA_DATA(attr)), 1);
	hop->rtnh_len = (unsigned short)(sizeof(*hop) + attr->rta_len);
	return hop->rtnh_len;
}

static void each_hop_of_a_route_is_a_gateway(void **state)
{
	_Alignas(struct rtattr) char hops[128] = {0};
	struct nlmsghdr *route = begin_route(0, RTN_UNICAST);
	size_t len = put_hop(hops, 2, "fe80::2");

	(void)state;
	((struct rtnexthop *)(void *)(hops + len))->rtnh_len =
		sizeof(struct rtnexthop); /* without a gateway */
	len += sizeof(struct rtnexthop);
	len += put_hop(hops + len, 3, "fe80::3");
	add_number(route, RTA_PRIORITY, 5);
	add(route, RTA_MULTIPATH, hops, len);
	end_answer();
	assert_int_equal(read_routes(AF_INET6), 0);
	assert_int_equal(count, 2);
	assert_route(0, "fe80::2", 2, 5);
	assert_route(1, "fe80::3", 3, 5);
}

static void wrong_lengths_of_hops_end_the_route(void **state)
{
	static const unsigned short wrong[] = {0, 7, 200, 65535};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		_Alignas(struct rtattr) char hops[128] = {0};
		struct nlmsghdr *route;
		size_t len = put_hop(hops, 2, "fe80::2");

		(void)setup(state);
		route = begin_route(0, RTN_UNICAST);
		len += put_hop(hops + len, 3, "fe80::3");
		((struct rtnexthop *)(void *)(hops + len / 2))->rtnh_len =
			wrong[i];
		add(route, RTA_MULTIPATH, hops, len);
		end_answer();
		assert_int_equal(read_routes(AF_INET6), 0);
		assert_int_equal(count, 1);
	}
}

static void an_answer_without_an_end_is_an_error(void **state)
{
	struct nlmsghdr *route = begin_route(0, RTN_UNICAST);

	(void)state;
	assert_int_equal(read_routes(AF_INET), -1); /* none at all */
	add_address(route, RTA_GATEWAY, "192.168.1.1");
	end_datagram();
	assert_int_equal(read_routes(AF_INET), -1);
	assert_int_equal(count, 1);
	begin(NLMSG_ERROR, NULL, 0);
	end_datagram();
	assert_int_equal(read_routes(AF_INET), -1);
	refuses = true;
	assert_int_equal(read_routes(AF_INET), -1);
	assert_int_equal(count, 2);
}

static void an_endless_answer_has_an_end(void **state)
{
	(void)state;
	begin(RTM_NEWLINK, NULL, 0);
	end_datagram();
	endless = true;
	assert_int_equal(read_routes(AF_INET), -1);
	assert_in_range(received, 100, 10000);
}

static struct nlmsghdr *put_neighbour(
	const char *address, uint16_t neighbour_state, uint8_t link)
{
	const uint8_t bytes[NETLINK_LINK] = {
		link, link, link, link, link, link};
	struct nlmsghdr *message = begin_neighbour(4, neighbour_state);

	add_address(message, NDA_DST, address);
	add(message, NDA_LLADDR, bytes, sizeof(bytes));
	return message;
}

static int link_of(const char *address, uint32_t scope)
{
	uint8_t link[NETLINK_LINK] = {0};
	struct host host;

	given = 0;
	assert_int_equal(host_read(address, scope, &host), 0);
	return netlink_link_of(&host, link) == 0 ? link[5] : -1;
}

static void neighbours_are_known_by_their_address(void **state)
{
	struct nlmsghdr *message;

	(void)state;
	put_neighbour("192.168.1.1", NUD_REACHABLE, 1);
	put_neighbour("fe80::1", NUD_STALE, 2);
	put_neighbour("192.168.1.3", NUD_FAILED, 3);
	put_neighbour("192.168.1.4", NUD_INCOMPLETE, 4);
	message = begin_neighbour(4, NUD_REACHABLE); /* of another kind */
	add_address(message, NDA_DST, "192.168.1.5");
	add(message, NDA_LLADDR, "12345678", 8);
	message = begin_neighbour(4, NUD_REACHABLE);
	add_address(message, NDA_DST, "192.168.1.6");
	begin(RTM_NEWLINK, NULL, 0);
	end_answer();
	assert_int_equal(link_of("192.168.1.1", 0), 1);
	assert_int_equal(asked, RTM_GETNEIGH);
	assert_int_equal(asked_family, AF_INET);
	assert_int_equal(link_of("fe80::1", 4), 2);
	assert_int_equal(asked_family, AF_INET6);
	for (char last = '3'; last <= '7'; last++) {
		const char address[] = {'1', '9', '2', '.', '1', '6', '8', '.',
			'1', '.', last, '\0'};

		assert_int_equal(link_of(address, 0), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
		T(default_routes_with_a_gateway_are_seen),
		T(a_link_local_gateway_is_of_its_interface),
		T(each_hop_of_a_route_is_a_gateway),
		T(wrong_lengths_of_hops_end_the_route),
		T(an_answer_without_an_end_is_an_error),
		T(an_endless_answer_has_an_end),
		T(neighbours_are_known_by_their_address),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
