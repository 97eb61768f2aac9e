/* SPDX-License-Identifier: MPL-2.0 */

/* Connections that have not settled yet, grouped by source. */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/prefix_hash.h"
#include "peers/peer_metrics.h"
#include "peers/conn_state.h"
#include "peers/stranger_queue.h"
#include "peers/strangers.h"
#include "peers/strangers_state.h"
#include "tls/tls_random.h"

/* How many strangers of a source are compared to choose one for eviction. */
#define COMPARED 16

int strangers_init(struct strangers *all, int64_t now_ms)
{
	memset(all, 0, sizeof(*all));
	for (unsigned i = 0; i <= STRANGERS_RANKS; i++)
		TAILQ_INIT(&all->ranks[i]);
	for (unsigned i = 0; i < 2; i++)
		TAILQ_INIT(&all->turns[i]);
	suspects_init(&all->suspects, now_ms);
	all->buckets =
		calloc(STRANGERS_BUCKETS, sizeof(struct stranger_source *));
	if (!all->buckets)
		return -1;
	return tls_random_fill((unsigned char *)&all->seed, sizeof(all->seed));
}

void strangers_finish(struct strangers *all)
{
	free(all->buckets);
	all->buckets = NULL;
}

static bool is_v4(const struct relay_conn *conn)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(conn->addr, mapped, sizeof(mapped)) == 0;
}

/* The first bits of its address, independent of the machine's byte order. */
static uint64_t prefix_of(const struct relay_conn *conn, unsigned bits)
{
	const uint8_t *from = conn->addr + (is_v4(conn) ? 12 : 0);
	uint64_t prefix = 0;

	for (unsigned i = 0; i < bits / 8; i++)
		prefix |= (uint64_t)from[i] << (56 - 8 * i);
	return prefix;
}

/* The length of the next wider prefix.  0: there is none. */
static unsigned wider(unsigned bits)
{
	return bits == 64 ? 56 : bits == 56 ? 48 : 0;
}

/* Ranks of the widest sources. */

static void rank(struct strangers *all, struct stranger_source *source, int by)
{
	unsigned was = source->held;
	unsigned top = atomic_load_explicit(&all->most, memory_order_relaxed);

	if (was > STRANGERS_RANKS)
		was = STRANGERS_RANKS;
	if (was)
		TAILQ_REMOVE(&all->ranks[was], source, same);
	source->held += (unsigned)by;
	if (source->held) {
		unsigned is = source->held > STRANGERS_RANKS ? STRANGERS_RANKS
							     : source->held;

		TAILQ_INSERT_TAIL(&all->ranks[is], source, same);
		if (is > top)
			top = is;
	}
	/* `held` fell by one, so the source is in the next lower rank now. */
	if (top == was && top && TAILQ_EMPTY(&all->ranks[top]))
		top--;
	atomic_store_explicit(&all->most, top, memory_order_relaxed);
}

static void hold(struct strangers *all, struct stranger_source *source, int by)
{
	for (; source->parent; source = source->parent)
		source->held += (unsigned)by;
	rank(all, source, by);
}

/* Sources: found, made and freed. */

static struct stranger_source **bucket(struct strangers *all, uint64_t hash)
{
	return &all->buckets[hash & (STRANGERS_BUCKETS - 1)];
}

static struct stranger_source *source_find(
	struct strangers *all, uint64_t hash, uint64_t prefix, unsigned bits)
{
	struct stranger_source *source = *bucket(all, hash);

	while (source && (source->prefix != prefix || source->bits != bits))
		source = source->bucket_next;
	return source;
}

static struct stranger_source *source_make(struct strangers *all, uint64_t hash,
	uint64_t prefix, unsigned bits, struct stranger_source *parent)
{
	struct stranger_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->prefix = prefix;
	source->bits = bits;
	source->hash = hash;
	source->parent = parent;
	TAILQ_INIT(&source->narrower);
	TAILQ_INIT(&source->narrower_turns);
	TAILQ_INIT(&source->strangers);
	for (unsigned i = 0; i < STRANGER_QUEUES; i++)
		TAILQ_INIT(&source->queues[i]);
	if (parent)
		TAILQ_INSERT_TAIL(&parent->narrower, source, same);
	source->bucket_next = *bucket(all, hash);
	*bucket(all, hash) = source;
	all->sources++;
	return source;
}

