/* SPDX-License-Identifier: MPL-2.0 */

/* Which server to try next. */

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "cluster/redis/servers.h"

static int read_port(const char *text, uint16_t *out)
{
	unsigned long port = 0;

	for (const char *at = text; *at; at++) {
		if (*at < '0' || *at > '9' || at - text > 5)
			return -1;
		port = port * 10 + (unsigned long)(*at - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return -1;
	*out = (uint16_t)port;
	return 0;
}

static bool is_plain(const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (host[i] <= ' ' || host[i] > '~' ||
			strchr("[]\"'\\,/@", host[i]))
			return false;
	return len > 0 && len < SERVERS_HOST;
}

static int read_path(
	const char *text, struct server *out, struct relay_err *err)
{
	if (strlen(text) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return relay_fail(err,
			"the path of a Unix socket is too long: %.100s", text);
	memcpy(out->host, text, strlen(text) + 1);
	return 0;
}

int server_read(const char *text, bool sentinel, struct server *out,
	struct relay_err *err)
{
	const char *host = text, *end, *port;

	*out = (struct server){.sentinel = sentinel,
		.port = sentinel ? SERVERS_PORT_SENTINEL : SERVERS_PORT};
	if (*text == '/') {
		out->port = 0;
		return read_path(text, out, err);
	}
	if (*text == '[') {
		host++;
		end = strchr(host, ']');
		port = end ? end + 1 : NULL;
	} else {
		end = strchr(text, ':');
		end = end ? end : text + strlen(text);
		port = end;
	}
	if (!end || !is_plain(host, (size_t)(end - host)) ||
		(*port && *port != ':') ||
		(*port && read_port(port + 1, &out->port) != 0))
		return relay_fail(err,
			"'%.100s' is no server; write HOST:PORT, [IPV6]:PORT "
			"or the /PATH of a Unix socket",
			text);
	memcpy(out->host, host, (size_t)(end - host));
	return 0;
}

void server_text(const struct server *server, char text[SERVERS_TEXT])
{
	bool v6 = strchr(server->host, ':') != NULL;

	if (server->port)
		(void)snprintf(text, SERVERS_TEXT, "%s%s%s:%u", v6 ? "[" : "",
			server->host, v6 ? "]" : "", (unsigned)server->port);
	else
		(void)snprintf(text, SERVERS_TEXT, "%s", server->host);
}

int servers_read(struct servers *servers, const char *const *list,
	bool sentinels, struct relay_err *err)
{
	*servers = (struct servers){.count = 0};
	for (; list && *list; list++) {
		if (servers->count == SERVERS_MOST)
			return relay_fail(
				err, "more than %d servers", SERVERS_MOST);
		if (server_read(*list, sentinels,
			    &servers->configured[servers->count], err) != 0)
			return -1;
		servers->count++;
	}
	return servers->count ? 0 : relay_fail(err, "no server is named");
}

struct server servers_next(const struct servers *servers)
{
	return servers->lead.host[0] ? servers->lead
				     : servers->configured[servers->next];
}

bool servers_failed(struct servers *servers)
{
	servers->lead.host[0] = '\0';
	servers->leads = 0;
	servers->next = (servers->next + 1) % servers->count;
	if (++servers->failed < servers->count)
		return false;
	servers->failed = 0;
	return true;
}

int servers_lead(
	struct servers *servers, const void *host, size_t len, uint64_t port)
{
	if (servers->leads == SERVERS_LEADS || !is_plain(host, len) ||
		port == 0 || port > UINT16_MAX)
		return -1;
	servers->leads++;
	servers->lead = (struct server){.port = (uint16_t)port};
	memcpy(servers->lead.host, host, len);
	return 0;
}

void servers_worked(struct servers *servers)
{
	servers->failed = 0;
	servers->leads = 0;
	/* What a Sentinel or a replica has said holds for this time only. */
	servers->lead.host[0] = '\0';
}
