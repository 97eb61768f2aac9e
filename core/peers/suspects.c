/* SPDX-License-Identifier: MPL-2.0 */

/* Sources whose recent connections did not settle. */

#include <string.h>

#include "peers/suspects.h"

static uint8_t *count(struct suspects *suspects, uint64_t hash, int row)
{
	return &suspects->counts[row][hash >> row * 32 & (SUSPECTS_COUNTS - 1)];
}

static void forget(struct suspects *suspects, int64_t now_ms)
{
	int64_t times = (now_ms - suspects->halved_ms) / SUSPECTS_HALF_MS;

	if (times <= 0)
		return;
	suspects->halved_ms += times * SUSPECTS_HALF_MS;
	if (times > 7) {
		memset(suspects->counts, 0, sizeof(suspects->counts));
		return;
	}
	for (int row = 0; row < 2; row++)
		for (unsigned i = 0; i < SUSPECTS_COUNTS; i++)
			suspects->counts[row][i] =
				(uint8_t)(suspects->counts[row][i] >> times);
}

void suspects_init(struct suspects *suspects, int64_t now_ms)
{
	memset(suspects, 0, sizeof(*suspects));
	suspects->halved_ms = now_ms;
}

void suspects_failed(struct suspects *suspects, uint64_t hash, int64_t now_ms)
{
	forget(suspects, now_ms);
	for (int row = 0; row < 2; row++) {
		uint8_t *at = count(suspects, hash, row);

		if (*at < UINT8_MAX)
			++*at;
	}
}

void suspects_settled(struct suspects *suspects, uint64_t hash, int64_t now_ms)
{
	forget(suspects, now_ms);
	for (int row = 0; row < 2; row++) {
		uint8_t *at = count(suspects, hash, row);

		*at = *at > SUSPECTS_REGAIN ? (uint8_t)(*at - SUSPECTS_REGAIN)
					    : 0;
	}
}

bool suspects_have(struct suspects *suspects, uint64_t hash, int64_t now_ms)
{
	forget(suspects, now_ms);
	return *count(suspects, hash, 0) >= SUSPECTS_FROM &&
	       *count(suspects, hash, 1) >= SUSPECTS_FROM;
}
