/* SPDX-License-Identifier: MPL-2.0 */

/* A metric's stored numbers as exporters show them: divided by its scale. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <strelaysrv/metric.h>

static bool is_power_of_ten(int64_t n)
{
	while (n > 1 && n % 10 == 0)
		n /= 10;
	return n == 1;
}

/* A double would lose the last digits of a busy relay's byte counts. */
static void print(int64_t stored, int64_t scale, char out[RELAY_NUMBER_TEXT])
{
	uint64_t size = stored < 0 ? 0 - (uint64_t)stored : (uint64_t)stored;
	uint64_t unit = (uint64_t)scale, rest;
	size_t len;

	if (scale <= 1) {
		(void)snprintf(out, RELAY_NUMBER_TEXT, "%" PRId64, stored);
		return;
	}
	if (!is_power_of_ten(scale)) {
		(void)snprintf(out, RELAY_NUMBER_TEXT, "%.17g",
			(double)stored / (double)scale);
		return;
	}
	(void)snprintf(out, RELAY_NUMBER_TEXT, "%s%" PRIu64,
		stored < 0 ? "-" : "", size / unit);
	len = strlen(out);
	rest = size % unit;
	if (rest)
		out[len++] = '.';
	/* At most 18 digits, because the largest unit is 10^18. */
	for (; rest; rest %= unit) {
		rest *= 10;
		out[len++] = (char)('0' + rest / unit);
	}
	out[len] = '\0';
}

const char *relay_metric_text(const struct relay_metric_def *def,
	int64_t stored, char out[RELAY_NUMBER_TEXT])
{
	print(stored, def->scale, out);
	return out;
}

/* The value of a histogram counts observations, to which no scale applies. */
static int64_t scale_of(const struct relay_sample *sample)
{
	return sample->def->kind == RELAY_HISTOGRAM || sample->def->scale <= 1
		       ? 1
		       : sample->def->scale;
}

const char *relay_sample_text(
	const struct relay_sample *sample, char out[RELAY_NUMBER_TEXT])
{
	print(sample->value, scale_of(sample), out);
	return out;
}

double relay_sample_value(const struct relay_sample *sample)
{
	return (double)sample->value / (double)scale_of(sample);
}
