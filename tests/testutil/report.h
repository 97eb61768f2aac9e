/* SPDX-License-Identifier: MPL-2.0 */

/*
 * report.h - prints the results of -test, step by step, as text or JSON on
 * stdout.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <strelaysrv/client.h>

struct report {
	bool json;
	int64_t begin_us; /* start of the current step; set by the caller */
	void *steps;      /* cJSON array; owned */
	char relay[320];  /* host:port; "" before there is one */
	char id[RELAY_DEVICE_ID_TEXT];
	unsigned attempts;
	int64_t round_trip_us;
	int64_t bytes_per_s;
};

/* 0, or -1 if memory is short. */
int report_init(struct report *report, bool json,
	const uint8_t id[RELAY_DEVICE_ID_LEN]);
void report_finish(struct report *report);

/*
 * Reports a completed step and its duration; remark may be "".  Text is printed
 * at once.
 */
void report_step(struct report *report, const char *name, int64_t took_us,
	const char *remark);

/*
 * Ends the report. why is NULL on success; else `step` is the failed step.
 * Prints a last line OK or FAIL, on stderr if stdout has JSON.  0, or -1 if
 * stdout could not be written.
 */
int report_end(struct report *report, const char *step,
	const struct relay_client_error *why);

#endif
