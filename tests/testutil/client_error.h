/* SPDX-License-Identifier: MPL-2.0 */

/*
 * client_error.h - how the library fills a struct relay_client_error.
 */
#ifndef CLIENT_ERROR_H
#define CLIENT_ERROR_H

#include <strelaysrv/client.h>

/* Cut to fit, and what is not printable ASCII replaced by '?': texts quote what
 * strangers sent.  Pure. */
void client_error(struct relay_client_error *error,
	enum relay_client_failure failure, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
