/* SPDX-License-Identifier: MPL-2.0 */

/* Host names, looked up by the C library's own threads. */

#include <stdlib.h>
#include <string.h>

#include "lookup.h"

struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char host[256];
};

struct lookup *lookup_begin(const char *host)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	struct gaicb *list[1];

	if (!lookup)
		return NULL;
	if (strlen(host) >= sizeof(lookup->host)) {
		free(lookup);
		return NULL;
	}
	memcpy(lookup->host, host, strlen(host));
	lookup->hints.ai_socktype = SOCK_STREAM;
	lookup->request.ar_name = lookup->host;
	lookup->request.ar_request = &lookup->hints;
	list[0] = &lookup->request;
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
		free(lookup);
		return NULL;
	}
	return lookup;
}

int lookup_result(struct lookup *lookup, const struct addrinfo **list)
{
	int error = gai_error(&lookup->request);

	*list = error ? NULL : lookup->request.ar_result;
	return error;
}

void lookup_end(struct lookup *lookup)
{
	if (!lookup)
		return;
	/* A thread still writes to what cannot be cancelled. */
	if (gai_error(&lookup->request) == EAI_INPROGRESS &&
		gai_cancel(&lookup->request) == EAI_NOTCANCELED)
		return;
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup);
}
