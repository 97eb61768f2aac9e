/* SPDX-License-Identifier: MPL-2.0 */

/* gang.h - many devices that repeat the same action. */
#ifndef GANG_H
#define GANG_H

#include "siege.h"

/* What each device does after its TLS handshake. */
enum deed {
	DEED_NOTHING,     /* stays silent */
	DEED_LEAVE,       /* leaves at once */
	DEED_WRONG_TOKEN, /* joins with a wrong token, waits for the answer */
	DEED_CHURN,       /* joins and disconnects */
	DEED_JOIN,        /* joins and stays */
	DEED_ASK_ABSENT,  /* requests an absent device */
	DEED_ASK_DROP,    /* requests the target; ignores the invitation */
	DEED_ASK_HALF,    /* requests the target; its half sends a part of a
			     large TLS record */
	DEED_ASK_RESET,   /* the half sends all that the relay takes, resets */
	DEED_ASK_FILL,    /* the half sends all that the relay takes, stays */
	DEED_PING,        /* joins, and sends pings at full speed */
	DEED_DEAF         /* the same, and reads nothing */
};

struct gang;

struct gang_plan {
	enum deed deed;
	size_t open;       /* devices at the same time */
	int64_t per_s;     /* most starts per second; 0: no limit */
	size_t identities; /* certificates, used in turn */
	size_t more;       /* times that each is sent again in a handshake */

	/* If set, its devices are requested in turn, instead of the target. */
	const struct gang *targets; /* borrowed */
};

struct gang_counts {
	uint64_t begun;
	uint64_t opened;  /* handshakes that succeeded */
	uint64_t done;    /* completed actions */
	uint64_t refused; /* unexpected answers, and RelayFull */
	uint64_t failed;  /* connections that the server ended */
};

/*
 * Starts at once; borrows all arguments until gang_destroy().  Requests are for
 * siege->target_id.  NULL: no memory, or no certificates.
 */
struct gang *gang_create(struct siege *siege, const struct gang_plan *plan);
const struct gang_counts *gang_counts(const struct gang *gang);

/* Closes all.  NULL is allowed. */
void gang_destroy(struct gang *gang);

#endif
