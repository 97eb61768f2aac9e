/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state. */

#include <stdlib.h>

#include "base/instance.h"
#include "tls/tls_state.h"

int tls_create(void)
{
	struct tls_state *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -1;
	if (pthread_mutex_init(&tls->starting.lock, NULL) != 0)
		goto error_lock;
	if (pthread_cond_init(&tls->starting.changed, NULL) != 0)
		goto error_changed;
	instance->tls = tls;
	return 0;
error_changed:
	(void)pthread_mutex_destroy(&tls->starting.lock);
error_lock:
	free(tls);
	return -1;
}

void tls_destroy(void)
{
	struct tls_state *tls = instance->tls;

	if (!tls)
		return;
	(void)pthread_cond_destroy(&tls->starting.changed);
	(void)pthread_mutex_destroy(&tls->starting.lock);
	free(tls);
	instance->tls = NULL;
}
