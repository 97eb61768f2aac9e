/* SPDX-License-Identifier: MPL-2.0 */

/* A registry that writes down what it is asked for. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "claims_double.h"
#include "shared/id_hash.h"

/* The same in each run: the first devices come last in the round of checks, and
 * the others are spread over it. */
uint32_t id_hash(const void *id)
{
	uint32_t device;

	memcpy(&device, id, sizeof(device));
	return device < 10 ? UINT32_MAX - device : device * 2654435761U;
}

int id_hash_init(void)
{
	return 0;
}

const uint8_t *id_of(unsigned device)
{
	static uint8_t id[REGISTRY_ID];

	memset(id, 0, sizeof(id));
	memcpy(id, &device, sizeof(device));
	return id;
}

static unsigned device_of(const uint8_t *id)
{
	unsigned device;

	memcpy(&device, id, sizeof(device));
	return device;
}

__attribute__((format(printf, 2, 3))) static void note(
	struct claims_double *d, const char *format, ...)
{
	va_list args;
	int len;

	if (d->quiet)
		return;
	va_start(args, format);
	len = vsnprintf(d->log + d->len, sizeof(d->log) - d->len, format, args);
	va_end(args);
	assert_true(len > 0 && (size_t)len < sizeof(d->log) - d->len);
	d->len += (size_t)len;
}

/* Each claim has a higher serial than the last; a release has the last. */
static int on_claim(void *arg, const uint8_t *id, enum claim_how how,
	uint64_t epoch, uint64_t serial)
{
	struct claims_double *d = arg;

	assert_int_equal(serial, d->serial + 1);
	d->serial += d->claim == 0;
	if (d->claim == 0) {
		d->last = device_of(id);
		d->total++;
		if (d->quiet)
			d->asked[d->last]++;
	}
	note(d, "%s%u/%" PRIu64 " ", how == CLAIM_JOIN ? "join" : "check",
		device_of(id), epoch);
	return d->claim;
}

static int on_release(void *arg, const uint8_t *id, uint64_t serial)
{
	struct claims_double *d = arg;

	assert_int_equal(serial, d->serial);
	note(d, "release%u ", device_of(id));
	return d->release;
}

static void on_claimed(
	void *arg, uint64_t incarnation, const uint8_t *id, uint64_t epoch)
{
	note(arg, "claimed%u/%" PRIu64 ">%" PRIu64 " ", device_of(id), epoch,
		incarnation);
}

static void on_alive(
	void *arg, uint64_t incarnation, const uint8_t *id, uint64_t epoch)
{
	note(arg, "alive%u/%" PRIu64 ">%" PRIu64 " ", device_of(id), epoch,
		incarnation);
}

static int on_probe(void *arg, const uint8_t *id, struct claim_conn conn)
{
	struct claims_double *d = arg;

	note(d, "probe%u@%" PRIu64 " ", device_of(id), conn.conn);
	return d->probe;
}

static int on_end(void *arg, const uint8_t *id, struct claim_conn conn)
{
	struct claims_double *d = arg;

	note(d, "end%u@%" PRIu64 " ", device_of(id), conn.conn);
	return d->end;
}

static bool on_lives(void *arg, uint64_t incarnation)
{
	const struct claims_double *d = arg;

	return incarnation && d->lives;
}

static uint64_t on_random(void *arg)
{
	(void)arg;
	return UINT64_C(0x9e3779b97f4a7c15);
}

struct claims_double *claims_double_new(void)
{
	static const struct claims_calls calls = {on_claim, on_release,
		on_claimed, on_alive, on_probe, on_end, on_lives, on_random};
	struct claims_double *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->lives = true;
	d->claims = claims_new(SELF, &calls, d);
	assert_non_null(d->claims);
	(void)claims_tick(d->claims, 0);
	return d;
}

void claims_double_free(struct claims_double *d)
{
	said(d, "");
	claims_free(d->claims);
	free(d);
}

void said(struct claims_double *d, const char *want)
{
	assert_string_equal(d->log, want);
	d->len = 0;
	d->log[0] = '\0';
}

void join(struct claims_double *d, unsigned device, uint64_t conn)
{
	struct claim_conn at = {1, conn};

	assert_int_equal(
		claims_joined(d->claims, id_of(device), at, d->now), 0);
}

void leave(struct claims_double *d, unsigned device, uint64_t conn)
{
	struct claim_conn at = {1, conn};

	claims_left(d->claims, id_of(device), at, d->now);
}

void answer(struct claims_double *d, unsigned device, struct owner before,
	struct owner now)
{
	claims_claimed(d->claims, id_of(device), &before, &now, d->now);
}

void own(struct claims_double *d, unsigned device, uint64_t epoch)
{
	join(d, device, device);
	answer(d, device, (struct owner){0, 0}, (struct owner){SELF, epoch});
	d->len = 0;
	d->log[0] = '\0';
}

void pass(struct claims_double *d, int64_t ms)
{
	int64_t end = d->now + ms, next = d->now;

	while (next <= end) {
		d->now = next;
		next += claims_tick(d->claims, d->now);
		assert_true(next > d->now);
	}
	d->now = end;
}

void probed(struct claims_double *d, unsigned device, uint64_t conn, bool alive)
{
	struct claim_conn at = {1, conn};

	claims_probed(d->claims, id_of(device), at, alive, d->now);
}

struct claims_count counts(const struct claims_double *d)
{
	struct claims_count count;

	claims_counts(d->claims, &count);
	return count;
}
