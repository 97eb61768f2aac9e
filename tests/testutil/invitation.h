/* SPDX-License-Identifier: MPL-2.0 */

/*
 * invitation.h - parses a relay's answers, for joins and requests.
 *
 * Pure: any thread, no allocation.
 */
#ifndef INVITATION_H
#define INVITATION_H

#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/client.h>

/*
 * Parses the body of a SessionInvitation.  An empty or all-zero address means
 * the relay's own address, `own`.  0, or -1 with err and out unspecified: a
 * wrong length of the body, an ID or an address; port 0; an address that is
 * nearer than `own`, see nearness.h; or `own` is needed but unknown.
 */
int invitation_read(const uint8_t *body, size_t len,
	const struct sockaddr_storage *own, socklen_t own_len,
	struct relay_client_invitation *out, struct relay_err *err);

/*
 * Parses the body of a Response.  0 for success; else -1 with why filled: the
 * failure for the code, and a text that quotes the relay's message if it
 * differs from the usual one.
 */
int response_read(
	const uint8_t *body, size_t len, struct relay_client_error *why);

#endif
