/* SPDX-License-Identifier: MPL-2.0 */

/* Random numbers. */

#include <sys/random.h>

#include "cluster/chance.h"

uint64_t chance_number(void)
{
	uint64_t number;

	return getrandom(&number, sizeof(number), GRND_NONBLOCK) ==
			       (ssize_t)sizeof(number)
		       ? number
		       : 0;
}

uint64_t chance_incarnation(void)
{
	uint64_t number = 0;

	for (int tries = 0; tries < 3 && !number; tries++)
		if (getrandom(&number, sizeof(number), 0) !=
			(ssize_t)sizeof(number))
			number = 0;
	return number;
}
