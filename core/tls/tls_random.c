/* SPDX-License-Identifier: MPL-2.0 */

/* The kernel's random numbers. */

#include <errno.h>
#include <sys/random.h>

#include "tls/tls_random.h"

int tls_random_fill(unsigned char *out, size_t len)
{
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			out += n;
			len -= (size_t)n;
		}
	}
	return 0;
}
