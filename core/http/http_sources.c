/* SPDX-License-Identifier: MPL-2.0 */

/* The sources of requests on one HTTP address, and their shares of time. */

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/prefix_hash.h"
#include "http/http_sources.h"

#define WAIT_LEAST_MS 10
#define WAIT_MOST_MS  1000
/* The largest debt, as time of the share: accepting and reading cost time even
 * while requests wait. */
#define DEBT_MS 60000
#define NS_A_US INT64_C(1000)
/* Shares are in thousandths; one is this many ns of each ms. */
#define NS_A_MS INT64_C(1000)

/* Sources that have asked lately. */

static void note(
	struct http_sources *sources, struct http_source *s, int64_t now_ms)
{
	int64_t period = now_ms / HTTP_PERIOD_MS;

	if (period != sources->period) {
		sources->before =
			period == sources->period + 1 ? sources->asking : 0;
		sources->asking = 0;
		sources->period = period;
	}
	if (s->period == period || s->near)
		return;
	s->period = period;
	sources->asking++;
}

static int64_t asking(const struct http_sources *sources)
{
	unsigned most = sources->before > sources->asking ? sources->before
							  : sources->asking;

	return most ? most : 1;
}

/* Budgets. */

static int64_t rate_of(const struct http_source *s)
{
	return NS_A_MS * (s->near ? HTTP_SHARE_NEAR : HTTP_SHARE_SOURCE);
}

static int64_t fair_rate(
	const struct http_sources *sources, const struct http_source *s)
{
	const int64_t kept = NS_A_MS * HTTP_SHARE_KEPT;

	return s->near ? kept
		       : (NS_A_MS * HTTP_SHARE_ALL - kept) / asking(sources);
}

static struct http_budget full(int64_t rate, int64_t now_ms)
{
	return (struct http_budget){HTTP_BURST_MS * rate, now_ms};
}

/* Adds the time since the last call, up to that of HTTP_BURST_MS in all; drops
 * a debt beyond DEBT_MS. */
static void grow(struct http_budget *budget, int64_t rate, int64_t now_ms)
{
	if (budget->left_ns < -DEBT_MS * rate)
		budget->left_ns = -DEBT_MS * rate;
	if (now_ms > budget->at_ms)
		budget->left_ns += (now_ms - budget->at_ms) * rate;
	budget->at_ms = now_ms;
	if (budget->left_ns > HTTP_BURST_MS * rate)
		budget->left_ns = HTTP_BURST_MS * rate;
}

static int64_t until_positive(const struct http_budget *budget, int64_t rate)
{
	int64_t wait_ms = -budget->left_ns / rate + 1;

	if (budget->left_ns > 0)
		return 0;
	return wait_ms < WAIT_LEAST_MS  ? WAIT_LEAST_MS
	       : wait_ms > WAIT_MOST_MS ? WAIT_MOST_MS
					: wait_ms;
}

void http_sources_init(struct http_sources *sources, int64_t now_ms)
{
	memset(sources, 0, sizeof(*sources));
	sources->period = now_ms / HTTP_PERIOD_MS;
	/* Without a seed, attackers can fill one slot of the table: that only
	 * makes lookups slower. */
	(void)!getrandom(&sources->seed, sizeof(sources->seed), GRND_NONBLOCK);
	sources->all = full(NS_A_MS * HTTP_SHARE_ALL, now_ms);
}

/* Forgets the sources without connections; with `everything`, all sources. */
static void forget(struct http_sources *sources, bool everything)
{
	for (size_t i = 0; i < HTTP_SOURCE_SLOTS; i++) {
		struct http_source **at = &sources->slots[i];

		while (*at) {
			struct http_source *s = *at;

			if (s->conns && !everything) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			sources->count--;
			free(s);
		}
	}
}

void http_sources_finish(struct http_sources *sources)
{
	forget(sources, true);
}

/* IPv4 addresses become IPv4-mapped IPv6 addresses. */
static void address_of(
	const struct sockaddr_storage *from, struct in6_addr *out, bool *v4)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->ss_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		memcpy(out->s6_addr, mapped, sizeof(mapped));
		memcpy(out->s6_addr + 12, &in.sin_addr, 4);
	} else {
		memcpy(&in6, from, sizeof(in6));
		*out = in6.sin6_addr;
	}
	*v4 = IN6_IS_ADDR_V4MAPPED(out);
}

