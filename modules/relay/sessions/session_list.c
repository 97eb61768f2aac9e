/* SPDX-License-Identifier: MPL-2.0 */

/* Every session of the server. */

#include <utlist.h>

#include "relay/sessions/session_list.h"

int session_list_init(struct session_list *list)
{
	list->first = NULL;
	list->count = 0;
	return pthread_mutex_init(&list->lock, NULL) == 0 ? 0 : -1;
}

void session_list_finish(struct session_list *list)
{
	pthread_mutex_destroy(&list->lock);
}

void session_list_add(struct session_list *list, struct session_place *place)
{
	pthread_mutex_lock(&list->lock);
	DL_PREPEND(list->first, place);
	list->count++;
	pthread_mutex_unlock(&list->lock);
}

void session_list_remove(struct session_list *list, struct session_place *place)
{
	pthread_mutex_lock(&list->lock);
	DL_DELETE(list->first, place);
	list->count--;
	pthread_mutex_unlock(&list->lock);
}

size_t session_list_count(struct session_list *list)
{
	size_t count;

	pthread_mutex_lock(&list->lock);
	count = list->count;
	pthread_mutex_unlock(&list->lock);
	return count;
}

void session_list_each(struct session_list *list, size_t most,
	void (*fn)(int worker, uint64_t session, void *arg), void *arg)
{
	pthread_mutex_lock(&list->lock);
	for (const struct session_place *place = list->first; place && most > 0;
		place = place->next, most--)
		fn(place->worker, place->session, arg);
	pthread_mutex_unlock(&list->lock);
}
