/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the values that exporters show for stored numbers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <strelaysrv/metric.h>

static struct relay_sample sample_of(
	struct relay_metric_def *def, int64_t scale, int64_t value)
{
	def->scale = scale;
	return (struct relay_sample){.def = def, .value = value};
}

static void values_are_divided_by_the_scale(void **state)
{
	static const struct {
		int64_t scale, stored;
		double value;
		const char *text;
	} rows[] = {
		{0, 5, 5, "5"},
		{1, INT64_MAX, 9223372036854775807.0, "9223372036854775807"},
		{1000, 20, 0.02, "0.02"},
		{1000, -1500, -1.5, "-1.5"},
		{1000000, 3000000, 3, "3"},
		{1000000000000000000, INT64_MIN, -9.223372036854775808,
			"-9.223372036854775808"},
		{60, 90, 1.5, "1.5"},
	};
	struct relay_metric_def def = {.kind = RELAY_GAUGE};
	char text[RELAY_NUMBER_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct relay_sample sample =
			sample_of(&def, rows[i].scale, rows[i].stored);

		assert_ptr_equal(relay_sample_text(&sample, text), text);
		assert_string_equal(text, rows[i].text);
		assert_true(relay_sample_value(&sample) == rows[i].value);
	}
}

static void observations_have_no_scale(void **state)
{
	struct relay_metric_def def = {.kind = RELAY_HISTOGRAM};
	const struct relay_sample sample = sample_of(&def, 1000000, 20);
	char text[RELAY_NUMBER_TEXT];

	(void)state;
	assert_string_equal(relay_sample_text(&sample, text), "20");
	assert_true(relay_sample_value(&sample) == 20);
	/* The sum and the bounds of a histogram are scaled. */
	assert_string_equal(relay_metric_text(&def, 2500, text), "0.0025");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_divided_by_the_scale),
		cmocka_unit_test(observations_have_no_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
