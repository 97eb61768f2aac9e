/* SPDX-License-Identifier: MPL-2.0 */

/* Records of a connection that is detached from OpenSSL, on a socket. */

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/crypto.h>

#include "tls/tls_detached.h"

/* Messages are short, so the buffer on the stack is, too. */
#define FRAGMENT 2048

struct tls_bytes {
	size_t room, at, len; /* `len` bytes at `at` are left */
	size_t stands_for;    /* of `out`: how much data they carry */
	uint8_t bytes[];
};

static struct tls_bytes *bytes_new(size_t room)
{
	struct tls_bytes *bytes = OPENSSL_malloc(sizeof(*bytes) + room);

	if (!bytes)
		return NULL;
	bytes->room = room;
	bytes->at = bytes->len = bytes->stands_for = 0;
	return bytes;
}

static void bytes_free(struct tls_bytes **bytes)
{
	if (*bytes)
		OPENSSL_clear_free(*bytes, sizeof(**bytes) + (*bytes)->room);
	*bytes = NULL;
}

void tls_detached_finish(struct tls_detached *tls)
{
	bytes_free(&tls->in);
	bytes_free(&tls->out);
	OPENSSL_cleanse(tls, sizeof(*tls));
}

/* Sends what is left. */
static enum tls_result flush(struct tls_detached *tls, int fd)
{
	struct tls_bytes *out = tls->out;

	while (out->len > 0) {
		ssize_t sent =
			send(fd, out->bytes + out->at, out->len, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? TLS_AGAIN
								 : TLS_RESET;
		out->at += (size_t)sent;
		out->len -= (size_t)sent;
	}
	bytes_free(&tls->out);
	return TLS_DONE;
}

/* Sends an alert, if the socket takes it now, as the last record. */
static void send_last(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd, enum tls_record_alert alert)
{
	uint8_t record[TLS_RECORDS_ALERT];

	if (tls->is_over)
		return;
	tls->is_over = true;
	if (tls->out && flush(tls, fd) != TLS_DONE)
		return;
	if (tls_records_seal_alert(all, &tls->records, alert, record))
		(void)send(fd, record, sizeof(record), MSG_NOSIGNAL);
}

void tls_detached_close(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd)
{
	send_last(all, tls, fd, TLS_ALERT_CLOSE_NOTIFY);
}

/* Reading. */

/* Reads until *have bytes are as many as wanted. */
static enum tls_result fill(int fd, uint8_t *at, size_t *have, size_t wanted)
{
	while (*have < wanted) {
		ssize_t got = recv(fd, at + *have, wanted - *have, 0);

		if (got > 0)
			*have += (size_t)got;
		else if (got == 0)
			return TLS_EOF;
		else if (errno != EINTR)
			return errno == EAGAIN ? TLS_AGAIN : TLS_RESET;
	}
	return TLS_DONE;
}

/* Sets *body_len to the bytes that follow the header. */
static enum tls_result read_header(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd, size_t *body_len)
{
	enum tls_record_alert alert;
	size_t have = tls->header_len;
	enum tls_result result =
		fill(fd, tls->header, &have, TLS_RECORD_HEADER);

	tls->header_len = (uint8_t)have;
	if (result != TLS_DONE)
		return result;
	*body_len = tls_record_body_len(tls->header, &alert);
	if (*body_len)
		return TLS_DONE;
	send_last(all, tls, fd, alert);
	return TLS_BROKEN;
}

/* Keeps a part of the record until the rest arrives. */
static enum tls_result keep_part(
	struct tls_detached *tls, const uint8_t *body, size_t have, size_t len)
{
	if (have == 0)
		return TLS_AGAIN;
	tls->in = bytes_new(TLS_RECORD_HEADER + len);
	if (!tls->in)
		return TLS_BROKEN;
	memcpy(tls->in->bytes + TLS_RECORD_HEADER, body, have);
	tls->in->len = have;
	return TLS_AGAIN;
}

/* Reads what follows the header.  *record is where a record has room that
 * arrives as a whole, and becomes where this one is. */
static enum tls_result read_body(
	struct tls_detached *tls, int fd, size_t body_len, uint8_t **record)
{
	enum tls_result result;
	size_t have = 0;

	if (tls->in) {
		*record = tls->in->bytes;
		have = tls->in->len;
	}
	result = fill(fd, *record + TLS_RECORD_HEADER, &have, body_len);
	if (tls->in)
		tls->in->len = have;
	else if (result == TLS_AGAIN)
		return keep_part(
			tls, *record + TLS_RECORD_HEADER, have, body_len);
	if (result != TLS_DONE)
		return result;
	memcpy(*record, tls->header, TLS_RECORD_HEADER);
	tls->header_len = 0;
	return TLS_DONE;
}

/* Takes data that a record has left. */
static enum tls_result take(
	struct tls_detached *tls, void *buf, size_t len, size_t *got)
{
	struct tls_bytes *in = tls->in;

