/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A set of addresses that are listened on, see listen_set.h.
 */
#ifndef LISTEN_SET_STATE_H
#define LISTEN_SET_STATE_H

#include <stdbool.h>

struct listen_address;

struct listen_set {
	/* owned array of owned addresses; see listen_address.h */
	struct listen_address **all;
	unsigned count;
	/* That of listen_set_told(0), as configured, with its real port. */
	char text[300];
};

#endif
