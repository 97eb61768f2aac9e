/* SPDX-License-Identifier: MPL-2.0 */

/* The source of a connection, for limits. */

#include <netinet/in.h>
#include <string.h>

#include "shared/source.h"

#define LENGTH_AT 16 /* after the address: the prefix length */

static void set(uint8_t key[ID_LEN], const void *prefix, unsigned bits)
{
	memset(key, 0, ID_LEN);
	memcpy(key, prefix, bits / 8);
	key[LENGTH_AT] = (uint8_t)bits;
}

void source_read(const struct sockaddr_storage *from, struct source *out)
{
	static const unsigned bits[SOURCE_LEVELS] = {64, 56, 48};

	if (from->ss_family != AF_INET6) {
		const struct sockaddr_in *v4 = (const void *)from;

		out->levels = 1;
		set(out->key[0], &v4->sin_addr, 32);
		return;
	}
	out->levels = SOURCE_LEVELS;
	for (unsigned i = 0; i < SOURCE_LEVELS; i++) {
		const struct sockaddr_in6 *v6 = (const void *)from;

		set(out->key[i], &v6->sin6_addr, bits[i]);
	}
}
