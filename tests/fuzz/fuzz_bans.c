/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the file of bans.  What is read is written again as the same bans, or
 * refused with a reason.
 */

#include "bans.h"
#include "fuzz.h"

static int read_bytes(const void *data, size_t size, struct bans *out)
{
	struct relay_err err = {.text = ""};
	char *text = calloc(1, size + 1);
	int result;

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	result = bans_parse(out, text, "FILE", &err);
	free(text);
	FUZZ_CHECK(result == 0 || (result == -1 && err.text[0] && !out->list));
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bans one, again;
	size_t len;
	char *text;

	if (read_bytes(data, size, &one) != 0)
		return 0;
	for (size_t i = 0; i < one.count; i++)
		FUZZ_CHECK(one.list[i].until_s >= 0 &&
			   (i == 0 || memcmp(one.list[i - 1].id, one.list[i].id,
					      RELAY_DEVICE_ID_LEN) < 0));
	text = bans_text(&one, &len);
	FUZZ_CHECK(text && read_bytes(text, len, &again) == 0);
	FUZZ_CHECK(one.count == again.count);
	for (size_t i = 0; i < one.count; i++)
		FUZZ_CHECK(one.list[i].until_s == again.list[i].until_s &&
			   memcmp(one.list[i].id, again.list[i].id,
				   RELAY_DEVICE_ID_LEN) == 0);
	free(text);
	bans_free(&one);
	bans_free(&again);
	return 0;
}
