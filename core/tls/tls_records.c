/* SPDX-License-Identifier: MPL-2.0 */

/* The records of a connection: data, key updates and alerts. */

#include <string.h>

#include <openssl/crypto.h>

#include "tls/tls_records.h"

#define KEY_UPDATE    24 /* RFC 8446, 4: its type */
#define NOT_REQUESTED 0  /* 4.6.3: values of a KeyUpdate */
#define REQUESTED     1
#define WARNING       1 /* 6: levels of alerts */
#define FATAL         2

/* Reads a secret in hexadecimal up to the end of the line. */
static void read_secret(struct tls_record_keys *keys, const char *text)
{
	size_t len = 0;

	for (; len < TLS_RECORD_SECRET; len++, text += 2) {
		int high = OPENSSL_hexchar2int((unsigned char)text[0]);
		int low = high < 0
				  ? -1
				  : OPENSSL_hexchar2int((unsigned char)text[1]);

		if (low < 0)
			break;
		keys->secret[len] = (uint8_t)(high << 4 | low);
	}
	keys->secret_len = *text ? 0 : (uint8_t)len;
}

void tls_records_note(struct tls_records *records, const char *line)
{
	static const char client[] = "CLIENT_TRAFFIC_SECRET_0 ";
	static const char server[] = "SERVER_TRAFFIC_SECRET_0 ";
	struct tls_record_keys *keys;

	if (strncmp(line, client, sizeof(client) - 1) == 0)
		keys = &records->reads;
	else if (strncmp(line, server, sizeof(server) - 1) == 0)
		keys = &records->writes;
	else
		return;
	/* Between the label and the secret is the client's random number. */
	line = strrchr(line, ' ') + 1;
	read_secret(keys, line);
}

int tls_records_begin(const struct tls_record_algorithms *all,
	struct tls_records *records, uint16_t id)
{
	enum tls_record_suite suite = tls_record_suite_of(id);

	if (suite == TLS_RECORD_SUITES || !all->kdf)
		return -1;
	records->suite = (uint8_t)suite;
	records->answers = false;
	records->part_len = 0;
	return tls_record_keys_begin(all, suite, &records->reads) == 0 &&
			       tls_record_keys_begin(
				       all, suite, &records->writes) == 0
		       ? 0
		       : -1;
}

static enum tls_records_got update(const struct tls_record_algorithms *all,
	struct tls_records *records, enum tls_record_alert *alert)
{
	uint8_t requested = records->part[TLS_RECORDS_MESSAGE];

	records->part_len = 0;
	*alert = TLS_ALERT_ILLEGAL_PARAMETER;
	if (requested > REQUESTED)
		return TLS_RECORDS_BAD;
	*alert = TLS_ALERT_INTERNAL_ERROR;
	if (tls_record_keys_update(all, (enum tls_record_suite)records->suite,
		    &records->reads) != 0)
		return TLS_RECORDS_BAD;
	/* The answer goes before the next data.  One answers all requests that
	 * came since the last one. */
	if (requested == REQUESTED)
		records->answers = true;
	return TLS_RECORDS_NOTHING;
}

/* Handshake messages may be split, but a key update ends its record: what
 * follows has another key. */
static enum tls_records_got message(const struct tls_record_algorithms *all,
	struct tls_records *records, const uint8_t *bytes, size_t len,
	enum tls_record_alert *alert)
{
	static const uint8_t length[] = {0, 0, 1};
	const uint8_t *part = records->part;

