/* SPDX-License-Identifier: MPL-2.0 */

/* quota-clock: the module quota, with a clock that reads its time from a file.
 * */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "quota/clock.h"

/* The file that QUOTA_CLOCK names holds seconds since 1970. */
int64_t clock_now_s(void)
{
	const char *path = getenv("QUOTA_CLOCK");
	FILE *file = path ? fopen(path, "re") : NULL;
	int64_t now = 0;

	if (!file || fscanf(file, "%" SCNd64, &now) != 1)
		abort();
	fclose(file);
	return now;
}
