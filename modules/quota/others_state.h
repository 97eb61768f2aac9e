/* SPDX-License-Identifier: MPL-2.0 */

/* others_state.h - as whom this server counts among the nodes of a cluster. */
#ifndef OTHERS_STATE_H
#define OTHERS_STATE_H

#include <stdint.h>

#define SELF_LEN  16
#define SELF_NAME 64

/* As it is in the state file. */
struct self {
	uint8_t id[SELF_LEN];
	/* The node that made the number: a copy of its file on another machine
	 * is of another node.  "": there is no number. */
	char name[SELF_NAME];
};

#endif
