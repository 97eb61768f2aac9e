/* SPDX-License-Identifier: MPL-2.0 */

/*
 * invitation.h - what a relay's answers say, for either kind of contact.
 *
 * Pure: any thread, no allocation.
 */
#ifndef INVITATION_H
#define INVITATION_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/client.h>

/*
 * Reads the body of a SessionInvitation.  An address that is empty or all zero
 * is the relay's own, of which `own` is the address.  0, or -1 with err and out
 * unspecified: not as long as it should be, an ID or address of a length that
 * none has, port 0, an address where the relay's own is not known.
 */
int invitation_read(const uint8_t *body, size_t len,
	const struct sockaddr_storage *own, socklen_t own_len,
	struct relay_client_invitation *out, struct relay_err *err);

/*
 * Reads the body of a Response.  0 for success; else -1 with why filled: the
 * failure that belongs to the code, and a text in which the relay's message is
 * quoted if it differs from what the code means.
 */
int response_read(
	const uint8_t *body, size_t len, struct relay_client_error *why);

#endif
