/* SPDX-License-Identifier: MPL-2.0 */

/* The address and port that an invitation tells one client. */

#include <string.h>

#include "relay/address/advertise.h"
#include "relay/address/told.h"
#include "shared/address_reach.h"

/* How exactly the entry is meant for clients that came in there; -1: it is not.
 */
static int closeness(
	const struct ext_address *ext, const struct told_address *local)
{
	if (!ext->at.known)
		return 0;
	if (ext->at.port != local->port)
		return -1;
	if (ext->at.unspecified)
		return 1;
	return memcmp(ext->at.bytes, local->bytes, 16) == 0 ? 2 : -1;
}

static const struct told_address *of_family(
	const struct ext_address *ext, bool v6)
{
	const struct told_address *own = v6 ? &ext->v6 : &ext->v4;

	return own->known ? own : NULL;
}

/* The first of the closest ones; NULL: none has an address of that family. */
static const struct told_address *find_ext(const struct advertise *advertise,
	bool v6, const struct told_address *local)
{
	const struct told_address *best = NULL, *one;
	int best_is = -1, is;

	for (unsigned i = 0; i < advertise->count; i++) {
		one = of_family(&advertise->entries[i], v6);
		is = one ? closeness(&advertise->entries[i], local) : -1;
		if (is > best_is) {
			best = one;
			best_is = is;
		}
	}
	return best;
}

static void take(struct told *out, const struct told_address *address)
{
	out->port = address->port;
	out->len = address->unspecified ? 0 : 16;
	memcpy(out->bytes, address->bytes, 16);
}

/* A proxy may say that a client with IPv4, which need not have IPv6, came in at
 * an address of IPv6. */
static bool has_family(
	const struct told_address *from, const struct told_address *local)
{
	return told_address_is_v6(from) || !told_address_is_v6(local);
}

/* Without a gateway between them, a client can use the address again. */
static bool is_of_use(const struct told_address *from,
	const struct told_address *local, const struct told_address *listener)
{
	if (!has_family(from, local))
		return false;
	switch (address_reach(local->bytes)) {
	case REACH_PUBLIC:
		return true;
	case REACH_LINK:
		return false;
	case REACH_PRIVATE:
	case REACH_NOBODY:
		break;
	}
	return address_reach(from->bytes) != REACH_PUBLIC &&
	       told_address_same(local, listener);
}

/* Of an entry without address: the client used this one at the same port. */
static void add_own(struct told *out, const struct told_address *from,
	const struct told_address *local)
{
	if (out->len == 0 && out->port == local->port &&
		has_family(from, local) &&
		address_reach(local->bytes) == REACH_PUBLIC)
		take(out, local);
}

static enum told_lost is_lost(const struct told *out, enum address_reach from)
{
	if (out->len)
		return TOLD_FOLLOWS;
	return from == REACH_PUBLIC ? TOLD_OUTSIDE : TOLD_INSIDE;
}

void told_to(const struct advertise *advertise, const struct came_in *in,
	struct told *out)
{
	const struct advertise_mapped *mapped;
	struct told_address from, local, listener;
	const struct told_address *ext;
	bool v6;

	*out = (struct told){.len = 0};
	told_address_set(&from, &in->from);
	told_address_set(&local, &in->local);
	told_address_set(&listener, &in->listener);
	v6 = told_address_is_v6(&from);
	mapped = v6 ? &advertise->v6 : &advertise->v4;
	ext = find_ext(advertise, v6, &local);
	/* Few clients have no IPv4, but many have no IPv6. */
	if (!ext && v6 && address_reach(local.bytes) != REACH_PUBLIC)
		ext = find_ext(advertise, false, &local);
	if (mapped->outer.known && mapped->inner == local.port) {
		take(out, &mapped->outer);
	} else if (ext) {
		take(out, ext);
		add_own(out, &from, &local);
	} else {
		take(out, &local);
		if (!is_of_use(&from, &local, &listener))
			out->len = 0;
	}
	out->lost = is_lost(out, address_reach(from.bytes));
}
