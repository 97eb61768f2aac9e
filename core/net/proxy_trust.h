/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Which hosts may send the header of proxy_header.h, and on which listen
 * addresses each connection must begin with it.
 */
#ifndef PROXY_TRUST_H
#define PROXY_TRUST_H

#include <stdbool.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

struct core_conf;
struct proxy_trust;

/* Reads a list of addresses and ranges: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32.
 * The caller frees it with free().  NULL with err. */
struct proxy_trust *proxy_trust_read(
	const char *const *from, struct relay_err *err);
/* Pure.  An IPv4 host on an IPv6 socket counts as IPv4. */
bool proxy_trust_has(
	const struct proxy_trust *trust, const struct sockaddr_storage *host);

/*
 * Whether the options of proxies fit each other: every word of proxy-listen is
 * one of `listen`, and there are hosts to trust if and only if there is an
 * address for proxies; the same for each section of a listener.  0, or -1 with
 * err.
 */
int proxy_trust_check(const struct core_conf *conf, struct relay_err *err);
/* Pure.  Whether the ranges have all addresses of IPv4, or all public ones of
 * IPv6, together. */
bool proxy_trust_has_all(const struct proxy_trust *trust, int family);
/* Logs a warning for each list that trusts everybody; it may be meant: only
 * proxies may be able to connect. */
void proxy_trust_warn(const struct core_conf *conf);

#endif
