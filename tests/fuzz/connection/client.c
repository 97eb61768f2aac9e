/* SPDX-License-Identifier: MPL-2.0 */

/* Clients: what they send, and what they make of what they get. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "client.h"
#include "devices.h"
#include "payload.h"
#include "relay.h"

struct client clients[CLIENTS];
struct side sides[SIDES];
int side_count;
struct invitation invitations[INVITATIONS];
unsigned invitation_count;

static uint8_t buffer[1 << 21];

void clients_begin(void)
{
	payload_begin();
	devices_begin();
}

void clients_end(void)
{
	devices_end();
}

void clients_forget(void)
{
	for (int i = 0; i < CLIENTS; i++)
		if (clients[i].tcp)
			sim_die("a client's socket is open at the end");
	side_count = 0;
	invitation_count = 0;
}

/* Half of the sources share a /64 or are IPv4. */
static struct sockaddr_in6 address(unsigned source)
{
	static const char *const texts[SOURCES] = {"::ffff:10.0.0.1",
		"::ffff:10.0.0.2", "::ffff:10.0.0.3", "2001:db8:1:1::1",
		"2001:db8:1:1::2", "2001:db8:1:2::1", "2001:db8:2::1",
		"::ffff:10.1.0.1"};
	struct sockaddr_in6 out = {
		.sin6_family = AF_INET6, .sin6_port = htons(40000)};

	(void)inet_pton(AF_INET6, texts[source % SOURCES], &out.sin6_addr);
	return out;
}

static struct client *place(void)
{
	struct client *client = clients;

	while (client < clients + CLIENTS && client->tcp)
		client++;
	if (client == clients + CLIENTS || side_count == SIDES)
		return NULL;
	*client = (struct client){.tells = true, .side = side_count};
	return client;
}

static struct client *take_place(struct client *client)
{
	if (!client->tcp)
		return NULL;
	sides[side_count] = (struct side){.tcp = client->tcp, .other = -1};
	side_count++;
	return client;
}

struct client *client_connect(unsigned listener, unsigned source)
{
	const struct sockaddr_in6 from = address(source);
	struct client *client = place();

	if (!client)
		return NULL;
	client->tcp = relay_connect(listener, &from);
	return take_place(client);
}

struct client *client_import(unsigned source)
{
	const struct sockaddr_in6 from = address(source);
	struct client *client = place();

	if (!client)
		return NULL;
	client->tcp = sim_import(&from);
	return take_place(client);
}

void client_tls(struct client *client, int device)
{
	if (client->ssl)
		return;
	client->ssl = device_tls(device);
	client->device = device;
	client->in = BIO_new(BIO_s_mem());
	client->out = BIO_new(BIO_s_mem());
	if (!client->in || !client->out)
		sim_die("out of memory");
	SSL_set_bio(client->ssl, client->in, client->out);
	client_take(client, 0);
}

static void flush(struct client *client)
{
	int n;

	if (!client->ssl)
		return;
	while ((n = BIO_read(client->out, buffer, sizeof(buffer))) > 0)
		sim_client_send(client->tcp, buffer, (size_t)n);
}

void client_send_raw(struct client *client, const void *data, size_t len)
{
	struct side *side = &sides[client->side];

	if (client->gone)
		return;
	side->odd |= side->raw++ > 0 || side->sent > 0;
	sim_client_send(client->tcp, data, len);
}

void client_send(struct client *client, const void *data, size_t len)
{
	if (!client->ssl) {
		client_send_raw(client, data, len);
		return;
	}
	ERR_clear_error();
	if (len)
		(void)SSL_write(client->ssl, data, (int)len);
	flush(client);
}

void client_payload(struct client *client, size_t len)
{
	struct side *side = &sides[client->side];

	if (client->ssl || client->gone || side->fin || side->reset)
		return;
	if (len > sizeof(buffer))
		len = sizeof(buffer);
	payload_make(client->side, side->sent, buffer, len);
	side->sent += len;
	sim_client_send(client->tcp, buffer, len);
}

/* Messages. */

static void invited(const uint8_t *body, size_t len)
{
	struct frame_invitation got;
	struct invitation *kept = &invitations[invitation_count % INVITATIONS];

	if (frame_read_invitation(body, len, &got) != FRAME_OK)
		sim_die("an invitation is invalid");
	memcpy(kept->key, got.key.data, got.key.len);
	kept->len = got.key.len;
	invitation_count++;
}

static void responded(struct client *client, const uint8_t *body, size_t len)
{
	struct frame_response response;

	if (frame_read_response(body, len, &response) != FRAME_OK)
		sim_die("a response is invalid");
	if (response.code != FRAME_SUCCESS)
		return;
	if (client->ssl)
		client->joined = true;
	else
		sides[client->side].success = true;
}

