/* SPDX-License-Identifier: MPL-2.0 */

/* Parses a relay's answers. */

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "client_error.h"
#include "invitation.h"
#include "nearness.h"
#include "relay/messages/frame.h"

static void put_v4(struct relay_client_invitation *out, const uint8_t bytes[4],
	uint16_t port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(port)};

	memcpy(&in.sin_addr, bytes, 4);
	memcpy(&out->address, &in, sizeof(in));
	out->address_len = sizeof(in);
}

static void put_v6(struct relay_client_invitation *out, const uint8_t bytes[16],
	uint16_t port)
{
	struct sockaddr_in6 in = {
		.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memcpy(&in.sin6_addr, bytes, 16);
	if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
		put_v4(out, bytes + 12, port);
		return;
	}
	memcpy(&out->address, &in, sizeof(in));
	out->address_len = sizeof(in);
}

/* The relay's host, with the port of the invitation. */
static int put_own(struct relay_client_invitation *out,
	const struct sockaddr_storage *own, socklen_t own_len, uint16_t port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	out->address_len = own_len;
	if (own_len == sizeof(in) && own->ss_family == AF_INET) {
		memcpy(&in, own, sizeof(in));
		in.sin_port = htons(port);
		memcpy(&out->address, &in, sizeof(in));
		return 0;
	}
	if (own_len == sizeof(in6) && own->ss_family == AF_INET6) {
		memcpy(&in6, own, sizeof(in6));
		in6.sin6_port = htons(port);
		memcpy(&out->address, &in6, sizeof(in6));
		return 0;
	}
	return -1;
}

static bool is_unspecified(struct frame_bytes address)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t zero[16];

	return address.len == 0 ||
	       memcmp(address.data, zero, address.len) == 0 ||
	       (address.len == 16 && memcmp(address.data, mapped, 16) == 0);
}

static int put_address(const struct frame_invitation *in,
	const struct sockaddr_storage *own, socklen_t own_len,
	struct relay_client_invitation *out, struct relay_err *err)
{
	size_t len = in->address.len;

	if (in->port == 0)
		return relay_fail(err, "an invitation to port 0");
	if (len != 0 && len != 4 && len != 16)
		return relay_fail(
			err, "an invitation with an address of %zu bytes", len);
	if (is_unspecified(in->address)) {
		if (put_own(out, own, own_len, in->port))
			return relay_fail(err,
				"an invitation to a relay whose address is "
				"not known");
		return 0;
	}
	if (len == 4)
		put_v4(out, in->address.data, in->port);
	else
		put_v6(out, in->address.data, in->port);
	if (nearness_of((const struct sockaddr *)&out->address) <=
		(own_len ? nearness_of((const struct sockaddr *)own)
			 : NEAR_NOBODY))
		return 0;
	return relay_fail(err,
		"an invitation to an address of this machine or link, which a "
		"relay elsewhere has no business to name");
}

int invitation_read(const uint8_t *body, size_t len,
	const struct sockaddr_storage *own, socklen_t own_len,
	struct relay_client_invitation *out, struct relay_err *err)
{
	struct frame_invitation in;

	if (frame_read_invitation(body, len, &in) != FRAME_OK)
		return relay_fail(err, "an invitation that cannot be read");
	if (in.from.len != RELAY_DEVICE_ID_LEN)
		return relay_fail(err,
			"an invitation from a device ID of %zu bytes",
			in.from.len);
	memset(out, 0, sizeof(*out));
	memcpy(out->from, in.from.data, in.from.len);
	if (in.key.len)
		memcpy(out->key, in.key.data, in.key.len);
	out->key_len = in.key.len;
	out->server_socket = in.server_socket;
	return put_address(&in, own, own_len, out, err);
}

static enum relay_client_failure failure_of(int32_t code)
{
	switch (code) {
	case FRAME_NOT_FOUND:
		return RELAY_CLIENT_NOT_FOUND;
	case FRAME_ALREADY_CONNECTED:
		return RELAY_CLIENT_ALREADY_CONNECTED;
	case FRAME_WRONG_TOKEN:
		return RELAY_CLIENT_WRONG_TOKEN;
	default:
		return RELAY_CLIENT_REFUSED;
	}
}

int response_read(
	const uint8_t *body, size_t len, struct relay_client_error *why)
{
	struct frame_response r;
	const char *known;

	if (frame_read_response(body, len, &r) != FRAME_OK) {
		client_error(why, RELAY_CLIENT_BAD_MESSAGE,
			"a response that cannot be read");
		return -1;
	}
	if (r.code == FRAME_SUCCESS)
		return 0;
	known = frame_code_text(r.code);
	if (*known)
		client_error(why, failure_of(r.code), "%s", known);
	else /* A NUL in the message ends the text. */
		client_error(why, failure_of(r.code),
			"refused with code %" PRId32 " and the message "
			"\"%.*s\"",
			r.code,
			(int)(r.message.len < 100 ? r.message.len : 100),
			r.message.len ? (const char *)r.message.data : "");
	return -1;
}
