/* SPDX-License-Identifier: MPL-2.0 */

/* What the endpoint is asked. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include <strelaysrv/device_id.h>

#include "question.h"

static void write_address(
	const struct relay_conn *conn, char out[INET6_ADDRSTRLEN])
{
	struct sockaddr_storage from;
	const void *address = &((const struct sockaddr_in *)&from)->sin_addr;

	relay_conn_sockaddr(conn, &from);
	if (from.ss_family == AF_INET6)
		address = &((const struct sockaddr_in6 *)&from)->sin6_addr;
	if (!inet_ntop(from.ss_family, address, out, INET6_ADDRSTRLEN))
		out[0] = '\0';
}

int question_make(struct question *out, enum question_kind kind,
	const struct relay_conn *conn, const uint8_t *target, const char *token)
{
	/* Everything that the answer may depend on. */
	struct {
		uint8_t kind, device[ID_LEN], target[ID_LEN], token[32];
		char address[INET6_ADDRSTRLEN];
	} all = {.kind = (uint8_t)kind};

	*out = (struct question){.kind = kind};
	memcpy(out->device, relay_conn_peer(conn), ID_LEN);
	if (target)
		memcpy(out->target, target, ID_LEN);
	write_address(conn, out->address);
	memcpy(all.device, out->device, ID_LEN);
	memcpy(all.target, out->target, ID_LEN);
	memcpy(all.address, out->address, strlen(out->address));
	if (token &&
		!SHA256((const unsigned char *)token, strlen(token), all.token))
		return -1;
	return SHA256((const unsigned char *)&all, sizeof(all), out->key) ? 0
									  : -1;
}

struct queue_key question_again_source(void)
{
	struct queue_key key;

	/* No address has a prefix of so many bits. */
	memset(key.bytes, 0xff, sizeof(key.bytes));
	return key;
}

void question_again(struct question *out, const struct question *of)
{
	*out = *of;
	out->ticket = (struct relay_ticket){0};
	out->kind = QUESTION_AGAIN;
	out->source = question_again_source();
}

void question_hex(const struct question *question, char out[QUESTION_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < ID_LEN; i++) {
		out[2 * i] = digits[question->device[i] >> 4];
		out[2 * i + 1] = digits[question->device[i] & 15];
	}
	out[2 * ID_LEN] = '\0';
}

/* None of the values needs escaping: IDs, addresses, and names of tokens, which
 * consist of letters, digits and -_. */
static void write_own(const struct question *question, char out[QUESTION_BODY])
{
	char device[RELAY_DEVICE_ID_TEXT], target[RELAY_DEVICE_ID_TEXT] = "";
	bool asks = question->kind == QUESTION_ASK;

	relay_device_id_format(question->device, device);
	if (asks)
		relay_device_id_format(question->target, target);
	(void)snprintf(out, QUESTION_BODY,
		"{\"what\":\"%s\",\"device\":\"%s\",%s%s%s\"address\":\"%s\""
		"%s%s%s}",
		asks ? "ask" : "join", device, asks ? "\"target\":\"" : "",
		target, asks ? "\"," : "", question->address,
		question->name[0] ? ",\"token\":\"" : "", question->name,
		question->name[0] ? "\"" : "");
}

void question_body(const struct question *question, enum dialect dialect,
	char out[QUESTION_BODY])
{
	char hex[QUESTION_HEX];

	out[0] = '\0';
	if (dialect == DIALECT_OWN) {
		write_own(question, out);
	} else if (dialect == DIALECT_DERPER) {
		question_hex(question, hex);
		(void)snprintf(out, QUESTION_BODY,
			"{\"NodePublic\":\"nodekey:%s\",\"Source\":\"%s\"}",
			hex, question->address);
	}
}
