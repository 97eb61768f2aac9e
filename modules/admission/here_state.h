/* SPDX-License-Identifier: MPL-2.0 */

/* here_state.h - what is kept of a device that is here. */
#ifndef HERE_STATE_H
#define HERE_STATE_H

#include <stdatomic.h>

#include <strelaysrv/module.h>

#include "shared/id_hash.h"
#include "question.h"

struct device {
	UT_hash_handle hh;
	uint8_t id[ID_LEN];
	/* With the lock held: */
	unsigned connections; /* that have asked to join */
	unsigned holders;     /* these, and sessions; 0: it has left */
	bool joined;          /* since it is known */
	bool withdrawn;       /* its invitations, since it has left */
	bool answered;        /* `question` and `answer` are set */
	bool asking;          /* again, in the background */
	int64_t again_ms;     /* when it is asked about again */
	struct question question;
	struct answer answer;
	/* Control thread: */
	bool limited; /* rate-limit knows it */
	int64_t told; /* of `bytes`, how many quota knows */
	/* Any thread: */
	_Atomic bool denied, used_up;
	_Atomic int64_t bytes; /* of its sessions, if it has a quota */
};

struct here {
	struct device *all; /* uthash, by ID */
};

/* Of each connection, and of each session. */
struct member {
	struct device *device; /* NULL: it is not counted */
	uint64_t ticket;       /* of its question that may be open; 0: none */
};
struct session_devices {
	struct device *of[2]; /* NULL: it is not known */
	bool counts[2];       /* its bytes, for a quota */
};

#endif
