/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The pump: moves one flow's bytes, up to a bound in each call.
 *
 * At first, a flow receives into the worker's buffer and sends from it at once.
 * All sessions share the buffer, so it stays in the CPU's cache and needs no
 * memory per session.  When a read fills it, the flow is in bulk: splice moves
 * the bytes through a pipe without copying them, until reads are small again.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/log.h"
#include "peers/peer_metrics.h"
#include "net/socket_memory.h"
#include "peers/conn_state.h"
#include "peers/peers_shared.h"
#include "peers/peers_state.h"
#include "peers/pump.h"
#include "peers/session_state.h"
#include "peers/stall.h"

/* Bulk mode ends after this many reads in a row that do not fill the buffer. */
#define SMALL_READS 2
/* A run that moves this many bytes takes some 50 us, which delays others. */
#define HEAVY 262144
/*
 * While at most FIRST_PIECE is read at once, less than PROVEN bytes can move to
 * a reader that reads nothing: its receive window and our send buffer on a
 * short path hold no more.  A session that stays below PROVEN holds some 512
 * KiB.
 */
#define PROVEN      524288
#define FIRST_PIECE 65536

static bool again(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Marks the session as not idle.  Sent bytes count as well: readers may be
 * slow. */
static void alive(struct relay_session *session)
{
	session->moved_ms = atomic_load_explicit(
		&session->worker->loop.turn_ms, memory_order_relaxed);
}

/* The sink has taken bytes: from now on the kernel sizes the source's buffer.
 */
static void open_source(struct relay_session *session, int from)
{
	session->flow[from].autotuned = true;
	if (!peers_of(session->worker)->socket_buffer &&
		!session->stall[from].buffers)
		(void)socket_memory_open(session->conn[from]->fd,
			stall_bounds_sink(session, 1 - from));
}

static void moved(struct relay_session *session, int from, size_t len)
{
	struct worker *worker = session->worker;

	session->flow[from].bytes += len;
	if (session->flow[from].bytes >= PROVEN &&
		!session->flow[from].autotuned)
		open_source(session, from);
	alive(session);
	peer_count(worker->shard, PEER_SESSION_TRAFFIC, 0, (int64_t)len);
	if (worker->hooks->session_sent_count)
		hooks_session_sent(worker->hooks, session, from, len);
}

/* PUMP_MORE: all of the tail was sent, go on. */
static enum pump_state send_tail(
	struct relay_session *session, struct flow *flow, int to)
{
	ssize_t sent = send(
		to, flow->tail + flow->tail_at, flow->tail_len, MSG_NOSIGNAL);

	if (sent < 0 && !again(errno))
		return PUMP_BROKEN;
	if (sent > 0) {
		alive(session);
		flow->tail_at += (size_t)sent;
		flow->tail_len -= (size_t)sent;
	}
	if (flow->tail_len) {
		flow->writable = false;
		return PUMP_IDLE;
	}
	free(flow->tail);
	flow->tail = NULL;
	return PUMP_MORE;
}

/* Whether splice is refused in general, rather than for this connection.  Then
 * recv() and send() are used, and their results count. */
static bool splice_refused(struct relay_session *session, int error)
{
	if (!pipe_refused(error))
		return false;
	pipe_pool_refuse(&peers_of(session->worker)->pipes);
	if (!atomic_exchange(&peers_shared()->no_splice, true))
		log_core(RELAY_WARNING,
			"splice(2) is refused: %s; large amounts of data are "
			"copied instead, which takes more processor time",
			strerror(error));
	return true;
}

/* Moves the bytes in the pipe to the tail. */
static enum pump_state unpipe(struct flow *flow)
{
	flow->tail = malloc(flow->piped);
	if (!flow->tail)
		return PUMP_FAILED;
	flow->tail_at = flow->tail_len = 0;
	while (flow->piped) {
		ssize_t got = read(flow->pipe->read_fd,
			flow->tail + flow->tail_len, flow->piped);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return PUMP_BROKEN;
		flow->tail_len += (size_t)got;
		flow->piped -= (size_t)got;
	}
	return PUMP_MORE;
}

static enum pump_state send_piped(
	struct relay_session *session, struct flow *flow, int to)
{
	while (flow->piped) {
		ssize_t sent = splice(flow->pipe->read_fd, NULL, to, NULL,
			flow->piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (sent > 0) {
			alive(session);
			flow->piped -= (size_t)sent;
		} else if (sent < 0 && again(errno)) {
			flow->writable = false;
			return PUMP_IDLE;
		} else if (sent < 0 && splice_refused(session, errno)) {
			enum pump_state state = unpipe(flow);

			return state == PUMP_MORE ? send_tail(session, flow, to)
						  : state;
		} else {
			return PUMP_BROKEN;
		}
	}
	return PUMP_MORE;
}

/* Sends what was read earlier, before more is read. */
static enum pump_state send_pending(
	struct relay_session *session, struct flow *flow, int to)
{
	enum pump_state state = PUMP_MORE;

	if (!flow->tail && !flow->piped)
		return PUMP_MORE;
	if (!flow->writable)
		return PUMP_IDLE;
	if (flow->tail)
		state = send_tail(session, flow, to);
	if (state == PUMP_MORE && flow->piped)
		state = send_piped(session, flow, to);
	return state;
}

static enum pump_state end_of_source(struct flow *flow, int to)
{
	flow->at_eof = true;
	flow->readable = false;
	if (flow->reset)
		return PUMP_BROKEN;
	if (shutdown(to, SHUT_WR) != 0)
		return PUMP_BROKEN;
	flow->done = true;
	return PUMP_IDLE;
}

static enum pump_state keep_tail(
	struct flow *flow, const unsigned char *data, size_t len)
{
	flow->tail = malloc(len);
	if (!flow->tail)
		return PUMP_FAILED;
	memcpy(flow->tail, data, len);
	flow->tail_at = 0;
	flow->tail_len = len;
	flow->writable = false;
	return PUMP_IDLE;
}

/* One recv and one send; sets *got to the number of bytes received. */
static enum pump_state copy(
	struct relay_session *session, int from, size_t want, size_t *got)
{
	struct worker *worker = session->worker;
	struct peers *peers = peers_of(worker);
	struct flow *flow = &session->flow[from];
	int to = session->conn[1 - from]->fd;
	ssize_t sent, len;

	if (want > peers->buffer_len)
		want = peers->buffer_len;
	len = recv(session->conn[from]->fd, peers->buffer, want, 0);
	if (len == 0)
		return end_of_source(flow, to);
	if (len < 0) {
		flow->readable = false;
		return again(errno) ? PUMP_IDLE : PUMP_BROKEN;
	}
	*got = (size_t)len;
	moved(session, from, *got);
	/*
	 * A short read has emptied the socket, so no further read is needed to
	 * find that out; except after a hang-up, when a read must find the end.
	 */
	if (*got < want && !flow->hung_up)
		flow->readable = false;
	flow->bulk = *got == peers->buffer_len;
	sent = send(to, peers->buffer, *got, MSG_NOSIGNAL);
	if (sent < 0 && !again(errno))
		return PUMP_BROKEN;
	if (sent < 0)
		sent = 0;
	if (sent < len)
		return keep_tail(
			flow, peers->buffer + sent, (size_t)(len - sent));
	return PUMP_MORE;
}

/* One splice into the pipe, and as many out of it as are needed. */
static enum pump_state pass(
	struct relay_session *session, int from, size_t want, size_t *got)
{
	struct flow *flow = &session->flow[from];
	int to = session->conn[1 - from]->fd;
	ssize_t len;

	if (want > flow->pipe->size)
		want = flow->pipe->size;
	len = splice(session->conn[from]->fd, NULL, flow->pipe->write_fd, NULL,
		want, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (len == 0)
		return end_of_source(flow, to);
	if (len < 0 && splice_refused(session, errno)) {
		pipe_discard(&peers_of(session->worker)->pipes, flow->pipe);
		flow->pipe = NULL;
		return copy(session, from, want, got);
	}
	if (len < 0) {
		flow->readable = false;
		return again(errno) ? PUMP_IDLE : PUMP_BROKEN;
	}
	*got = flow->piped = (size_t)len;
	moved(session, from, *got);
	flow->small_reads = *got < peers_of(session->worker)->buffer_len
				    ? (uint8_t)(flow->small_reads + 1)
				    : 0;
	if (flow->small_reads >= SMALL_READS) {
		flow->small_reads = 0;
		flow->bulk = false;
	}
	return send_piped(session, flow, to);
}

/* How many bytes may be read now; 0: paused. */
static size_t granted(struct relay_session *session, int from, size_t want)
{
	const struct hook_set *hooks = session->worker->hooks;
	struct flow *flow = &session->flow[from];
	unsigned wait_ms = 1;
	size_t grant;

	if (!hooks->session_grant_count)
		return want;
	grant = hooks_session_grant(hooks, session, from, want, &wait_ms);
	if (grant == 0) {
		flow->resume_ms = loop_clock_ms() + (wait_ms ? wait_ms : 1);
		peer_observe(session->worker->shard, PEER_SHAPING_WAIT, 0,
			wait_ms ? wait_ms : 1);
	}
	return grant;
}

void pump_fit(struct relay_session *session, int from)
{
	struct flow *flow = &session->flow[from];

	if (flow->was_bulk && !flow->fitted && !session->stall[from].buffers &&
		!peers_of(session->worker)->socket_buffer)
		flow->fitted = socket_memory_fit(session->conn[1 - from]->fd);
}

static void tell_no_pipes(struct worker *worker, struct pipe_pool *pool)
{
	peer_count(worker->shard, PEER_PIPES_REFUSED, 0, 1);
	if (!atomic_exchange(&peers_shared()->no_pipes, true))
		log_core(RELAY_WARNING,
			"the kernel gives no pipes, or only small ones (%s; "
			"see fs.pipe-user-pages-soft); large amounts of data "
			"are copied instead, which takes more processor time",
			strerror(pool->refusal));
	pool->refusal = 0;
}

static bool takes_pipe(struct relay_session *session, int from)
{
	struct pipe_pool *pool = &peers_of(session->worker)->pipes;
	struct flow *flow = &session->flow[from];

	if (!flow->bulk)
		return false;
	if (!flow->was_bulk) {
		flow->was_bulk = true;
		pump_fit(session, from);
	}
	if (!flow->pipe)
		flow->pipe = pipe_take(pool);
	if (pool->refusal)
		tell_no_pipes(session->worker, pool);
	return flow->pipe != NULL;
}

static enum pump_state move(struct relay_session *session, int from)
{
	struct flow *flow = &session->flow[from];
	struct worker *worker = session->worker;
	struct peers *peers = peers_of(worker);
	size_t moved_now = 0;
	enum pump_state state;

	for (;;) {
		size_t want = PUMP_BOUND - moved_now, got = 0;
		bool splicing;

		state = send_pending(
			session, flow, session->conn[1 - from]->fd);
		if (state != PUMP_MORE)
			return state;
		if (session->ending && (!flow->left || !flow->readable))
			return end_of_source(flow, session->conn[1 - from]->fd);
		if (!flow->readable)
			return PUMP_IDLE;
		if (moved_now >= PUMP_BOUND)
			return PUMP_MORE;
		splicing = takes_pipe(session, from);
		if (want > (splicing ? flow->pipe->size : peers->buffer_len))
			want = splicing ? flow->pipe->size : peers->buffer_len;
		if (!flow->autotuned && want > FIRST_PIECE)
			want = FIRST_PIECE;
		if (session->ending && want > flow->left)
			want = flow->left;
		want = granted(session, from, want);
		if (want == 0)
			return PUMP_PAUSED;
		state = splicing ? pass(session, from, want, &got)
				 : copy(session, from, want, &got);
		moved_now += got;
		if (session->ending)
			flow->left -= got;
		/* Nothing was left to read: that counts as the end. */
		if (session->ending && state == PUMP_IDLE && !flow->readable &&
			!got && !flow->done)
			continue;
		if (state != PUMP_MORE)
			return state;
	}
}

enum pump_state pump_run(struct relay_session *session, int from)
{
	struct flow *flow = &session->flow[from];
	const uint64_t before = flow->bytes;
	enum pump_state state;

	if (flow->done)
		return PUMP_IDLE;
	if (flow->resume_ms) {
		int64_t now = atomic_load_explicit(
			&session->worker->loop.turn_ms, memory_order_relaxed);

		if (now < flow->resume_ms)
			return PUMP_PAUSED;
		flow->resume_ms = 0;
	}
	state = move(session, from);
	/* A run that reads nothing does not predict the next one. */
	if (flow->bytes != before)
		flow->heavy = flow->bytes - before >= HEAVY;
	/* A flow keeps no pipe that is empty. */
	if (flow->pipe && !flow->piped) {
		pipe_give(&peers_of(session->worker)->pipes, flow->pipe);
		flow->pipe = NULL;
	}
	return state;
}

bool pump_drop(struct relay_session *session, int from)
{
	struct peers *peers = peers_of(session->worker);
	struct flow *flow = &session->flow[from];
	const bool lost = flow->piped || flow->tail_len;

	free(flow->tail);
	flow->tail = NULL;
	flow->tail_len = 0;
	if (flow->piped)
		pipe_discard(&peers->pipes, flow->pipe);
	else if (flow->pipe)
		pipe_give(&peers->pipes, flow->pipe);
	flow->pipe = NULL;
	flow->piped = 0;
	return lost;
}
