/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One protected record of TLS 1.3 (RFC 8446, 5.2 to 5.4).
 */
#ifndef TLS_RECORD_H
#define TLS_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "tls/tls_record_keys.h"

#define TLS_RECORD_HEADER 5
#define TLS_RECORD_TAG    16
/* The most data of a record. */
#define TLS_RECORD_DATA 16384
/* The most bytes after a record's header. */
#define TLS_RECORD_BODY (TLS_RECORD_DATA + 256)
/* What a record adds to its data, without padding. */
#define TLS_RECORD_MORE (TLS_RECORD_HEADER + 1 + TLS_RECORD_TAG)

/* RFC 8446, 5.1. */
enum tls_record_type {
	TLS_RECORD_REFUSED = 0,
	TLS_RECORD_IS_ALERT = 21,
	TLS_RECORD_IS_HANDSHAKE = 22,
	TLS_RECORD_IS_DATA = 23,
};

/* RFC 8446, 6; those that a record layer sends. */
enum tls_record_alert {
	TLS_ALERT_CLOSE_NOTIFY = 0,
	TLS_ALERT_UNEXPECTED_MESSAGE = 10,
	TLS_ALERT_BAD_RECORD_MAC = 20,
	TLS_ALERT_RECORD_OVERFLOW = 22,
	TLS_ALERT_ILLEGAL_PARAMETER = 47,
	TLS_ALERT_DECODE_ERROR = 50,
	TLS_ALERT_INTERNAL_ERROR = 80,
	TLS_ALERT_USER_CANCELED = 90,
};

/* Returns how many bytes follow the header; 0: it is refused with *alert.
 * Any thread, as all below. */
size_t tls_record_body_len(
	const uint8_t header[TLS_RECORD_HEADER], enum tls_record_alert *alert);
/*
 * Encrypts at most TLS_RECORD_DATA bytes into `out`, which has room for
 * TLS_RECORD_MORE bytes more.  Returns the length of the record, or 0 without
 * memory or when the numbers of records are used up.
 */
size_t tls_record_seal(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys,
	enum tls_record_type type, const uint8_t *data, size_t len,
	uint8_t *out);
/*
 * Decrypts a record in place; its header was good (tls_record_body_len()), and
 * body_len bytes follow it.  Returns its type, and sets *len to the length of
 * its data, which begin at record + TLS_RECORD_HEADER.  If it is refused,
 * *alert says why, and its bytes are wiped.
 */
enum tls_record_type tls_record_open(const struct tls_record_algorithms *all,
	enum tls_record_suite suite, struct tls_record_keys *keys,
	uint8_t *record, size_t body_len, size_t *len,
	enum tls_record_alert *alert);

#endif
