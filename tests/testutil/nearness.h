/* SPDX-License-Identifier: MPL-2.0 */

/*
 * nearness.h - addresses that mean a different host on each machine.
 *
 * A remote host must not name one: a client that connects to it would reach a
 * program on its own machine, or a neighbour.  A host may name addresses that
 * are as near as its own, or less near.
 */
#ifndef NEARNESS_H
#define NEARNESS_H

#include <sys/socket.h>

enum nearness {
	NEAR_NOBODY,  /* any other address, private networks included */
	NEAR_LINK,    /* 169.254.0.0/16 and fe80::/10 (RFC 3927, RFC 4291) */
	NEAR_MACHINE, /* loopback and unspecified, which reaches it, too */
};

/* Pure.  A mapped IPv4 address counts as IPv4, another family as NEAR_NOBODY.
 */
enum nearness nearness_of(const struct sockaddr *address);

#endif
