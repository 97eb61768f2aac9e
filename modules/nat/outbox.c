/* SPDX-License-Identifier: MPL-2.0 */

/* A queue of news from a keeper's thread. */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "outbox.h"

int outbox_init(struct outbox *box, struct relay_err *err)
{
	*box = (struct outbox){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	if (box->fd < 0)
		return relay_fail(
			err, "cannot make an eventfd: %s", strerror(errno));
	if (pthread_mutex_init(&box->lock, NULL) == 0)
		return 0;
	(void)close(box->fd);
	return relay_fail(err, "cannot make a mutex");
}

void outbox_finish(struct outbox *box)
{
	(void)close(box->fd);
	pthread_mutex_destroy(&box->lock);
}

static void announce(const struct outbox *box)
{
	const uint64_t one = 1;

	/* It is readable already if this would block. */
	if (write(box->fd, &one, sizeof(one)) < 0)
		return;
}

void outbox_put(struct outbox *box, const struct keeper_news *news)
{
	pthread_mutex_lock(&box->lock);
	if (box->count == OUTBOX_NEWS)
		memmove(box->news, box->news + 1, --box->count * sizeof(*news));
	box->news[box->count++] = *news;
	pthread_mutex_unlock(&box->lock);
	announce(box);
}

void outbox_put_refusals(struct outbox *box, struct refusals *refusals)
{
	bool any = false;

	pthread_mutex_lock(&box->lock);
	for (int i = 0; i < REFUSALS; i++) {
		if (!refusals->counts[i])
			continue;
		any = true;
		box->refused.counts[i] += refusals->counts[i];
		box->refused.last[i] = refusals->last[i];
		refusals->counts[i] = 0;
	}
	pthread_mutex_unlock(&box->lock);
	if (any)
		announce(box);
}

bool outbox_take(struct outbox *box, struct keeper_news *out)
{
	uint64_t count;
	bool any;

	if (read(box->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&box->lock);
	any = box->count > 0;
	if (any) {
		*out = box->news[0];
		memmove(box->news, box->news + 1, --box->count * sizeof(*out));
	}
	pthread_mutex_unlock(&box->lock);
	return any;
}

void outbox_take_refusals(struct outbox *box, struct refusals *out)
{
	pthread_mutex_lock(&box->lock);
	*out = box->refused;
	memset(box->refused.counts, 0, sizeof(box->refused.counts));
	pthread_mutex_unlock(&box->lock);
}
