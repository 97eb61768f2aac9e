/* SPDX-License-Identifier: MPL-2.0 */

/* places.h - addresses in messages, and as the rest of the server has them. */
#ifndef CLUSTER_PLACES_H
#define CLUSTER_PLACES_H

#include <sys/socket.h>

#include <strelaysrv/err.h>
#include <strelaysrv/question.h>

#include "cluster/messages/message.h"

/* Room for "[2001:db8::1]:65535" and its NUL. */
#define PLACE_TEXT 64

/* IPv4 in IPv6 counts as IPv4; other families give len 0. */
void place_of_address(
	const struct sockaddr_storage *in, struct message_place *out);
void place_to_address(
	const struct message_place *in, struct sockaddr_storage *out);
/* "192.0.2.1:22067" or "[2001:db8::1]:22067": an address, no name, with a port.
 * 0, or -1 with err. */
int place_parse(
	const char *text, struct message_place *out, struct relay_err *err);
/* "" for none. */
const char *place_text(const struct message_place *place, char out[PLACE_TEXT]);
/* A place to meet, with that key; key_len 0 if there is no place. */
void place_fill(const struct message_place *at, const uint8_t key[MESSAGE_ID],
	struct relay_found *out);
/* Bit 0: IPv4, bit 1: IPv6. */
unsigned place_families(
	const struct message_place *v4, const struct message_place *v6);

#endif
