/* SPDX-License-Identifier: MPL-2.0 */

/* conf.h - the module's options. */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stdint.h>

enum what { WHAT_JOINS, WHAT_ASKS, WHAT_BOTH };

struct conf {
	const char *url, *unix_socket;
	int64_t dialect, what;
	int64_t connections, queue;
	int64_t timeout_ms, retries;
	int64_t breaker_failures, breaker_ms;
	bool fail_open;
	int64_t cache, keep_ms;
	const char *token_file, *ca_file, *client_cert, *client_key;
};

#endif