/* Frees the source and the wider ones, if they have no strangers left. */
static void sources_drop(struct strangers *all, struct stranger_source *source)
{
	while (source && source->held == 0) {
		struct stranger_source *parent = source->parent;
		struct stranger_source **at = bucket(all, source->hash);

		while (*at != source)
			at = &(*at)->bucket_next;
		*at = source->bucket_next;
		if (parent)
			TAILQ_REMOVE(&parent->narrower, source, same);
		free(source);
		all->sources--;
		source = parent;
	}
}

static struct stranger_source *source_of(
	struct strangers *all, const struct relay_conn *conn, unsigned bits)
{
	uint64_t prefix = prefix_of(conn, bits);
	uint64_t hash = prefix_hash(all->seed, prefix, 0, bits);
	struct stranger_source *source = source_find(all, hash, prefix, bits);
	struct stranger_source *parent = NULL;

	if (source)
		return source;
	if (wider(bits)) {
		parent = source_of(all, conn, wider(bits)); /* max. 2 levels */
		if (!parent)
			return NULL;
	}
	source = source_make(all, hash, prefix, bits, parent);
	if (!source)
		sources_drop(all, parent);
	return source;
}

static const struct stranger_source *widest(
	const struct stranger_source *source)
{
	while (source->parent)
		source = source->parent;
	return source;
}

/* Strangers: they enter, settle or leave. */

int strangers_enter(struct strangers *all, struct relay_conn *conn)
{
	struct stranger *stranger = malloc(sizeof(*stranger));
	struct stranger_source *source;

	if (!stranger)
		return -1;
	source = source_of(all, conn, is_v4(conn) ? 32 : 64);
	if (!source) {
		free(stranger);
		return -1;
	}
	stranger->conn = conn;
	stranger->source = source;
	stranger->queue = STRANGER_NO_QUEUE;
	TAILQ_INSERT_TAIL(&source->strangers, stranger, all);
	hold(all, source, 1);
	all->count++;
	conn->stranger = stranger;
	peer_count(conn->worker->shard, PEER_STRANGERS, 0, 1);
	return 0;
}

static void leave(struct strangers *all, struct relay_conn *conn)
{
	struct stranger *stranger = conn->stranger;
	struct stranger_source *source = stranger->source;

	stranger_queue_remove(all, stranger);
	TAILQ_REMOVE(&source->strangers, stranger, all);
	hold(all, source, -1);
	sources_drop(all, source);
	all->count--;
	peer_count(conn->worker->shard, PEER_STRANGERS, 0, -1);
	free(stranger);
	conn->stranger = NULL;
}

void strangers_settle(
	struct strangers *all, struct relay_conn *conn, int64_t now_ms)
{
	if (!conn->stranger)
		return;
	suspects_settled(
		&all->suspects, widest(conn->stranger->source)->hash, now_ms);
	leave(all, conn);
}

void strangers_leave(struct strangers *all, struct relay_conn *conn, bool heard,
	int64_t now_ms)
{
	if (!conn->stranger)
		return;
	if (heard)
		suspects_failed(&all->suspects,
			widest(conn->stranger->source)->hash, now_ms);
	leave(all, conn);
}

/* The progress of a stranger.  0: it lingers, 1: no byte has arrived, 2: no
 * handshake step is done, 3: some steps are done, 4: the handshake is done. */
static unsigned progress(const struct relay_conn *conn)
{
	if (conn->phase == CONN_LINGERING)
		return 0;
	if (conn->phase == CONN_OPENING)
		return 1;
	if (conn->phase == CONN_HANDSHAKE)
		return conn->tls ? 3 : 2;
	return 4;
}

static const struct stranger_source *fullest(const struct strangers *all)
{
	unsigned top = atomic_load_explicit(&all->most, memory_order_relaxed);
	const struct stranger_source *source, *one, *most;

	if (!top)
		return NULL;
	source = TAILQ_FIRST(&all->ranks[top]);
	/* A source has 256 narrower ones at most. */
	while (!TAILQ_EMPTY(&source->narrower)) {
		most = TAILQ_FIRST(&source->narrower);
		TAILQ_FOREACH(one, &source->narrower, same)
		if (one->held > most->held)
			most = one;
		source = most;
	}
	return source;
}

struct relay_conn *strangers_least(
	const struct strangers *all, const struct relay_conn *newcomer)
{
	const struct stranger_source *source = fullest(all);
	struct relay_conn *least = NULL;
	const struct stranger *one;

	if (!source)
		return NULL;
	one = TAILQ_FIRST(&source->strangers);
	for (unsigned seen = 0; one && seen < COMPARED;
		one = TAILQ_NEXT(one, all)) {
		if (one->conn == newcomer)
			continue;
		if (!least || progress(one->conn) < progress(least))
			least = one->conn;
		seen++;
	}
	return least;
}
