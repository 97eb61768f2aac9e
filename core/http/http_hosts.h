/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The names under which private routes may be asked for.  A page in somebody's
 * browser can let a name of its own point at a private address (DNS rebinding),
 * and would read there what only the operator should see; but its requests
 * still carry that name in `Host`.
 */
#ifndef HTTP_HOSTS_H
#define HTTP_HOSTS_H

#include <stdbool.h>

/*
 * Whether `host`, the value of a Host field, is an IP address, localhost, a
 * name of this machine (as hostname(1) tells it, its first label, that with
 * .local), or one of `more`, a list ended by NULL, or NULL.  Ports do not
 * matter, nor does case, nor a dot at the end.
 */
bool http_host_allowed(const char *host, const char *const *more);

#endif
