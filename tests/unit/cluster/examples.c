/* SPDX-License-Identifier: MPL-2.0 */

#include <string.h>

#include "examples.h"

static const struct message_place v4 = {{192, 0, 2, 1}, 4, 22067};
static const struct message_place v6 = {
	{0x20, 1, 0xd, 0xb8, [15] = 7}, 16, 22068};

static const struct node_facts facts = {.name = "fra-1.example",
	.v4 = {{192, 0, 2, 1}, 4, 22067},
	.v6 = {{0x20, 1, 0xd, 0xb8, [15] = 7}, 16, 22068},
	.state = NODE_DRAINING,
	.sessions = 0x01020304,
	.rate = 0x0102030405060708,
	.capacity = 0x1112131415161718,
	.lease_ms = 10000,
	.answers = 0x2122232425262728};

struct message example(enum message_type type)
{
	struct message out = {.type = type};

	switch (type) {
	case MESSAGE_LEASE:
		out.lease = facts;
		break;
	case MESSAGE_ASK:
	case MESSAGE_PREPARE:
		out.ask.number = 0x3132333435363738;
		memset(out.ask.asker, 0xa1, MESSAGE_ID);
		memset(out.ask.target, 0xa2, MESSAGE_ID);
		out.ask.from = (struct message_place){{198, 51, 100, 9}, 4, 0};
		break;
	case MESSAGE_ANSWER:
	case MESSAGE_PREPARED:
		out.answer.number = 0x4142434445464748;
		out.answer.end = ANSWER_INVITED;
		out.answer.v4 = v4;
		out.answer.v6 = v6;
		memset(out.answer.key[0], 0xb1, MESSAGE_ID);
		memset(out.answer.key[1], 0xb2, MESSAGE_ID);
		break;
	case MESSAGE_CLAIMED:
	case MESSAGE_ALIVE:
		memset(out.claim.id, 0xc1, MESSAGE_ID);
		out.claim.epoch = 0x5152535455565758;
		break;
	default:
		break;
	}
	return out;
}
