/* SPDX-License-Identifier: MPL-2.0 */

/* Counts the results of good clients. */

#include <stdio.h>

#include "kind.h"
#include "meter.h"
#include "report.h"

#define NAME_SIZE 64

void kind_ended(struct kind *kind, int64_t begin_ns, enum failure why)
{
	kind->under_way--;
	if (why)
		tally_add(&kind->failed, why);
	else
		histogram_add(&kind->times, meter_now_ns() - begin_ns);
}

void kind_report(const char *name, const struct kind *kind)
{
	char field[NAME_SIZE];

	snprintf(field, sizeof(field), "%s_done", name);
	report_count(field, kind->times.count);
	report_latency(name, &kind->times);
	snprintf(field, sizeof(field), "%s_failed", name);
	report_tally(field, &kind->failed);
}
