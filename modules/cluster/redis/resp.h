/* SPDX-License-Identifier: MPL-2.0 */

/* resp.h - reads and writes the protocol of Redis, version 2.  Pure. */
#ifndef REDIS_RESP_H
#define REDIS_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/redis/bytes.h"

/* More is not RESP for us: values in one answer, arrays in arrays, bytes. */
#define RESP_VALUES 1024
#define RESP_DEPTH  4
#define RESP_MOST   (512 * 1024)

enum resp_type {
	RESP_NIL,
	RESP_STATUS,
	RESP_ERROR,
	RESP_INTEGER,
	RESP_TEXT,
	RESP_ARRAY,
};

struct resp {
	enum resp_type type;
	int64_t number;        /* RESP_INTEGER */
	const uint8_t *bytes;  /* RESP_STATUS, _ERROR, _TEXT; borrowed */
	size_t len;            /* of these */
	const struct resp *of; /* RESP_ARRAY: its values, lent by the reader */
	size_t count;
};

struct resp_reader {
	struct resp value[RESP_VALUES];
	size_t used;
};

enum resp_end { RESP_WHOLE, RESP_MORE, RESP_BROKEN };

/* Reads one value at the beginning of the bytes.  RESP_WHOLE: *out is it, and
 * `*taken` bytes long; valid until the next call.  RESP_MORE: it is not there
 * as a whole yet. */
enum resp_end resp_read(struct resp_reader *reader, const uint8_t *bytes,
	size_t len, const struct resp **out, size_t *taken);

/* Whether it is such a text, whatever its case. */
bool resp_is(const struct resp *value, const char *text);

/* A part of a command. */
struct resp_part {
	const void *bytes;
	size_t len;
};

#define RESP_PART(text)                                                        \
	{                                                                      \
		(text), sizeof(text) - 1                                       \
	}

/* Adds a command.  0; or -1 and nothing is added: no memory, or the queue would
 * have more than `most` bytes. */
int resp_command(struct bytes *out, const struct resp_part *parts, size_t count,
	size_t most);

#endif
