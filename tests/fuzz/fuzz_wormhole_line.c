/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the line with which a client of wormhole-transit begins.  However it
 * is cut, what is read of it stays the same, and what was read makes the same
 * line again.
 */

#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "wormhole-transit/line.h"

static void check_whole(const uint8_t *data, const struct line *line)
{
	char again[LINE_LONGEST + 1];
	int len = snprintf(again, sizeof(again), "please relay %.64s%s%.*s\n",
		line->token, line->sided ? " for side " : "",
		line->sided ? LINE_SIDE : 0, line->side);

	FUZZ_CHECK(len > 0 && (size_t)len == line->len);
	FUZZ_CHECK(memcmp(again, data, line->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum line_state before = LINE_MORE;
	struct line first = {.len = 0};

	for (size_t len = 0; len <= size && len <= LINE_LONGEST + 2; len++) {
		struct line line = {.len = 0};
		enum line_state state = line_read(data, len, &line);

		FUZZ_CHECK(line.len <= len && line.len <= LINE_LONGEST);
		FUZZ_CHECK(before == LINE_MORE || state == before);
		FUZZ_CHECK(state != LINE_MORE || len < LINE_LONGEST);
		if (state == LINE_WHOLE && before == LINE_MORE) {
			FUZZ_CHECK(line.len == len);
			first = line;
			check_whole(data, &line);
		} else if (state == LINE_WHOLE) {
			FUZZ_CHECK(line.len == first.len &&
				   line.sided == first.sided);
			FUZZ_CHECK(memcmp(line.token, first.token,
					   LINE_TOKEN) == 0);
			FUZZ_CHECK(
				memcmp(line.side, first.side, LINE_SIDE) == 0);
		}
		before = state;
	}
	return 0;
}
