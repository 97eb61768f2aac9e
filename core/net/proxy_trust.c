/* SPDX-License-Identifier: MPL-2.0 */

/* Which hosts may send the header of the PROXY protocol. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "config/schema.h"
#include "log/log.h"
#include "net/proxy_trust.h"

/*
 * A module has a set of ranges for thousands of them (modules/shared/ranges.h).
 * This room can use nothing of a module's, and a list of proxies is short.
 */

#define BITS 128

struct range {
	uint8_t begins[16]; /* IPv4 as ::ffff:a.b.c.d */
	int bits;           /* how many of them count */
};

struct proxy_trust {
	size_t count;
	struct range ranges[];
};

static void map(const struct in_addr *v4, uint8_t out[16])
{
	memset(out, 0, 16);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, v4, 4);
}

static bool is_mapped(const uint8_t addr[16])
{
	struct in6_addr v6;

	memcpy(&v6, addr, sizeof(v6));
	return IN6_IS_ADDR_V4MAPPED(&v6);
}

/* The number after the slash, or `most` if there is none; -1: it is wrong. */
static int read_bits(const char *slash, int most)
{
	size_t digits = slash ? strspn(slash + 1, "0123456789") : 0;
	int bits;

	if (!slash)
		return most;
	if (digits == 0 || digits > 3 || slash[1 + digits])
		return -1;
	bits = atoi(slash + 1);
	return bits <= most ? bits : -1;
}

static int read_range(
	const char *text, struct range *out, struct relay_err *err)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN] = "";
	struct in_addr v4;
	int bits;

	if (len < sizeof(host))
		memcpy(host, text, len);
	if (inet_pton(AF_INET, host, &v4) == 1) {
		map(&v4, out->begins);
		bits = read_bits(slash, 32);
		out->bits = BITS - 32 + bits;
	} else if (inet_pton(AF_INET6, host, out->begins) == 1) {
		bits = read_bits(slash, BITS);
		/* Fewer bits would be more than IPv4. */
		if (is_mapped(out->begins) && bits < BITS - 32)
			bits = -1;
		out->bits = bits;
	} else {
		bits = -1;
	}
	if (bits >= 0)
		return 0;
	return relay_fail(err,
		"proxy-from: \"%.80s\" is no address or range; write "
		"192.0.2.1, "
		"192.0.2.0/24 or 2001:db8::/32",
		text);
}

struct proxy_trust *proxy_trust_read(
	const char *const *from, struct relay_err *err)
{
	struct proxy_trust *trust;
	size_t count = 0;

	while (from[count])
		count++;
	trust = malloc(sizeof(*trust) + count * sizeof(*trust->ranges));
	if (!trust) {
		relay_fail(err, "out of memory");
		return NULL;
	}
	trust->count = count;
	for (size_t i = 0; i < count; i++)
		if (read_range(from[i], &trust->ranges[i], err) != 0) {
			free(trust);
			return NULL;
		}
	return trust;
}

static bool begins_with(const uint8_t address[16], const struct range *range)
{
	size_t whole = (size_t)range->bits / 8;
	int rest = range->bits % 8;

	if (memcmp(address, range->begins, whole) != 0)
		return false;
	return rest == 0 ||
	       (address[whole] ^ range->begins[whole]) >> (8 - rest) == 0;
}

bool proxy_trust_has(
	const struct proxy_trust *trust, const struct sockaddr_storage *host)
{
	const struct sockaddr_in6 *v6 = (const void *)host;
	const struct sockaddr_in *v4 = (const void *)host;
	uint8_t address[16];

	if (host->ss_family == AF_INET)
		map(&v4->sin_addr, address);
	else if (host->ss_family == AF_INET6)
		memcpy(address, &v6->sin6_addr, sizeof(address));
	else
		return false;
	for (size_t i = 0; i < trust->count; i++)
		if (begins_with(address, &trust->ranges[i]))
			return true;
	return false;
}

/* The address after the last one of the range that `address` is in; false: that
 * was the last of all. */
static bool skip(uint8_t address[16], const struct range *range)
{
	int at = range->bits - 1;

	for (int bit = range->bits; bit < BITS; bit++)
		address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	/* Adds 1 to the bits that count. */
	while (at >= 0 && address[at / 8] & 0x80 >> at % 8) {
		address[at / 8] &= (uint8_t) ~(0x80 >> at % 8);
		at--;
	}
	if (at >= 0)
		address[at / 8] |= (uint8_t)(0x80 >> at % 8);
	return at >= 0;
}

