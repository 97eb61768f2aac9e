/* SPDX-License-Identifier: MPL-2.0 */

/* Devices with a higher weight, or without a limit. */

#include <stdlib.h>
#include <string.h>

#include <strelaysrv/units.h>

#include "privileges.h"

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, RELAY_DEVICE_ID_LEN);
}

static int read_weight(
	const char *entry, struct privilege *out, struct relay_err *err)
{
	const char *equals = strrchr(entry, '=');
	struct relay_err why;
	char id[129];

	/* A device ID may also end in '=', but no weight follows that. */
	if (!equals || (size_t)(equals - entry) >= sizeof(id))
		return relay_fail(err,
			"weights: \"%.150s\" is not DEVICE-ID=WEIGHT", entry);
	memcpy(id, entry, (size_t)(equals - entry));
	id[equals - entry] = '\0';
	if (relay_device_id_parse(id, out->id, &why) != 0)
		return relay_fail(
			err, "weights: \"%.80s\": %.150s", id, why.text);
	if (relay_int_parse(equals + 1, &out->weight, &why) != 0 ||
		out->weight < 1 || out->weight > WEIGHT_MOST)
		return relay_fail(err,
			"weights: \"%.40s\" is not a weight; use 1 to %d",
			equals + 1, WEIGHT_MOST);
	return 0;
}

static int read_exempt(
	const char *entry, struct privilege *out, struct relay_err *err)
{
	struct relay_err why;

	out->weight = WEIGHT_EXEMPT;
	if (relay_device_id_parse(entry, out->id, &why) == 0)
		return 0;
	return relay_fail(err, "exempt: \"%.80s\": %.150s", entry, why.text);
}

static size_t length(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

int privileges_read(struct privileges *out, const char *const *weights,
	const char *const *exempt, struct relay_err *err)
{
	size_t most = length(weights) + length(exempt);

	*out = (struct privileges){
		.list = calloc(most ? most : 1, sizeof(*out->list))};
	if (!out->list)
		return relay_fail(err, "out of memory");
	for (size_t i = 0; weights[i]; i++)
		if (read_weight(weights[i], &out->list[out->count++], err))
			goto error;
	for (size_t i = 0; exempt[i]; i++)
		if (read_exempt(exempt[i], &out->list[out->count++], err))
			goto error;
	qsort(out->list, out->count, sizeof(*out->list), compare);
	for (size_t i = 1; i < out->count; i++)
		if (compare(&out->list[i - 1], &out->list[i]) == 0) {
			relay_fail(err, "a device is listed twice in weights "
					"and exempt");
			goto error;
		}
	return 0;

error:
	privileges_free(out);
	return -1;
}

void privileges_free(struct privileges *privileges)
{
	free(privileges->list);
	*privileges = (struct privileges){0};
}

int64_t privileges_weight(
	const struct privileges *privileges, const uint8_t *id)
{
	const struct privilege *found =
		privileges->count
			? bsearch(id, privileges->list, privileges->count,
				  sizeof(*privileges->list), compare)
			: NULL;

	return found ? found->weight : 1;
}
