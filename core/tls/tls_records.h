/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A TLS 1.3 connection after its handshake: the server's own record layer.
 *
 * It knows records of any size and padding, key updates in both directions
 * (RFC 8446, 4.6.3) and alerts (6), and nothing else: no handshake, no tickets,
 * no sockets.  All functions may be called on any thread, for one connection by
 * one thread at a time.
 */
#ifndef TLS_RECORDS_H
#define TLS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tls_record.h"

/* A handshake message's type and length, and that of a KeyUpdate. */
#define TLS_RECORDS_MESSAGE 4
#define TLS_RECORDS_UPDATE  (TLS_RECORDS_MESSAGE + 1)
/*
 * After so many records the key of this side is replaced.  RFC 8446, 5.5,
 * allows AES-GCM 2^24.5; ChaCha20-Poly1305 has no limit that can be reached.
 */
#define TLS_RECORDS_LIMIT (UINT64_C(1) << 24)
/* The most that tls_records_seal() adds to its data: a KeyUpdate may go first.
 */
#define TLS_RECORDS_MORE                                                       \
	(TLS_RECORD_MORE + TLS_RECORDS_UPDATE + TLS_RECORD_MORE)
/* The length of an alert's record. */
#define TLS_RECORDS_ALERT (2 + TLS_RECORD_MORE)

struct tls_records {
	/* Before tls_records_begin() they have the secrets only. */
	struct tls_record_keys reads, writes;
	uint8_t suite; /* enum tls_record_suite */
	bool answers;  /* the peer awaits a KeyUpdate */
	uint8_t part_len;
	/* The beginning of a handshake message whose rest comes later. */
	uint8_t part[TLS_RECORDS_UPDATE];
};

/* What a record was. */
enum tls_records_got {
	TLS_RECORDS_DATA,    /* data, of any length */
	TLS_RECORDS_NOTHING, /* it concerned this layer only */
	TLS_RECORDS_CLOSED,  /* close_notify: nothing more comes */
	TLS_RECORDS_ALERTED, /* the peer has given up */
	TLS_RECORDS_BAD,     /* *alert is to be sent, and nothing more read */
};

/* Takes a line that SSL_CTX_set_keylog_callback() got on the server's side:
 * notes the secrets that records begin with, and ignores all others. */
void tls_records_note(struct tls_records *records, const char *line);
/* Begins with both secrets, whose records have the number 0.  0; or -1 without
 * a secret, for an unknown suite, or without memory.  `id` is that of
 * SSL_CIPHER_get_protocol_id(). */
int tls_records_begin(const struct tls_record_algorithms *all,
	struct tls_records *records, uint16_t id);
/* Decrypts a record as tls_record_open() does.  For TLS_RECORDS_DATA, *len
 * bytes begin at record + TLS_RECORD_HEADER. */
enum tls_records_got tls_records_open(const struct tls_record_algorithms *all,
	struct tls_records *records, uint8_t *record, size_t body_len,
	size_t *len, enum tls_record_alert *alert);
/*
 * Encrypts at most TLS_RECORD_DATA bytes into `out`, which has room for
 * TLS_RECORDS_MORE bytes more.  A KeyUpdate goes first if the peer has asked
 * for one, or if the key has encrypted TLS_RECORDS_LIMIT records.  Returns how
 * many bytes are to be sent; 0 without memory: then the connection must end.
 */
size_t tls_records_seal(const struct tls_record_algorithms *all,
	struct tls_records *records, const uint8_t *data, size_t len,
	uint8_t *out);
/* Encrypts an alert.  TLS_RECORDS_ALERT, or 0 without memory. */
size_t tls_records_seal_alert(const struct tls_record_algorithms *all,
	struct tls_records *records, enum tls_record_alert alert,
	uint8_t out[TLS_RECORDS_ALERT]);

#endif
