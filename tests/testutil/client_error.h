/* SPDX-License-Identifier: MPL-2.0 */

/*
 * client_error.h - how the library fills a struct relay_client_error.
 */
#ifndef CLIENT_ERROR_H
#define CLIENT_ERROR_H

#include <strelaysrv/client.h>

/*
 * Truncates to fit and replaces all but printable ASCII by '?', because texts
 * quote data from strangers.  Pure.
 */
void client_error(struct relay_client_error *error,
	enum relay_client_failure failure, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
