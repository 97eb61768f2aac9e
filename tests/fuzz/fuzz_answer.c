/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes what an endpoint of the module admission answers.  The first byte
 * chooses the dialect, the second the HTTP status.
 */

#include "answer.h"
#include "fuzz.h"

#define HEAD    2
#define WEEK_MS (INT64_C(7) * 24 * 3600 * 1000)

static void check(
	enum dialect dialect, long status, const struct answer *answer)
{
	FUZZ_CHECK(status == 200 || !answer->allow);
	FUZZ_CHECK(answer->rate >= 0 && answer->quota >= 0);
	FUZZ_CHECK(answer->weight >= 0 && answer->weight <= 1000);
	FUZZ_CHECK(answer->keep_ms >= -1 && answer->keep_ms <= WEEK_MS);
	FUZZ_CHECK(memchr(answer->reason, '\0', sizeof(answer->reason)));
	FUZZ_CHECK(dialect == DIALECT_OWN || !answer_has_terms(answer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const long statuses[] = {200, 201, 302, 403, 500};
	static const uint8_t device[32] = {0};
	enum dialect dialect;
	struct answer answer;
	char *body;
	long status;

	if (size < HEAD)
		return 0;
	dialect = (enum dialect)(data[0] % DIALECTS);
	status = statuses[data[1] % (sizeof(statuses) / sizeof(*statuses))];
	/* Its own block, without an end, so that a sanitizer detects what reads
	 * beyond it. */
	body = malloc(size - HEAD + (size == HEAD));
	FUZZ_CHECK(body);
	memcpy(body, data + HEAD, size - HEAD);
	if (answer_read(dialect, status, body, size - HEAD, device, &answer) ==
		ANSWER_GOOD)
		check(dialect, status, &answer);
	free(body);
	return 0;
}
