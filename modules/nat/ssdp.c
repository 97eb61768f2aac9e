/* SPDX-License-Identifier: MPL-2.0 */

/* Searches for gateways by SSDP. */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateways.h"
#include "shared/monotonic.h"
#include "ssdp.h"

#define PORT     1900
#define TTL      2
#define AGAIN_MS 1000 /* repeat, because datagrams get lost */
/* Most answers of gateways to one search.  Those of other hosts do not count:
 * they would end the search before the gateway answers. */
#define ANSWERS_MAX 1000
#define URLS_MAX    8 /* most descriptions per search */

static const char *const groups_v4[] = {"239.255.255.250", NULL};
/* Link-local and site-local. */
static const char *const groups_v6[] = {"ff02::c", "ff05::c", NULL};

struct search {
	const struct ssdp *ssdp;
	int fd;
	struct url seen[URLS_MAX];
	unsigned answers; /* from hosts that are gateways */
	unsigned count;
	unsigned waits; /* see gateways.h */
};

static int open_socket(const struct ssdp *ssdp)
{
	const int ttl = TTL, interface = (int)ssdp->interface;
	struct sockaddr_in from = {.sin_family = AF_INET};
	int fd = socket(
		ssdp->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -1;
	if (ssdp->family == AF_INET6) {
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &ttl,
			     sizeof(ttl)) ||
		     setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &interface,
			     sizeof(interface));
	} else {
		rc = setsockopt(
			fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
		if (ssdp->local[0] &&
			inet_pton(AF_INET, ssdp->local, &from.sin_addr) == 1)
			rc = rc ||
			     setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF,
				     &from.sin_addr, sizeof(from.sin_addr)) ||
			     bind(fd, (const struct sockaddr *)&from,
				     sizeof(from));
	}
	if (rc == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void ask_at(const struct search *search, const struct host *host,
	const char *name, const char *kind)
{
	struct sockaddr_storage to;
	socklen_t to_len = host_sockaddr(host, PORT, &to);
	char text[512];
	int len = snprintf(text, sizeof(text),
		"M-SEARCH * HTTP/1.1\r\nHOST: %s:%d\r\nST: %s\r\n"
		"MAN: \"ssdp:discover\"\r\nMX: 1\r\n\r\n",
		name, PORT, kind);

	/* Errors are ignored: the search is repeated. */
	if (len > 0 && (size_t)len < sizeof(text))
		(void)sendto(search->fd, text, (size_t)len, 0,
			(const struct sockaddr *)&to, to_len);
}

static void ask_all(const struct search *search)
{
	const struct ssdp *ssdp = search->ssdp;
	const char *const *groups =
		ssdp->family == AF_INET6 ? groups_v6 : groups_v4;
	struct host host;
	char name[HOST_TEXT + 2];

	for (const char *const *kind = ssdp->kinds; *kind; kind++) {
		for (const char *const *group = groups; *group; group++) {
			(void)host_read(*group, ssdp->interface, &host);
			(void)snprintf(name, sizeof(name),
				ssdp->family == AF_INET6 ? "[%s]" : "%s",
				*group);
			ask_at(search, &host, name, *kind);
		}
		/*
		 * A unicast copy, which a flood on the multicast address does
		 * not affect.
		 */
		for (unsigned i = 0; i < ssdp->hosts->count; i++)
			if (host_is_v4(&ssdp->hosts->list[i]) ==
				(ssdp->family == AF_INET))
				ask_at(search, &ssdp->hosts->list[i],
					"239.255.255.250", *kind);
	}
}

/* Reads the header LOCATION.  0 or -1. */
static int find_location(char *text, char **out)
{
	static const char name[] = "LOCATION:";
	char *rest = text, *line;

	if (strncmp(text, "HTTP/1.", 7) != 0)
		return -1;
	while ((line = strsep(&rest, "\r\n")) != NULL) {
		if (strncasecmp(line, name, sizeof(name) - 1) != 0)
			continue;
		line += sizeof(name) - 1;
		line += strspn(line, " \t");
		line[strcspn(line, " \t")] = '\0';
		*out = line;
		return 0;
	}
	return -1;
}

/*
 * Whether the answering host is the one of the description; an IPv6 host may
 * use several addresses.
 */
static bool one_host(struct search *search, const struct host *sender,
	const struct host *host)
{
	if (host_same(sender, host))
		return true;
	return !host_is_v4(host) &&
	       gateways_include(search->ssdp->hosts, host, &search->waits);
}

static bool is_new(struct search *search, const struct url *url)
{
	for (unsigned i = 0; i < search->count; i++)
		if (host_same(&search->seen[i].host, &url->host) &&
			search->seen[i].port == url->port &&
			strcmp(search->seen[i].path, url->path) == 0)
			return false;
	if (search->count == URLS_MAX)
		return false;
	search->seen[search->count++] = *url;
	return true;
}

static bool judge(struct search *search, const struct host *sender, char *text)
{
	const struct ssdp *ssdp = search->ssdp;
	char who[HOST_TEXT], *location;
	struct url url;

	host_text(sender, who);
	if (!gateways_include(ssdp->hosts, sender, &search->waits)) {
		(void)refuse(ssdp->refusals, REFUSAL_STRANGER, NULL,
			"%s says it is a gateway, but no default route leads "
			"there",
			who);
		return false;
	}
	search->answers++;
	if (find_location(text, &location) != 0)
		return false;
	if (url_read(location, sender->scope ? sender->scope : ssdp->interface,
		    &url) != 0 ||
		!one_host(search, sender, &url.host)) {
		(void)refuse(ssdp->refusals, REFUSAL_ELSEWHERE, NULL,
			"%s names a description on another host, %.100s", who,
			location);
		return false;
	}
	return is_new(search, &url) && ssdp->each(&url, ssdp->arg);
}

/* Handles one datagram.  1: found; 0: continue; -1: none left. */
static int hear(struct search *search)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char text[2048];
	ssize_t got = recvfrom(search->fd, text, sizeof(text) - 1, 0,
		(struct sockaddr *)&from, &len);
	struct host sender;

	/* An error reports that a datagram could not be delivered: there is no
	 * gateway. */
	if (got < 0)
		return errno == EBADF ? -1 : 0;
	text[got] = '\0';
	host_of((const struct sockaddr *)&from, &sender);
	return judge(search, &sender, text);
}

static int run(struct search *search)
{
	int64_t again_ms = 0;

	while (search->answers < ANSWERS_MAX) {
		struct pollfd fd = {.fd = search->fd, .events = POLLIN};
		int64_t now = monotonic_now_ms();
		int64_t until = search->ssdp->end_ms;
		int result = 0;

		if (now >= until)
			return -1;
		if (now >= again_ms) {
			ask_all(search);
			again_ms = now + AGAIN_MS;
		}
		if (until > again_ms)
			until = again_ms;
		if (poll(&fd, 1, (int)(until - now)) > 0) {
			result = hear(search);
		}
		if (result != 0)
			return result > 0 ? 0 : -1;
	}
	return -1;
}

int ssdp_search(const struct ssdp *ssdp, struct relay_err *err)
{
	struct search search = {.ssdp = ssdp, .waits = GATEWAY_WAITS};
	int result;

	search.fd = open_socket(ssdp);
	if (search.fd < 0)
		return relay_fail(
			err, "cannot search for gateways: %s", strerror(errno));
	result = run(&search);
	(void)close(search.fd);
	return result;
}
