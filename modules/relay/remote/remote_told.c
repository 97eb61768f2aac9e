/* SPDX-License-Identifier: MPL-2.0 */

/* Where a client that comes from another relay reaches this one. */

#include <netinet/in.h>
#include <string.h>

#include "relay/data.h"
#include "relay/remote/remote_told.h"

static void set(struct sockaddr_storage *out, bool v6, const uint8_t bytes[16],
	uint16_t port)
{
	struct sockaddr_in6 *in6 = (void *)out;
	struct sockaddr_in *in4 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (v6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, bytes, 16);
	} else {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		memcpy(&in4->sin_addr, bytes + 12, 4);
	}
}

static int take(
	const struct told_address *from, bool v6, struct sockaddr_storage *out)
{
	if (!from->known || from->unspecified)
		return -1;
	set(out, v6, from->bytes, from->port);
	return 0;
}

/* The gateway's, or the first of ext-address that is for all clients. */
static int announced(
	struct relay_data *data, bool v6, struct sockaddr_storage *out)
{
	const struct advertise *all = &data->advertise;
	const struct advertise_mapped *mapped = v6 ? &all->v6 : &all->v4;
	int result;

	pthread_mutex_lock(&data->lock);
	result = take(&mapped->outer, v6, out);
	for (unsigned i = 0; result != 0 && i < all->count; i++) {
		const struct ext_address *entry = &all->entries[i];

		if (!entry->at.known)
			result = take(v6 ? &entry->v6 : &entry->v4, v6, out);
	}
	pthread_mutex_unlock(&data->lock);
	return result;
}

static bool is_any(const struct told_address *address)
{
	static const uint8_t none[16];

	return memcmp(address->bytes, none, 16) == 0 ||
	       (!told_address_is_v6(address) &&
		       memcmp(address->bytes + 12, none, 4) == 0);
}

/* Of one that is bound to all addresses nobody knows which to use; :: may take
 * IPv4, too. */
static int listener_of(bool v6, struct sockaddr_storage *out)
{
	struct sockaddr_storage bound;
	struct told_address address;
	unsigned found = 0;

	for (unsigned i = 0; relay_listen_address(i, &bound) == 0; i++) {
		told_address_set(&address, &bound);
		if (is_any(&address) && (told_address_is_v6(&address) || !v6))
			return -1;
		if (told_address_is_v6(&address) == v6 && !found++)
			set(out, v6, address.bytes, address.port);
	}
	return found == 1 ? 0 : -1;
}

int remote_told(
	struct relay_ctx *self, int family, struct sockaddr_storage *out)
{
	bool v6 = family == AF_INET6;

	if (announced(data_of(self), v6, out) == 0)
		return 0;
	return listener_of(v6, out);
}