	*got = len < in->len ? len : in->len;
	memcpy(buf, in->bytes + in->at, *got);
	in->at += *got;
	in->len -= *got;
	if (in->len == 0) {
		bytes_free(&tls->in);
		tls->has_data = false;
	}
	return TLS_DONE;
}

/* Gives the caller what it has room for, and keeps the rest. */
static enum tls_result give(struct tls_detached *tls, const uint8_t *data,
	size_t data_len, void *buf, size_t len, size_t *got)
{
	if (!tls->in && data_len <= len) {
		memcpy(buf, data, data_len);
		*got = data_len;
		return TLS_DONE;
	}
	if (!tls->in) {
		tls->in = bytes_new(data_len);
		if (!tls->in)
			return TLS_BROKEN;
		memcpy(tls->in->bytes, data, data_len);
		data = tls->in->bytes;
	}
	tls->in->at = (size_t)(data - tls->in->bytes);
	tls->in->len = data_len;
	tls->has_data = true;
	return take(tls, buf, len, got);
}

enum tls_result tls_detached_read(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd, void *buf, size_t len, size_t *got)
{
	uint8_t whole[TLS_RECORD_HEADER + TLS_RECORD_BODY], *record = whole;
	enum tls_record_alert alert;
	enum tls_result result;
	size_t body_len, data_len = 0;

	if (tls->is_over)
		return TLS_BROKEN;
	if (tls->has_data)
		return take(tls, buf, len, got);
	result = read_header(all, tls, fd, &body_len);
	if (result == TLS_DONE)
		result = read_body(tls, fd, body_len, &record);
	if (result != TLS_DONE)
		return result;
	switch (tls_records_open(
		all, &tls->records, record, body_len, &data_len, &alert)) {
	case TLS_RECORDS_DATA:
		result = data_len ? give(tls, record + TLS_RECORD_HEADER,
					    data_len, buf, len, got)
				  : TLS_DATALESS;
		break;
	case TLS_RECORDS_NOTHING:
		result = TLS_DATALESS;
		break;
	case TLS_RECORDS_CLOSED:
		result = TLS_NOTIFIED;
		break;
	case TLS_RECORDS_ALERTED:
		tls->is_over = true;
		result = TLS_BROKEN;
		break;
	case TLS_RECORDS_BAD:
		send_last(all, tls, fd, alert);
		result = TLS_BROKEN;
		break;
	}
	/* Data may have secrets of the peer, such as a token. */
	if (record == whole)
		OPENSSL_cleanse(whole, TLS_RECORD_HEADER + body_len);
	if (!tls->has_data)
		bytes_free(&tls->in);
	return result;
}

/* Writing. */

/* Sends a record, or keeps what the socket does not take. */
static enum tls_result send_record(struct tls_detached *tls, int fd,
	const uint8_t *record, size_t len, size_t stands_for)
{
	ssize_t sent = send(fd, record, len, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return TLS_RESET;
	if (sent < 0)
		sent = 0;
	if ((size_t)sent == len)
		return TLS_DONE;
	tls->out = bytes_new(len - (size_t)sent);
	if (!tls->out)
		return TLS_BROKEN;
	tls->out->len = len - (size_t)sent;
	tls->out->stands_for = stands_for;
	memcpy(tls->out->bytes, record + sent, tls->out->len);
	return TLS_AGAIN;
}

enum tls_result tls_detached_write(const struct tls_record_algorithms *all,
	struct tls_detached *tls, int fd, const void *buf, size_t len,
	size_t *put)
{
	uint8_t record[FRAGMENT + TLS_RECORDS_MORE];
	enum tls_result result = TLS_DONE;

	*put = 0;
	if (tls->is_over)
		return TLS_BROKEN;
	if (tls->out) {
		size_t before = tls->out->stands_for;

		assert(before <= len);
		result = flush(tls, fd);
		if (result == TLS_DONE)
			*put = before;
	}
	while (result == TLS_DONE && *put < len) {
		size_t next = len - *put < FRAGMENT ? len - *put : FRAGMENT;
		size_t sealed = tls_records_seal(all, &tls->records,
			(const uint8_t *)buf + *put, next, record);

		result = sealed ? send_record(tls, fd, record, sealed, next)
				: TLS_BROKEN;
		if (result == TLS_DONE)
			*put += next;
	}
	if (result == TLS_AGAIN && *put > 0)
		return TLS_DONE;
	/* After a record that was lost, no other may follow. */
	if (result != TLS_DONE && result != TLS_AGAIN)
		tls->is_over = true;
	return result;
}
