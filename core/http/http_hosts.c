/* SPDX-License-Identifier: MPL-2.0 */

/* The names under which private routes may be asked for. */

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/address.h"
#include "http/http_hosts.h"

/* The name without port and last dot, or an empty one. */
static void take_name(const char *host, char out[ADDRESS_HOST_MAX])
{
	const char *from = host[0] == '[' ? host + 1 : host;
	size_t len = strcspn(from, host[0] == '[' ? "]" : ":");

	if (len && host[0] != '[' && from[len - 1] == '.')
		len--;
	if (len >= ADDRESS_HOST_MAX)
		len = 0;
	memcpy(out, from, len);
	out[len] = '\0';
}

static bool is_literal(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 ||
	       inet_pton(AF_INET6, name, address) == 1;
}

static bool is_own(const char *name)
{
	char own[HOST_NAME_MAX + sizeof(".local")];

	if (gethostname(own, HOST_NAME_MAX + 1) != 0)
		return false;
	own[HOST_NAME_MAX] = '\0';
	if (!own[0])
		return false;
	if (strcasecmp(name, own) == 0)
		return true;
	own[strcspn(own, ".")] = '\0';
	if (strcasecmp(name, own) == 0)
		return true;
	(void)strcat(own, ".local");
	return strcasecmp(name, own) == 0;
}

bool http_host_allowed(const char *host, const char *const *more)
{
	char name[ADDRESS_HOST_MAX], other[ADDRESS_HOST_MAX];

	take_name(host, name);
	if (!name[0])
		return false;
	if (is_literal(name) || strcasecmp(name, "localhost") == 0 ||
		is_own(name))
		return true;
	for (; more && *more; more++) {
		take_name(*more, other);
		if (strcasecmp(name, other) == 0)
			return true;
	}
	return false;
}
