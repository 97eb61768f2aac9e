/* SPDX-License-Identifier: MPL-2.0 */

/* pingpong: round trips of small messages, one at a time in each session. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bulk.h"
#include "commands.h"
#include "pattern.h"
#include "report.h"

struct pingpong {
	struct bench *bench;
	size_t size;
	bool measuring;
	struct event *phase; /* end of the warm-up, then of the measurement */
	struct meter begin, end;
	struct histogram times;

	uint64_t failed_setups;
	int64_t setup_ns;
	struct bulk *bulk; /* NULL: no bulk load */
	size_t bulk_count;
	uint64_t *received; /* scratch, one for each bulk session */
	uint64_t bulk_begin, bulk_end;
	struct histogram delays; /* of bytes in the bulk sessions */
};

/* A session has two of these: one measures, the other echoes. */
struct player {
	struct pingpong *game;
	int fd;
	unsigned stream;
	bool echoes;
	struct event event;
	size_t got; /* bytes of the current message */
	uint64_t position;
	int64_t sent_ns;
};

static void fail(struct player *player, enum failure why)
{
	event_del(&player->event);
	tally_add(&player->game->bench->tally, why);
}

/* A message always fits, because a session has only one at a time. */
static void send_message(struct player *player)
{
	ssize_t n =
		send(player->fd, pattern_at(player->stream, player->position),
			player->game->size, MSG_NOSIGNAL);

	if (n < 0)
		fail(player, failure_of_errno(errno));
	else if ((size_t)n < player->game->size)
		fail(player, FAILURE_LOCAL);
}

static void begin_round(struct player *player)
{
	player->sent_ns = meter_now_ns();
	send_message(player);
}

static void got_message(struct player *player)
{
	struct pingpong *game = player->game;

	if (player->echoes) {
		send_message(player);
	} else if (game->measuring) {
		histogram_add(&game->times, meter_now_ns() - player->sent_ns);
	}
	player->position += game->size;
	player->got = 0;
	if (!player->echoes)
		begin_round(player);
}

static void receive(evutil_socket_t fd, short what, void *arg)
{
	struct player *player = arg;
	uint8_t buffer[65536];
	ssize_t n = recv(fd, buffer, player->game->size - player->got, 0);

	(void)what;
	if (n == 0) {
		fail(player, FAILURE_CLOSED);
	} else if (n < 0) {
		if (errno != EAGAIN)
			fail(player, failure_of_errno(errno));
	} else if (!pattern_fits(player->stream, player->position + player->got,
			   buffer, (size_t)n)) {
		fail(player, FAILURE_DATA);
	} else {
		player->got += (size_t)n;
		if (player->got == player->game->size)
			got_message(player);
	}
}

static uint64_t bulk_bytes(const struct pingpong *game)
{
	uint64_t sum = 0;

	if (!game->bulk)
		return 0;
	bulk_read(game->bulk, game->received);
	for (size_t i = 0; i < game->bulk_count; i++)
		sum += game->received[i];
	return sum;
}

static void next_phase(evutil_socket_t fd, short what, void *arg)
{
	struct pingpong *game = arg;
	const struct settings *s = game->bench->settings;
	const struct timeval length = {(time_t)(s->seconds_ms / 1000),
		(suseconds_t)(s->seconds_ms % 1000 * 1000)};

	(void)fd;
	(void)what;
	if (game->measuring) {
		game->bulk_end = bulk_bytes(game);
		meter_read(&game->end, s->server_pid);
		bench_stop(game->bench);
		return;
	}
	game->measuring = true;
	evtimer_add(game->phase, &length);
	game->bulk_begin = bulk_bytes(game);
	if (game->bulk)
		bulk_time(game->bulk);
	meter_read(&game->begin, s->server_pid);
}

static void place(struct player *player, struct pingpong *game, unsigned stream,
	int fd, bool echoes)
{
	player->game = game;
	player->fd = fd;
	player->stream = stream;
	player->echoes = echoes;
	event_assign(&player->event, game->bench->base, fd,
		EV_READ | EV_PERSIST, receive, player);
	event_add(&player->event, NULL);
}

static void play(struct pingpong *game, struct player *players,
	const struct pair *pairs, size_t count)
{
	const struct settings *s = game->bench->settings;
	const struct timeval warmup = {(time_t)(s->warmup_ms / 1000),
		(suseconds_t)(s->warmup_ms % 1000 * 1000)};

	for (unsigned i = 0; i < count; i++) {
		place(&players[2 * i], game, i, pairs[i].client, false);
		place(&players[2 * i + 1], game, i, pairs[i].server, true);
		begin_round(&players[2 * i]);
	}
	game->phase = evtimer_new(game->bench->base, next_phase, game);
	if (game->phase && !evtimer_add(game->phase, &warmup))
		bench_run(game->bench);
	for (size_t i = 0; i < 2 * count; i++)
		event_del(&players[i].event);
	if (game->phase)
		event_free(game->phase);
}

static int report(const struct pingpong *game)
{
	double seconds =
		(double)(game->end.time_ns - game->begin.time_ns) / 1e9;
	if (!game->end.time_ns)
		return 2;
	report_begin("pingpong");
	report_count("sessions", (uint64_t)game->bench->settings->sessions);
	report_count("failed_setups", game->failed_setups);
	report_count("round_trips", game->times.count);
	report_number("per_s", (double)game->times.count / seconds);
	report_latency("round_trip", &game->times);
	report_number("first_setup_us", (double)game->setup_ns / 1e3);
	if (game->bulk_count) {
		report_number("bulk_gib_per_s",
			(double)(game->bulk_end - game->bulk_begin) / seconds /
				(1024.0 * 1024 * 1024));
		report_latency("bulk_delay", &game->delays);
	}
	report_meters(&game->begin, &game->end);
	report_end(&game->bench->tally);
	return tally_total(&game->bench->tally) ? 1 : 0;
}

/*
 * Bulk load at a lower priority, so that it does not keep the measuring thread
 * from the CPU: the relay is to be measured.
 */
static int start_bulk(struct pingpong *game, const struct pair *pairs)
{
	const struct bulk_plan plan = {
		.write_size = (size_t)game->bench->settings->write_size,
		.check = game->bench->settings->check,
		.background = true,
		.delays = &game->delays,
	};

	if (!game->bulk_count)
		return 0;
	game->received = calloc(game->bulk_count, sizeof(*game->received));
	if (game->received)
		game->bulk = bulk_start(
			pairs, game->bulk_count, &plan, &game->bench->tally);
	return game->bulk ? 0 : -1;
}

int command_pingpong(struct bench *bench)
{
	static struct pingpong game; /* too large for the stack */
	const struct settings *s = bench->settings;
	size_t count = (size_t)s->sessions, all = count + (size_t)s->bulk;
	struct player *players = calloc(2 * count, sizeof(*players));
	struct pairs pairs;
	int result = 2;

	game.bench = bench;
	game.size = (size_t)s->size;
	game.bulk_count = (size_t)s->bulk;
	if (!pairs_make(&pairs, bench, all) && players &&
		!start_bulk(&game, pairs.list + count)) {
		game.failed_setups = pairs.failed_setups;
		game.setup_ns = pairs.setup_ns;
		play(&game, players, pairs.list, count);
		bulk_stop(game.bulk);
		result = report(&game);
	}
	free(game.received);
	pairs_finish(&pairs);
	free(players);
	return result;
}
