/* SPDX-License-Identifier: MPL-2.0 */

/* Moves packets between a wire and two tun devices. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "line.h"

#define PACKET_MAX 65536
/* So that no line keeps the others waiting. */
#define BATCH 64

int64_t line_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool line_read(struct line *line)
{
	static uint8_t packet[PACKET_MAX];
	const int64_t now_ns = line_now_ns();

	for (int i = 0; i < BATCH; i++) {
		ssize_t n = read(line->from, packet, sizeof(packet));

		if (n <= 0)
			return false;
		wire_offer(&line->wire, packet, (size_t)n, now_ns);
	}
	return true;
}

void line_write(struct line *line)
{
	int64_t now_ns = line_now_ns(), due_ns;
	uint8_t *data;
	size_t len;

	while ((data = wire_take(&line->wire, now_ns, &len, &due_ns))) {
		histogram_add(&line->lateness, now_ns - due_ns);
		line->late_ns += (double)(now_ns - due_ns);
		if (write(line->to, data, len) != (ssize_t)len)
			line->unwritten++;
		free(data);
		now_ns = line_now_ns();
	}
}

static void field(const char *name, uint64_t value)
{
	printf(", \"%s\": %" PRIu64, name, value);
}

static void late(const char *name, double ns)
{
	printf(", \"late_%s_us\": %.1f", name, ns / 1000);
}

void line_report(struct line *line)
{
	const struct wire_counts *c = &line->wire.counts;
	const struct histogram *h = &line->lateness;

	printf("{\"from\": \"%s\"", line->name);
	field("offered", c->offered);
	field("queue_full", c->queue_full);
	field("no_room", c->no_room);
	field("lost", c->lost);
	field("reordered", c->reordered);
	field("arrived", c->arrived);
	field("arrived_bytes", c->arrived_bytes);
	field("unwritten", line->unwritten);
	late("mean", h->count ? line->late_ns / (double)h->count : 0);
	late("p50", (double)histogram_percentile(h, 0.5));
	late("p99", (double)histogram_percentile(h, 0.99));
	late("max", (double)h->max_ns);
	putchar('}');
	memset(&line->wire.counts, 0, sizeof(line->wire.counts));
	memset(&line->lateness, 0, sizeof(line->lateness));
	line->late_ns = 0;
	line->unwritten = 0;
}
