/* SPDX-License-Identifier: MPL-2.0 */

/* Reads routes and neighbours from the kernel. */

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "netlink.h"

#define ANSWERS_MAX 1000 /* most datagrams of an answer */

typedef void message_fn(struct nlmsghdr *message, void *arg);

static int ask(int fd, uint16_t type, int family)
{
	const struct timeval patience = {.tv_sec = 1};
	struct {
		struct nlmsghdr head;
		struct rtmsg body; /* struct ndmsg begins the same */
	} request = {
		.head = {.nlmsg_len = sizeof(request),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.rtm_family = (unsigned char)family},
	};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof(patience)) != 0)
		return -1;
	return send(fd, &request, sizeof(request), 0) ==
			       (ssize_t)sizeof(request)
		       ? 0
		       : -1;
}

/* 1: end; 0: more to come; -1: error. */
static int take(char *buffer, size_t len, message_fn *each, void *arg)
{
	struct nlmsghdr *message = (void *)buffer;

	for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return -1;
		each(message, arg);
	}
	return 0;
}

static int dump(uint16_t type, int family, message_fn *each, void *arg)
{
	_Alignas(struct nlmsghdr) char buffer[16384];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int result = 0;

	if (fd < 0)
		return -1;
	if (ask(fd, type, family) != 0)
		result = -1;
	for (int i = 0; result == 0 && i < ANSWERS_MAX; i++) {
		ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

		result = got <= 0 ? -1 : take(buffer, (size_t)got, each, arg);
	}
	(void)close(fd);
	return result == 1 ? 0 : -1;
}

static void read_host(struct rtattr *attr, uint32_t scope, struct host *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_scope_id = scope};

	if (RTA_PAYLOAD(attr) == sizeof(v4.sin_addr)) {
		memcpy(&v4.sin_addr, RTA_DATA(attr), sizeof(v4.sin_addr));
		host_of((const struct sockaddr *)&v4, out);
	} else if (RTA_PAYLOAD(attr) == sizeof(v6.sin6_addr)) {
		memcpy(&v6.sin6_addr, RTA_DATA(attr), sizeof(v6.sin6_addr));
		host_of((const struct sockaddr *)&v6, out);
	}
}

static uint32_t read_number(struct rtattr *attr)
{
	uint32_t number = 0;

	if (attr && RTA_PAYLOAD(attr) == sizeof(number))
		memcpy(&number, RTA_DATA(attr), sizeof(number));
	return number;
}

/* Attributes by number; the last of equal ones counts. */
static void sort_out(
	struct rtattr *attr, size_t len, struct rtattr *out[], unsigned most)
{
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if ((attr->rta_type & NLA_TYPE_MASK) <= most)
			out[attr->rta_type & NLA_TYPE_MASK] = attr;
}

/* Routes. */

struct routes {
	void (*each)(const struct netlink_route *route, void *arg);
	void *arg;
};

static void add_hops(const struct routes *routes, struct rtattr *attr,
	struct netlink_route *route)
{
	char *at = RTA_DATA(attr);
	size_t left = RTA_PAYLOAD(attr);
	struct rtnexthop hop;

	while (left >= sizeof(hop)) {
		struct rtattr *inner[RTA_GATEWAY + 1] = {NULL};
		size_t step;

		memcpy(&hop, at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		sort_out((struct rtattr *)(at + sizeof(hop)),
			hop.rtnh_len - sizeof(hop), inner, RTA_GATEWAY);
		if (inner[RTA_GATEWAY]) {
			read_host(inner[RTA_GATEWAY],
				(uint32_t)hop.rtnh_ifindex, &route->gateway);
			routes->each(route, routes->arg);
		}
		step = ((size_t)hop.rtnh_len + RTNH_ALIGNTO - 1) /
		       RTNH_ALIGNTO * RTNH_ALIGNTO;
		if (step >= left)
			return;
		left -= step;
		at += step;
	}
}

static void see_route(struct nlmsghdr *message, void *arg)
{
	struct rtmsg *body = NLMSG_DATA(message);
	struct rtattr *attrs[RTA_MULTIPATH + 1] = {NULL};
	struct netlink_route route = {.metric = 0};

	if (message->nlmsg_type != RTM_NEWROUTE || body->rtm_dst_len != 0 ||
		body->rtm_type != RTN_UNICAST)
		return;
	sort_out(RTM_RTA(body), RTM_PAYLOAD(message), attrs, RTA_MULTIPATH);
	route.metric = read_number(attrs[RTA_PRIORITY]);
	if (attrs[RTA_MULTIPATH])
		add_hops(arg, attrs[RTA_MULTIPATH], &route);
	if (!attrs[RTA_GATEWAY])
		return;
	read_host(attrs[RTA_GATEWAY], read_number(attrs[RTA_OIF]),
		&route.gateway);
	((const struct routes *)arg)
		->each(&route, ((const struct routes *)arg)->arg);
}

int netlink_default_routes(int family,
	void (*each)(const struct netlink_route *route, void *arg), void *arg)
{
	struct routes routes = {.each = each, .arg = arg};

	return dump(RTM_GETROUTE, family, see_route, &routes);
}

/* Neighbours. */

struct neighbour {
	const struct host *host;
	uint8_t *out;
	bool found;
};

static void see_neighbour(struct nlmsghdr *message, void *arg)
{
	struct ndmsg *body = NLMSG_DATA(message);
	struct rtattr *attrs[NDA_LLADDR + 1] = {NULL};
	struct neighbour *wanted = arg;
	struct host host = {.scope = 0};

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		body->ndm_state & (NUD_INCOMPLETE | NUD_FAILED))
		return;
	sort_out((struct rtattr *)((char *)body + NLMSG_ALIGN(sizeof(*body))),
		NLMSG_PAYLOAD(message, sizeof(*body)), attrs, NDA_LLADDR);
	if (!attrs[NDA_DST] || !attrs[NDA_LLADDR] ||
		RTA_PAYLOAD(attrs[NDA_LLADDR]) != NETLINK_LINK)
		return;
	read_host(attrs[NDA_DST], (uint32_t)body->ndm_ifindex, &host);
	if (!host_same(&host, wanted->host))
		return;
	memcpy(wanted->out, RTA_DATA(attrs[NDA_LLADDR]), NETLINK_LINK);
	wanted->found = true;
}

int netlink_link_of(const struct host *host, uint8_t out[NETLINK_LINK])
{
	struct neighbour wanted = {.host = host, .out = out};
	int result = dump(RTM_GETNEIGH, host_is_v4(host) ? AF_INET : AF_INET6,
		see_neighbour, &wanted);

	return result == 0 && wanted.found ? 0 : -1;
}