bool proxy_trust_has_all(const struct proxy_trust *trust, int family)
{
	/* Of IPv6, those that public addresses come from. */
	struct range all = {.begins = {0x20}, .bits = 3};
	uint8_t address[16];
	bool goes_on = true;
	size_t i = 0;

	if (family == AF_INET) {
		map(&(struct in_addr){.s_addr = 0}, all.begins);
		all.bits = 96;
	}
	memcpy(address, all.begins, sizeof(address));
	/* From the first address on, each step passes one range at least. */
	while (goes_on && begins_with(address, &all) && i < trust->count) {
		for (i = 0; i < trust->count; i++)
			if (begins_with(address, &trust->ranges[i]))
				break;
		if (i < trust->count)
			goes_on = skip(address, &trust->ranges[i]);
	}
	return !goes_on || !begins_with(address, &all);
}

/* The network of a range, as 10.0.0.0 for 10.0.0.1/8; "": the text names that
 * one. */
static void find_network(const struct range *range, char out[INET6_ADDRSTRLEN])
{
	bool v4 = is_mapped(range->begins) && range->bits >= BITS - 32;
	struct range network = *range;

	for (int bit = range->bits; bit < BITS; bit++)
		network.begins[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	out[0] = '\0';
	if (memcmp(network.begins, range->begins, sizeof(range->begins)) != 0)
		(void)inet_ntop(v4 ? AF_INET : AF_INET6,
			network.begins + (v4 ? 12 : 0), out, INET6_ADDRSTRLEN);
}

static void warn_of_host_bits(const char *name, const char *const *from,
	const struct proxy_trust *trust)
{
	char network[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < trust->count; i++) {
		find_network(&trust->ranges[i], network);
		if (network[0])
			log_core(RELAY_WARNING,
				"%s%s%sproxy-from: %.80s trusts all of %s%s; "
				"name that, or the address alone",
				name[0] ? "listener " : "", name,
				name[0] ? ": " : "", from[i], network,
				strchr(from[i], '/'));
	}
}

static void warn_of(const char *name, const char *const *from)
{
	struct proxy_trust *trust = proxy_trust_read(from, NULL);

	if (trust)
		warn_of_host_bits(name, from, trust);
	if (trust && (proxy_trust_has_all(trust, AF_INET) ||
			     proxy_trust_has_all(trust, AF_INET6)))
		log_core(RELAY_WARNING,
			"%s%s%sproxy-from has all public addresses of a "
			"family: "
			"whoever can connect there can pass for any client; "
			"name the proxies, or see that a firewall lets only "
			"them connect",
			name[0] ? "listener " : "", name, name[0] ? ": " : "");
	free(trust);
}

void proxy_trust_warn(const struct core_conf *conf)
{
	warn_of("", conf->proxy_from);
	for (size_t i = 0; i < conf->listener_count; i++)
		if (conf->listeners[i].proxied &&
			conf->listeners[i].proxy_from != conf->proxy_from)
			warn_of(conf->listeners[i].name,
				conf->listeners[i].proxy_from);
}

static int section_fail(
	const struct core_listener *one, const char *why, struct relay_err *err)
{
	return relay_fail(
		err, "%s: listener %s: %s", one->origin, one->name, why);
}

static int check_section(const struct core_conf *conf,
	const struct core_listener *one, struct relay_err *err)
{
	bool own = one->proxy_from != conf->proxy_from && one->proxy_from[0];
	struct relay_err why;
	struct proxy_trust *trust = proxy_trust_read(one->proxy_from, &why);

	free(trust);
	if (!trust)
		return section_fail(one, why.text, err);
	if (one->proxied && !one->proxy_from[0])
		return section_fail(one,
			"proxy = yes needs proxy-from, the addresses of the "
			"proxies: any other host could say that it is another",
			err);
	if (own && !one->proxied)
		return section_fail(one, "proxy-from needs proxy = yes", err);
	return 0;
}

/* Also says whether any listener uses the proxy-from of the top level. */
static int check_sections(
	const struct core_conf *conf, bool *used, struct relay_err *err)
{
	*used = false;
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct core_listener *one = &conf->listeners[i];

		*used |= one->proxied && one->proxy_from == conf->proxy_from;
		if (one->name[0] && check_section(conf, one, err) != 0)
			return -1;
	}
	return 0;
}

int proxy_trust_check(const struct core_conf *conf, struct relay_err *err)
{
	struct proxy_trust *trust = proxy_trust_read(conf->proxy_from, err);
	bool used;

	free(trust);
	if (!trust || check_sections(conf, &used, err) != 0)
		return -1;
	for (const char *const *one = conf->proxy_listen; *one; one++)
		if (!option_list_has(conf->listen, *one))
			return relay_fail(err,
				"proxy-listen: \"%.100s\" is no address of "
				"listen; both must be written alike",
				*one);
	if (conf->proxy_listen[0] && !conf->proxy_from[0])
		return relay_fail(err,
			"proxy-listen needs proxy-from, the addresses of the "
			"proxies: any other host could say that it is another");
	if (conf->proxy_from[0] && !used)
		return relay_fail(err,
			"proxy-from needs proxy-listen, the addresses of "
			"listen to which the proxies connect");
	return 0;
}
