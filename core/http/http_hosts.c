/* SPDX-License-Identifier: MPL-2.0 */

/* The host names that private routes accept. */

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/address.h"
#include "http/http_hosts.h"

/* Nothing, or a colon and digits (RFC 9110, 7.2; RFC 3986, 3.2.3). */
static bool is_port(const char *text)
{
	return !text[0] ||
	       (text[0] == ':' && !text[1 + strspn(text + 1, "0123456789")]);
}

/* Copies the name without port, brackets and last dot.  False: a less strict
 * parser could take it for another name or address. */
static bool take_name(const char *host, char out[ADDRESS_HOST_MAX])
{
	bool brackets = host[0] == '[';
	const char *from = host + brackets;
	size_t len = strcspn(from, brackets ? "]" : ":");
	const char *rest = from + len;

	if (brackets && *rest++ != ']')
		return false;
	if (!is_port(rest) || len >= ADDRESS_HOST_MAX)
		return false;
	if (len && !brackets && from[len - 1] == '.')
		len--;
	memcpy(out, from, len);
	out[len] = '\0';
	return len > 0;
}

static bool is_literal(const char *name, bool brackets)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(brackets ? AF_INET6 : AF_INET, name, address) == 1;
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

	if (!take_name(host, name))
		return false;
	/* Brackets are for IPv6 addresses only. */
	if (host[0] == '[')
		return is_literal(name, true);
	if (is_literal(name, false) || strcasecmp(name, "localhost") == 0 ||
		is_own(name))
		return true;
	for (; more && *more; more++)
		if (take_name(*more, other) && strcasecmp(name, other) == 0)
			return true;
	return false;
}
