/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The host names that private routes accept.  DNS rebinding: a web page lets a
 * host name of its own resolve to a private address, and so makes a browser
 * request what only the operator should see.  Such a request carries the page's
 * host name in its Host field, and is refused for that.
 */
#ifndef HTTP_HOSTS_H
#define HTTP_HOSTS_H

#include <stdbool.h>

/*
 * Whether `host`, the value of a Host field, is an IP address, localhost, a
 * name of this machine (as hostname(1) prints it, its first label, or that with
 * .local), or one of `more`, a list ended by NULL, or NULL.  A port of digits
 * does not matter, nor does case, nor a dot at the end.  An IPv6 address needs
 * brackets (RFC 3986, 3.2.2).
 */
bool http_host_allowed(const char *host, const char *const *more);

#endif
