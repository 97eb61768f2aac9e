/* SPDX-License-Identifier: MPL-2.0 */

/* Fuzzes the header of the PROXY protocol: whole, with every shorter length,
 * and with more bytes behind it. */

#include <stdbool.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "net/proxy_header.h"

static enum proxy_header_kind read_exact(
	const uint8_t *data, size_t size, struct proxy_header *out)
{
	uint8_t *exact = malloc(size ? size : 1);
	enum proxy_header_kind kind;

	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	kind = proxy_header_read(exact, size, out);
	free(exact);
	return kind;
}

static bool has_addresses(const struct proxy_header *header)
{
	return (header->from.ss_family == AF_INET ||
		       header->from.ss_family == AF_INET6) &&
	       header->to.ss_family == header->from.ss_family;
}

/* A verdict that was given must not change with more bytes. */
static void check_pieces(const uint8_t *data, size_t size,
	enum proxy_header_kind whole, const struct proxy_header *all)
{
	struct proxy_header header;
	size_t most = size < PROXY_HEADER_MOST ? size : PROXY_HEADER_MOST;

	for (size_t len = 0; len <= most; len++) {
		enum proxy_header_kind kind = read_exact(data, len, &header);

		if (kind == PROXY_HEADER_PART)
			continue;
		FUZZ_CHECK(kind == whole);
		FUZZ_CHECK(memcmp(&header, all, sizeof(header)) == 0);
		return;
	}
	FUZZ_CHECK(whole == PROXY_HEADER_PART);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header;
	enum proxy_header_kind kind = read_exact(data, size, &header);

	/* No header is longer, so a verdict comes at last. */
	FUZZ_CHECK(kind != PROXY_HEADER_PART || size < PROXY_HEADER_MOST);
	if (kind == PROXY_HEADER_PEER || kind == PROXY_HEADER_CHECK) {
		FUZZ_CHECK(header.len > 0 && header.len <= size);
		FUZZ_CHECK(header.len <= PROXY_HEADER_MOST);
	}
	if (kind == PROXY_HEADER_PEER)
		FUZZ_CHECK(has_addresses(&header));
	check_pieces(data, size, kind, &header);
	return 0;
}
