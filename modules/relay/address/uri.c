/* SPDX-License-Identifier: MPL-2.0 */

/* The relay:// URI. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <strelaysrv/query.h>
#include <strelaysrv/units.h>

#include "relay/address/uri.h"

#define HOST_MAX  253 /* of a DNS name, the longest kind of host */
#define NS_PER_MS 1000000

struct text {
	char *out;
	size_t at;
	size_t cap;
	bool full;
	bool in_query;
};

static void append(struct text *t, const char *s)
{
	size_t len = strlen(s);

	if (t->full || len >= t->cap - t->at) {
		t->full = true;
		return;
	}
	memcpy(t->out + t->at, s, len + 1);
	t->at += len;
}

static void append_escaped(struct text *t, const char *s)
{
	size_t len;

	if (t->full)
		return;
	len = relay_query_escape(s, t->out + t->at, t->cap - t->at);
	if (len >= t->cap - t->at)
		t->full = true;
	else
		t->at += len;
}

static void append_field(struct text *t, const char *key, const char *value)
{
	append(t, t->in_query ? "&" : "?");
	append(t, key);
	append(t, "=");
	append_escaped(t, value);
	t->in_query = true;
}

static void append_rate(struct text *t, const char *key, int64_t bytes_per_s)
{
	char number[24];

	if (bytes_per_s <= 0)
		return;
	(void)snprintf(number, sizeof(number), "%" PRId64, bytes_per_s);
	append_field(t, key, number);
}

static void append_duration(struct text *t, const char *key, int64_t ms)
{
	char duration[RELAY_DURATION_TEXT];

	relay_duration_format(ms * NS_PER_MS, duration);
	append_field(t, key, duration);
}

static bool is_set(const char *s)
{
	return s && *s;
}

/* A name or an IPv4 address.  Some valid names contain underscores. */
static int check_name(const char *name, struct relay_err *err)
{
	for (const char *p = name; *p; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9') || strchr("-._", *p))
			continue;
		return relay_fail(err,
			"\"%.100s\" is neither a host name nor an IP address",
			name);
	}
	return 0;
}

/* Writes host in URI form to out; "" if it is the unspecified address. */
static int spell_host(
	const char *host, char out[HOST_MAX + 3], struct relay_err *err)
{
	char bare[HOST_MAX + 1], v6_text[INET6_ADDRSTRLEN];
	size_t len = strnlen(host, HOST_MAX + 3);
	struct in6_addr v6;

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len > HOST_MAX)
		return relay_fail(err,
			"the host name has more than %d characters", HOST_MAX);
	memcpy(bare, host, len);
	bare[len] = '\0';
	out[0] = '\0';
	/* A zone is only valid on this machine. */
	if (memchr(bare, ':', len))
		bare[strcspn(bare, "%")] = '\0';
	if (inet_pton(AF_INET6, bare, &v6) != 1) {
		if (strcmp(bare, "0.0.0.0") == 0)
			return 0;
		(void)snprintf(out, HOST_MAX + 3, "%s", bare);
		return check_name(bare, err);
	}
	if (IN6_IS_ADDR_UNSPECIFIED(&v6))
		return 0;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		(void)inet_ntop(AF_INET, &v6.s6_addr[12], out, HOST_MAX + 3);
		return 0;
	}
	(void)inet_ntop(AF_INET6, &v6, v6_text, sizeof(v6_text));
	(void)snprintf(out, HOST_MAX + 3, "[%s]", v6_text);
	return 0;
}

int uri_check_host(const char *host, struct relay_err *err)
{
	char out[HOST_MAX + 3];

	return spell_host(host, out, err);
}

static int check_duration(const char *what, int64_t ms, struct relay_err *err)
{
	if (ms < 0 || ms > INT64_MAX / NS_PER_MS)
		return relay_fail(err,
			"a %s of %" PRId64 " ms cannot be written in the URI",
			what, ms);
	return 0;
}

int uri_format(
	const struct uri *uri, char *out, size_t cap, struct relay_err *err)
{
	struct text t = {out, 0, cap, cap == 0, false};
	char host[HOST_MAX + 3], port[8];

	if (cap)
		out[0] = '\0';
	if (spell_host(uri->host ? uri->host : "", host, err) ||
		check_duration(
			"network-timeout", uri->network_timeout_ms, err) ||
		check_duration("ping-interval", uri->ping_interval_ms, err))
		return -1;
	(void)snprintf(port, sizeof(port), ":%u/", (unsigned)uri->port);

	append(&t, "relay://");
	append(&t, host[0] ? host : "0.0.0.0");
	append(&t, port);
	/* Go writes queries sorted by key: this order is part of the format. */
	append_rate(&t, "globalLimitBps", uri->global_limit);
	if (is_set(uri->id))
		append_field(&t, "id", uri->id);
	append_duration(&t, "networkTimeout", uri->network_timeout_ms);
	append_duration(&t, "pingInterval", uri->ping_interval_ms);
	if (is_set(uri->provided_by))
		append_field(&t, "providedBy", uri->provided_by);
	append_rate(&t, "sessionLimitBps", uri->session_limit);
	if (is_set(uri->status_addr))
		append_field(&t, "statusAddr", uri->status_addr);
	if (!t.full)
		return 0;
	if (cap)
		out[0] = '\0';
	return relay_fail(
		err, "the relay's URI has more than %zu characters", cap);
}
