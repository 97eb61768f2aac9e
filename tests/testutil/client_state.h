/* SPDX-License-Identifier: MPL-2.0 */

/* client_state.h - the state of a client, for the files of the library. */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include <strelaysrv/client.h>

#include "client_error.h"

#define CLIENT_TOKEN_MAX 1020 /* the most that fits into a JoinRelayRequest */

struct relay_client {
	struct event_base *base; /* borrowed */
	SSL_CTX *relay_tls;      /* owned: for relays, any certificate */
	SSL_CTX *pool_tls;       /* owned: for https; NULL until needed */
	uint8_t id[RELAY_DEVICE_ID_LEN];
	struct relay_client_patience patience;
	char token[CLIENT_TOKEN_MAX + 1];
};

/* Milliseconds to a timeval.  Returns its argument, for use within calls. */
const struct timeval *client_timeval(int64_t ms, struct timeval *out);

/* Monotonic, in microseconds. */
int64_t client_now_us(void);

#endif