	*alert = TLS_ALERT_UNEXPECTED_MESSAGE;
	while (len > 0 && records->part_len < TLS_RECORDS_UPDATE) {
		records->part[records->part_len++] = *bytes++;
		len--;
		if (records->part_len == TLS_RECORDS_MESSAGE &&
			part[0] != KEY_UPDATE)
			return TLS_RECORDS_BAD;
		if (records->part_len == TLS_RECORDS_MESSAGE &&
			CRYPTO_memcmp(part + 1, length, sizeof(length)) != 0) {
			*alert = TLS_ALERT_DECODE_ERROR;
			return TLS_RECORDS_BAD;
		}
	}
	if (len > 0)
		return TLS_RECORDS_BAD;
	if (records->part_len < TLS_RECORDS_UPDATE)
		return TLS_RECORDS_NOTHING;
	return update(all, records, alert);
}

/* The level means nothing (RFC 8446, 6). */
static enum tls_records_got alerted(
	const uint8_t *bytes, size_t len, enum tls_record_alert *alert)
{
	if (len != 2) {
		*alert = TLS_ALERT_DECODE_ERROR;
		return TLS_RECORDS_BAD;
	}
	switch (bytes[1]) {
	case TLS_ALERT_CLOSE_NOTIFY:
		return TLS_RECORDS_CLOSED;
	case TLS_ALERT_USER_CANCELED:
		return TLS_RECORDS_NOTHING; /* close_notify follows it */
	default:
		return TLS_RECORDS_ALERTED;
	}
}

enum tls_records_got tls_records_open(const struct tls_record_algorithms *all,
	struct tls_records *records, uint8_t *record, size_t body_len,
	size_t *len, enum tls_record_alert *alert)
{
	const uint8_t *bytes = record + TLS_RECORD_HEADER;
	enum tls_record_type type =
		tls_record_open(all, (enum tls_record_suite)records->suite,
			&records->reads, record, body_len, len, alert);

	if (type == TLS_RECORD_REFUSED)
		return TLS_RECORDS_BAD;
	if (type == TLS_RECORD_IS_HANDSHAKE)
		return message(all, records, bytes, *len, alert);
	if (records->part_len) { /* nothing may come between its parts */
		*alert = TLS_ALERT_UNEXPECTED_MESSAGE;
		return TLS_RECORDS_BAD;
	}
	return type == TLS_RECORD_IS_DATA ? TLS_RECORDS_DATA
					  : alerted(bytes, *len, alert);
}

/* Tells the peer of a new key, and begins with it. */
static size_t seal_update(const struct tls_record_algorithms *all,
	struct tls_records *records, uint8_t *out)
{
	static const uint8_t bytes[TLS_RECORDS_UPDATE] = {
		KEY_UPDATE, 0, 0, 1, NOT_REQUESTED};
	enum tls_record_suite suite = (enum tls_record_suite)records->suite;
	size_t sealed = tls_record_seal(all, suite, &records->writes,
		TLS_RECORD_IS_HANDSHAKE, bytes, sizeof(bytes), out);

	if (!sealed ||
		tls_record_keys_update(all, suite, &records->writes) != 0)
		return 0;
	records->answers = false;
	return sealed;
}

size_t tls_records_seal(const struct tls_record_algorithms *all,
	struct tls_records *records, const uint8_t *data, size_t len,
	uint8_t *out)
{
	size_t first = 0, sealed;

	if (records->answers || records->writes.next >= TLS_RECORDS_LIMIT) {
		first = seal_update(all, records, out);
		if (!first)
			return 0;
	}
	sealed = tls_record_seal(all, (enum tls_record_suite)records->suite,
		&records->writes, TLS_RECORD_IS_DATA, data, len, out + first);
	return sealed ? first + sealed : 0;
}

size_t tls_records_seal_alert(const struct tls_record_algorithms *all,
	struct tls_records *records, enum tls_record_alert alert,
	uint8_t out[TLS_RECORDS_ALERT])
{
	const uint8_t bytes[] = {
		alert == TLS_ALERT_CLOSE_NOTIFY ? WARNING : FATAL,
		(uint8_t)alert};

	return tls_record_seal(all, (enum tls_record_suite)records->suite,
		&records->writes, TLS_RECORD_IS_ALERT, bytes, sizeof(bytes),
		out);
}
