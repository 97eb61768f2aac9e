/* SPDX-License-Identifier: MPL-2.0 */

/* What a session's home is told. */

#include "peers/conn_state.h"
#include "peers/peers_state.h"
#include "peers/session_home.h"
#include "peers/session_state.h"
#include "workers/workers.h"

static void heard_of_move(struct loop *loop, void *arg)
{
	struct peers *peers = peers_of_loop(loop);
	const struct session_news *news = arg;

	object_table_moved(
		&peers->sessions, news->session, news->to, news->moves);
	for (int side = 0; side < 2; side++)
		object_table_moved(
			&peers->conns, news->conn[side], news->to, news->moves);
}

static void heard_of_end(struct loop *loop, void *arg)
{
	struct peers *peers = peers_of_loop(loop);
	const struct session_news *news = arg;

	object_table_ended(&peers->sessions, news->session);
	for (int side = 0; side < 2; side++)
		object_table_ended(&peers->conns, news->conn[side]);
}

/* Without memory the ids lead astray, or are never free: that does no harm. */
static void tell(uint32_t home, const struct session_news *news, loop_fn *heard)
{
	(void)loop_post(&workers_get(home)->loop, heard, news, sizeof(*news));
}

void session_news_read(const struct relay_session *session, unsigned to,
	struct session_news *news)
{
	*news = (struct session_news){
		.session = session->id, .to = to, .moves = session->moves};
	for (int side = 0; side < 2; side++)
		news->conn[side] = session->conn[side]->id;
}

void session_news_moved(
	const struct session_news *news, const struct worker *from)
{
	uint32_t home = object_table_home(news->session);

	/* One that leaves home, or comes home, is noticed there. */
	if (home != (uint32_t)from->loop.index && home != news->to)
		tell(home, news, heard_of_move);
}

void session_news_ended(const struct relay_session *session)
{
	uint32_t home = object_table_home(session->id);
	struct session_news news;

	if (home == (uint32_t)session->worker->loop.index)
		return;
	session_news_read(session, home, &news);
	tell(home, &news, heard_of_end);
}