static size_t slot_of(const struct http_sources *sources,
	const unsigned char prefix[16], uint8_t bits)
{
	uint64_t words[2];

	memcpy(words, prefix, sizeof(words));
	return prefix_hash(sources->seed, words[0], words[1], bits) %
	       HTTP_SOURCE_SLOTS;
}

/* 127.0.0.1, as the table has it. */
static const unsigned char near_v4[16] = {
	[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};

static struct http_source *find(struct http_sources *sources,
	const struct in6_addr *address, uint8_t bits, int64_t now_ms)
{
	unsigned char prefix[16] = {0};
	struct http_source **slot, *s;

	memcpy(prefix, address->s6_addr, bits / 8);
	slot = &sources->slots[slot_of(sources, prefix, bits)];
	for (s = *slot; s; s = s->next)
		if (s->bits == bits && memcmp(s->prefix, prefix, 16) == 0)
			return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	memcpy(s->prefix, prefix, sizeof(prefix));
	s->bits = bits;
	s->near = memcmp(prefix, near_v4, 16) == 0 ||
		  memcmp(prefix, &in6addr_loopback, 16) == 0;
	s->period = -1;
	s->budget = full(rate_of(s), now_ms);
	s->fair = full(fair_rate(sources, s), now_ms);
	s->next = *slot;
	*slot = s;
	sources->count++;
	return s;
}

int http_sources_enter(struct http_sources *sources,
	const struct sockaddr_storage *from, int64_t now_ms,
	struct http_origin *out)
{
	static const uint8_t one[] = {128}, many[HTTP_LEVELS] = {48, 56, 64};
	struct in6_addr address;
	const uint8_t *bits;
	bool v4;

	address_of(from, &address, &v4);
	v4 |= IN6_IS_ADDR_LOOPBACK(&address);
	bits = v4 ? one : many;
	/* Forgetting a source drops its debt.  An attacker would need very many
	 * addresses to gain by that. */
	if (sources->count + HTTP_LEVELS > HTTP_SOURCES_MAX)
		forget(sources, false);
	out->count = 0;
	for (unsigned i = 0; i < (v4 ? 1 : HTTP_LEVELS); i++) {
		struct http_source *s =
			find(sources, &address, bits[i], now_ms);

		if (!s) {
			http_sources_leave(out);
			return -1;
		}
		s->conns++;
		out->at[out->count++] = s;
	}
	note(sources, out->at[0], now_ms);
	return 0;
}

void http_sources_leave(const struct http_origin *origin)
{
	for (unsigned i = 0; i < origin->count; i++)
		origin->at[i]->conns--;
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t http_sources_wait(struct http_sources *sources,
	const struct http_origin *origin, int64_t now_ms)
{
	const int64_t all = NS_A_MS * HTTP_SHARE_ALL;
	int64_t own_ms = 0, fair_ms = 0;

	note(sources, origin->at[0], now_ms);
	for (unsigned i = 0; i < origin->count; i++) {
		struct http_source *s = origin->at[i];
		int64_t fair = fair_rate(sources, s);

		grow(&s->budget, rate_of(s), now_ms);
		grow(&s->fair, fair, now_ms);
		own_ms = longer(own_ms, until_positive(&s->budget, rate_of(s)));
		fair_ms = longer(fair_ms, until_positive(&s->fair, fair));
	}
	grow(&sources->all, all, now_ms);
	/*
	 * Many sources may use up the common budget together.  Then each is
	 * limited to an equal part of it: a source that asks seldom does not
	 * wait, and all parts together do not exceed the budget.
	 */
	return sources->all.left_ns > 0 ? own_ms : longer(own_ms, fair_ms);
}

void http_sources_spend(struct http_sources *sources,
	const struct http_origin *origin, int64_t us)
{
	for (unsigned i = 0; i < origin->count; i++) {
		origin->at[i]->budget.left_ns -= us * NS_A_US;
		origin->at[i]->fair.left_ns -= us * NS_A_US;
	}
	sources->all.left_ns -= us * NS_A_US;
}