static void message(struct client *client, const struct frame_header *header,
	const uint8_t *body)
{
	uint8_t pong[FRAME_EMPTY_SIZE];

	switch (header->type) {
	case FRAME_PING:
		(void)frame_write_empty(pong, sizeof(pong), FRAME_PONG);
		if (client->tells)
			client_send(client, pong, sizeof(pong));
		break;
	case FRAME_RESPONSE:
		responded(client, body, header->length);
		break;
	case FRAME_INVITATION:
		invited(body, header->length);
		break;
	case FRAME_PONG:
	case FRAME_RELAY_FULL:
		break;
	default:
		sim_die("the server has sent a message of type %d",
			header->type);
	}
}

/* Returns how many of the bytes were used.  A side's response is its only
 * message: payload follows. */
static size_t read_messages(
	struct client *client, const uint8_t *data, size_t len)
{
	struct frame_header header;
	size_t used = 0;

	while (used < len && (client->ssl || !sides[client->side].success)) {
		client->bytes[client->len++] = data[used++];
		if (client->len < FRAME_HEADER_LEN)
			continue;
		if (frame_read_header(client->bytes, &header) != FRAME_OK)
			sim_die("the server has sent an invalid message");
		if (client->len < FRAME_HEADER_LEN + header.length)
			continue;
		client->len = 0;
		message(client, &header, client->bytes + FRAME_HEADER_LEN);
	}
	return used;
}

/* Receiving. */

static void take_plain(struct client *client, size_t most)
{
	size_t n = sim_client_take(client->tcp, buffer,
		most < sizeof(buffer) ? most : sizeof(buffer));
	size_t used = read_messages(client, buffer, n);

	payload_check(client->side, buffer + used, n - used);
}

static void take_tls(struct client *client, size_t most)
{
	static uint8_t text[16384];
	size_t n = sim_client_take(client->tcp, buffer,
		most < sizeof(buffer) ? most : sizeof(buffer));
	int got;

	if (n && BIO_write(client->in, buffer, (int)n) != (int)n)
		sim_die("out of memory");
	ERR_clear_error();
	while ((got = SSL_read(client->ssl, text, sizeof(text))) > 0)
		(void)read_messages(client, text, (size_t)got);
	client->up = SSL_is_init_finished(client->ssl);
	flush(client);
}

void client_take(struct client *client, size_t most)
{
	if (client->gone)
		return;
	if (client->ssl)
		take_tls(client, most);
	else
		take_plain(client, most);
}

bool clients_take(void)
{
	bool any = false;

	for (struct client *c = clients; c < clients + CLIENTS; c++) {
		if (!c->tcp || c->asleep || c->gone || c->tcp->down.len == 0)
			continue;
		any = true;
		client_take(c, SIZE_MAX);
	}
	return any;
}

/* Ends. */

void client_shutdown(struct client *client)
{
	if (client->gone)
		return;
	if (client->ssl) {
		ERR_clear_error();
		(void)SSL_shutdown(client->ssl);
		flush(client);
	}
	sides[client->side].fin = true;
	sim_client_shutdown(client->tcp);
}

static void leave(struct client *client)
{
	SSL_free(client->ssl);
	client->ssl = NULL;
	client->gone = true;
}

void client_close(struct client *client)
{
	if (client->gone)
		return;
	if (client->tcp->down.len)
		sides[client->side].reset = true;
	sides[client->side].fin = true;
	sim_client_close(client->tcp);
	leave(client);
}

void client_reset(struct client *client)
{
	if (client->gone)
		return;
	sides[client->side].reset = true;
	sim_client_reset(client->tcp);
	leave(client);
}

uint64_t side_read(const struct side *side)
{
	uint64_t n;

	if (!side->tcp)
		return side->read;
	n = side->tcp->read - side->tcp->discarded;
	if (side->imported)
		return n;
	return side->key && n > FRAME_OPAQUE_SIZE ? n - FRAME_OPAQUE_SIZE : 0;
}

bool sides_odd(void)
{
	for (int i = 0; i < side_count; i++)
		if (sides[i].odd)
			return true;
	return false;
}

void clients_reap(void)
{
	for (struct client *c = clients; c < clients + CLIENTS; c++) {
		if (!c->tcp || !c->gone || !c->tcp->server_gone)
			continue;
		sides[c->side].read = side_read(&sides[c->side]);
		sides[c->side].reset |= c->tcp->lost;
		sides[c->side].tcp = NULL;
		sim_tcp_free(c->tcp);
		c->tcp = NULL;
	}
}
