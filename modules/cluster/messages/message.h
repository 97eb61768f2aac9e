/* SPDX-License-Identifier: MPL-2.0 */

/*
 * message.h - messages between the nodes of a cluster, as values.
 *
 * On the wire (see seal.h for the frame around it) integers are big-endian and
 * each field has a fixed size; unused bytes are 0.  There is one way to write a
 * value, so what was read is written as the same bytes.
 *
 * What is longer than expected comes from a newer version: the rest is ignored.
 * What is shorter, or has a value that is not listed here, is malformed.  So a
 * newer version keeps each field with its values, and adds fields at the end.
 * It reads their absence as 0.
 */
#ifndef CLUSTER_MESSAGE_H
#define CLUSTER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_ID   32
#define MESSAGE_NAME 64
/* The most bytes of a message with its seal. */
#define MESSAGE_MOST 512

enum message_type {
	MESSAGE_LEASE = 1, /* a node lives: to all, and as an answer to HELLO */
	MESSAGE_HELLO = 2, /* asks a node for its lease, which proves that it
			      is not an old message */
	MESSAGE_GOODBYE = 3, /* the sender's lease is over, for ever */
	MESSAGE_ASK = 4,     /* to the owner: invite your device for an asker */
	MESSAGE_ANSWER = 5,  /* to the asker's node */
	MESSAGE_PREPARE = 6, /* hold a session; ANSWER or PREPARED follows */
	MESSAGE_PREPARED = 7, /* to the owner: its keys */
	MESSAGE_CLAIMED = 8,  /* to the former owner: the device joined here */
	MESSAGE_ALIVE = 9,    /* to who sent CLAIMED: the former connection
				 lives, end yours */
	MESSAGE_TYPES
};

/* An address with its port; len 0: none, and then the port is 0. */
struct message_place {
	uint8_t address[16]; /* IPv4: its first 4 bytes */
	uint8_t len;         /* 0, 4 or 16 */
	uint16_t port;       /* in host order */
};

enum node_state { NODE_OPEN, NODE_CLOSED, NODE_DRAINING, NODE_STATES };
/* Their words for operators, such as "open"; the last one is NULL. */
extern const char *const node_state_words[NODE_STATES + 1];

/* LEASE */
struct node_facts {
	char name[MESSAGE_NAME]; /* see message_name_fits() */
	/* Of the right family or none, and then with a port. */
	struct message_place v4, v6;
	enum node_state state;
	uint32_t sessions;
	uint64_t rate;     /* bytes/s now */
	uint64_t capacity; /* bytes/s that it may carry; 0: not known */
	uint32_t lease_ms; /* how long the lease counts from now on */
	/* The counter of the HELLO that this answers; 0: none, to all. */
	uint64_t answers;
};

/* ASK, PREPARE: `number` is the sender's, and returns with the answer. */
struct message_ask {
	uint64_t number;
	uint8_t asker[MESSAGE_ID];
	uint8_t target[MESSAGE_ID];
	struct message_place from; /* where the asker came from; port 0 */
};

enum answer_end {
	ANSWER_INVITED, /* place and key are filled */
	ANSWER_ABSENT,  /* the device is not there any more */
	ANSWER_REFUSED, /* by a rule of the owner */
	ANSWER_FULL,    /* no room for another session */
	ANSWER_ERROR,
	ANSWER_ENDS
};

/* ANSWER, PREPARED */
struct message_answer {
	uint64_t number;
	enum answer_end end;
	/* Where the session is held: as in struct node_facts, and at least one
	 * with ANSWER_INVITED. */
	struct message_place v4, v6;
	uint8_t key[2][MESSAGE_ID]; /* [0]: the asker's, [1]: the device's
				       (PREPARED only) */
};

/* CLAIMED, ALIVE */
struct message_claim {
	uint8_t id[MESSAGE_ID];
	uint64_t epoch;
};

struct message {
	enum message_type type;
	/* Filled by seal_open(), and all but `to` by seal_close(). */
	uint8_t version;  /* of the sender, see seal.h */
	uint64_t from;    /* incarnation */
	uint64_t to;      /* incarnation; 0: all */
	uint64_t counter; /* of the sender, rises with each message */
	union {
		struct node_facts lease;
		struct message_ask ask;
		struct message_answer answer;
		struct message_claim claim;
	};
};

/* A word for logs and metric labels, such as "lease"; "unknown" for others. */
const char *message_word(unsigned type);
/* Whether this version can read the type. */
bool message_known(unsigned type);
/*
 * Whether a node may be called so: 1 to MESSAGE_NAME - 1 characters of visible
 * ASCII, no quotes and no backslash, because it is a part of log lines and of
 * metric labels.
 */
bool message_name_fits(const char *name);

/* The body alone.  0, and its length in *len, which may be 0; or -1: it does
 * not fit, or has a value that message_read() would refuse. */
int message_write(
	const struct message *in, uint8_t *out, size_t cap, size_t *len);
/* `out->type` is given; of the rest, the body is filled.  0, or -1: malformed,
 * nothing of the body is to be used. */
int message_read(const uint8_t *bytes, size_t len, struct message *out);

#endif
