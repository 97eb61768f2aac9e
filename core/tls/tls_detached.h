/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A TLS 1.3 connection that is detached from OpenSSL: its records
 * (tls_records.h) on a socket.
 *
 * Between two records it holds its keys and nothing else.  A record of which
 * only a part has arrived, data that was not taken yet, and bytes that the
 * socket did not take yet are in memory of their own meanwhile.  All functions
 * are [W].
 */
#ifndef TLS_DETACHED_H
#define TLS_DETACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tls_records.h"
#include "tls/tls_result.h"

struct tls_bytes;

struct tls_detached {
	struct tls_records records;
	struct tls_bytes *in;              /* owned; NULL: nothing */
	struct tls_bytes *out;             /* owned; NULL: nothing */
	uint8_t header[TLS_RECORD_HEADER]; /* of the record that arrives */
	uint8_t header_len;
	bool has_data; /* `in` is data; else it is a part of a record */
	bool is_over;  /* nothing more may be sent */
};

/* Reads at most one record.  TLS_DONE: *got bytes of data, at least 1. */
enum tls_result tls_detached_read(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd, void *buf, size_t len, size_t *got);
/*
 * Sends data.  TLS_DONE: *put bytes were sent.  The caller must repeat the
 * others, in the same order, before any new ones: some may be encrypted
 * already.
 */
enum tls_result tls_detached_write(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd, const void *buf, size_t len,
	size_t *put);
/* Sends close_notify if the socket takes it now. */
void tls_detached_close(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd);
/* Frees what it owns, and wipes it. */
void tls_detached_finish(struct tls_detached *tls);

#endif
