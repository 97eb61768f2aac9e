/* SPDX-License-Identifier: MPL-2.0 */

/* All kinds of good clients on one loop. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "echo.h"
#include "good.h"
#include "identity.h"
#include "joiner.h"
#include "meter.h"
#include "pairs.h"
#include "report.h"
#include "scraper.h"
#include "transfer.h"

#define JOIN_EVERY_MS   50
#define SCRAPE_EVERY_MS 100
#define ECHO_EVERY_MS   10
#define MEET_PAUSE_MS   200
#define MEET_PARALLEL   4
#define TRANSFER_BYTES  131072
#define REST_MS         100 /* after the requested device was lost */
#define LOOK_MS         20

struct good {
	struct siege *siege;
	struct pairs pairs; /* the session that exists before the attack */
	struct joiner *joiner;
	struct scraper *scraper;
	struct echo *echo;
	struct event go, look;
	bool told, over;
	int64_t until_ns, give_up_ns;
	struct meter begin;
	uint64_t meetings_begun;
	struct kind joins, meets, transfers, scrapes, echoes;
};

static uint64_t meetings_under_way(const struct good *good)
{
	uint64_t ended = good->meets.times.count +
			 tally_total(&good->siege->bench.tally);

	return good->meetings_begun > ended ? good->meetings_begun - ended : 0;
}

static bool all_done(const struct good *good)
{
	return !good->joins.under_way && !good->transfers.under_way &&
	       !good->scrapes.under_way && !meetings_under_way(good);
}

/* Ends when the time is over and everything started has finished. */
static void look(evutil_socket_t fd, short what, void *arg)
{
	struct good *good = arg;
	const struct timeval next = {0, LOOK_MS * 1000};
	int64_t now = meter_now_ns();

	(void)fd;
	(void)what;
	if (now >= good->until_ns)
		good->over = true;
	if (good->over && (all_done(good) || now >= good->give_up_ns))
		bench_stop(&good->siege->bench);
	else
		evtimer_add(&good->look, &next);
}

static int start_clients(struct good *good)
{
	struct siege *siege = good->siege;

	good->joiner =
		joiner_create(siege, JOIN_EVERY_MS, &good->over, &good->joins);
	if (siege->path)
		good->scraper = scraper_create(
			siege, SCRAPE_EVERY_MS, &good->over, &good->scrapes);
	good->echo = echo_create(siege, good->pairs.list[0].client,
		good->pairs.list[0].server, ECHO_EVERY_MS, &good->over,
		&good->echoes);
	return good->joiner && good->echo && (!siege->path || good->scraper)
		       ? 0
		       : -1;
}

/* A line on stdin: the attack has begun. */
static void go(evutil_socket_t fd, short what, void *arg)
{
	struct good *good = arg;
	struct siege *siege = good->siege;
	char line[16];

	(void)what;
	if (read(fd, line, sizeof(line)) <= 0 || start_clients(good)) {
		bench_stop(&siege->bench);
		return;
	}
	meter_read(&good->begin, siege->settings.server_pid);
	good->until_ns = meter_now_ns() + siege->seconds_ms * 1000000;
	good->give_up_ns =
		good->until_ns + siege->settings.client_timeout_ms * 1000000;
	look(-1, 0, good);
}

static void meeting_device_joined(const uint8_t *id, void *arg)
{
	struct good *good = arg;

	if (good->told)
		return;
	good->told = true;
	printf("ready ");
	for (int i = 0; i < IDENTITY_ID_LEN; i++)
		printf("%02x", id[i]);
	putchar('\n');
	fflush(stdout);
}

static bool may_meet(void *arg)
{
	struct good *good = arg;

	if (good->over)
		return false;
	good->meetings_begun++;
	return true;
}

static void met(int client, int server, int64_t took_ns, void *arg)
{
	struct good *good = arg;

	histogram_add(&good->meets.times, took_ns);
	transfer_start(
		good->siege, client, server, TRANSFER_BYTES, &good->transfers);
}

/* Runs until the time is over, with a new device when one is lost. */
static void meet(struct good *good)
{
	struct bench *bench = &good->siege->bench;
	const struct meetings_plan plan = {.count = SIZE_MAX,
		.enough = SIZE_MAX,
		.parallel = MEET_PARALLEL,
		.pause_ms = MEET_PAUSE_MS,
		.open_house = true,
		.as_syncthing = true,
		.begun = meeting_device_joined,
		.may_begin = may_meet,
		.met = met,
		.arg = good};

	while (!good->over && !bench->limit_passed) {
		struct meetings *meetings = meetings_run(bench, &plan);
		uint64_t lost;

		if (!good->told)
			return; /* it was not started */
		/* Those that were running when the device was lost. */
		for (lost = meetings_under_way(good); lost; lost--)
			tally_add(&bench->tally, FAILURE_CLOSED);
		if (!good->over)
			bench_run_for(bench, REST_MS);
		meetings_destroy(meetings);
	}
}

static void report(const struct good *good)
{
	struct meter now;

	meter_read(&now, good->siege->settings.server_pid);
	report_begin("good");
	kind_report("join", &good->joins);
	kind_report("meet", &good->meets); /* failures: at the end */
	kind_report("transfer", &good->transfers);
	kind_report("scrape", &good->scrapes);
	kind_report("echo", &good->echoes);
	report_meters(&good->begin, &now);
	report_end(&good->siege->bench.tally); /* those of meetings */
}

static int run(struct good *good)
{
	struct bench *bench = &good->siege->bench;

	if (pairs_make(&good->pairs, bench, 1))
		return 2;
	event_assign(&good->go, bench->base, STDIN_FILENO, EV_READ, go, good);
	evtimer_assign(&good->look, bench->base, look, good);
	event_add(&good->go, NULL);
	meet(good);
	if (!good->joiner)
		return 2;
	report(good);
	return 0;
}

int good_run(struct siege *siege)
{
	struct good *good = calloc(1, sizeof(*good));
	int result;

	if (!good)
		return 2;
	good->siege = siege;
	result = run(good);
	joiner_destroy(good->joiner);
	scraper_destroy(good->scraper);
	echo_destroy(good->echo);
	pairs_finish(&good->pairs);
	free(good);
	return result;
}
