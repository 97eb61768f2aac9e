/* SPDX-License-Identifier: MPL-2.0 */

/*
 * advertise.h - what is known of the relay's addresses besides where a client
 * came in: the list ext-address, and the ports that a gateway maps.
 *
 * told.h says which of them a client is told.
 */
#ifndef ADVERTISE_H
#define ADVERTISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <strelaysrv/err.h>

#include "relay/address/ext_address.h"

#define ADVERTISE_TEXT 64
/* Of ext-address: one for each family and some listeners. */
#define ADVERTISE_ENTRIES 16

/* A gateway sends connections to `outer` on to our port `inner`. */
struct advertise_mapped {
	uint16_t inner;
	struct told_address outer;
};

struct advertise {
	struct ext_address entries[ADVERTISE_ENTRIES];
	unsigned count;
	struct advertise_mapped v4, v6;
};

/*
 * Parses the list `ext_address`.  Resolves nothing: of a name, only the port is
 * known until ext_address_update().  0, or -1 with err.
 */
int advertise_init(struct advertise *advertise, const char *const *ext_address,
	struct relay_err *err);
/* The same with names that are checked, too.  0, or -1 with err. */
int advertise_check(const char *const *ext_address, struct relay_err *err);

/* Whether both tell every client the same. */
bool advertise_equal(const struct advertise *a, const struct advertise *b);

/* As "HOST:PORT" for a URI, ":PORT" for the unspecified address. */
void advertise_format(
	const struct told_address *address, bool v6, char out[ADVERTISE_TEXT]);

/* The host ("": none) and port that the URI names.  [C] */
void advertise_uri(const struct advertise *advertise,
	char host[EXT_ADDRESS_HOST], uint16_t *port);

#endif
