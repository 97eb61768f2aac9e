/* SPDX-License-Identifier: MPL-2.0 */

/* Fuzzes device IDs: as text, and as the first 32 bytes of the input. */

#include <strelaysrv/device_id.h>

#include "fuzz.h"

static void check_round_trip(const uint8_t id[RELAY_DEVICE_ID_LEN])
{
	uint8_t again[RELAY_DEVICE_ID_LEN];
	char text[RELAY_DEVICE_ID_TEXT];

	relay_device_id_format(id, text);
	FUZZ_CHECK(strlen(text) == RELAY_DEVICE_ID_TEXT - 1);
	FUZZ_CHECK(relay_device_id_parse(text, again, NULL) == 0);
	FUZZ_CHECK(memcmp(id, again, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	uint8_t id[RELAY_DEVICE_ID_LEN], before[RELAY_DEVICE_ID_LEN];
	struct relay_err err;

	memset(&err, 'x', sizeof(err));
	memset(before, 0xaa, sizeof(before));
	memcpy(id, before, sizeof(id));
	if (relay_device_id_parse(text, id, &err) == 0) {
		check_round_trip(id);
	} else {
		FUZZ_CHECK(memchr(err.text, '\0', sizeof(err.text)));
		FUZZ_CHECK(memcmp(id, before, sizeof(id)) == 0);
	}
	if (size >= RELAY_DEVICE_ID_LEN)
		check_round_trip(data);
	free(text);
	return 0;
}
