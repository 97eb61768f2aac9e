/* SPDX-License-Identifier: MPL-2.0 */

/* Prints the results of -test, step by step, as text or JSON on stdout. */

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <strelaysrv/units.h>

#include "client_state.h"
#include "report.h"

int report_init(
	struct report *report, bool json, const uint8_t id[RELAY_DEVICE_ID_LEN])
{
	*report = (struct report){.json = json, .attempts = 1};
	relay_device_id_format(id, report->id);
	report->steps = cJSON_CreateArray();
	report->begin_us = client_now_us();
	return report->steps ? 0 : -1;
}

void report_finish(struct report *report)
{
	cJSON_Delete(report->steps);
	report->steps = NULL;
}

static double ms(int64_t us)
{
	return (double)us / 1000;
}

void report_step(struct report *report, const char *name, int64_t took_us,
	const char *remark)
{
	cJSON *step;

	if (!report->json) {
		(void)printf("%-10s %9.2f ms%s%s\n", name, ms(took_us),
			*remark ? "  " : "", remark);
		(void)fflush(stdout);
		return;
	}
	/* If memory is short, entries are missing from the report. */
	step = cJSON_CreateObject();
	(void)cJSON_AddStringToObject(step, "name", name);
	(void)cJSON_AddNumberToObject(step, "ms", ms(took_us));
	if (report->relay[0])
		(void)cJSON_AddStringToObject(step, "relay", report->relay);
	if (!cJSON_AddItemToArray(report->steps, step))
		cJSON_Delete(step);
}

static void add_success(cJSON *all, const struct report *report)
{
	(void)cJSON_AddNumberToObject(
		all, "roundTripMs", ms(report->round_trip_us));
	(void)cJSON_AddNumberToObject(
		all, "throughputBytesPerSecond", (double)report->bytes_per_s);
}

static void add_failure(
	cJSON *all, const char *step, const struct relay_client_error *why)
{
	(void)cJSON_AddStringToObject(all, "failedStep", step);
	(void)cJSON_AddStringToObject(
		all, "failure", relay_client_failure_word((int)why->failure));
	(void)cJSON_AddStringToObject(all, "error", why->text);
}

static int print_json(struct report *report, const char *step,
	const struct relay_client_error *why)
{
	cJSON *all = cJSON_CreateObject();
	char *text;
	int result;

	(void)cJSON_AddBoolToObject(all, "ok", !why);
	(void)cJSON_AddStringToObject(all, "id", report->id);
	(void)cJSON_AddStringToObject(all, "relay", report->relay);
	(void)cJSON_AddNumberToObject(all, "attempts", report->attempts);
	if (cJSON_AddItemToObject(all, "steps", report->steps))
		report->steps = NULL;
	if (why)
		add_failure(all, step, why);
	else
		add_success(all, report);
	text = cJSON_Print(all);
	result = text && puts(text) >= 0 ? 0 : -1;
	cJSON_free(text);
	cJSON_Delete(all);
	return result;
}

int report_end(struct report *report, const char *step,
	const struct relay_client_error *why)
{
	FILE *verdict = report->json ? stderr : stdout;
	int result = 0;

	if (report->json)
		result = print_json(report, step, why);
	else if (why)
		(void)printf("%-10s failed after %.2f ms (%s): %s\n", step,
			ms(client_now_us() - report->begin_us),
			relay_client_failure_word((int)why->failure),
			why->text);
	if (fflush(stdout) || ferror(stdout))
		result = -1;
	(void)fputs(why || result ? "FAIL\n" : "OK\n", verdict);
	return fflush(verdict) ? -1 : result;
}
