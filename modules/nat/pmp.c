/* SPDX-License-Identifier: MPL-2.0 */

/* NAT-PMP, by libnatpmp. */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include <natpmp.h>

#include "pmp.h"

#define DAY_MS 86400000

static int64_t now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until the answer to what was sent is there, or the time is over. */
static int await(natpmp_t *pmp, int64_t end_ms, natpmpresp_t *answer)
{
	int rc;

	do {
		struct pollfd fd = {.fd = pmp->s, .events = POLLIN};
		struct timeval tv;
		int64_t left = end_ms - now_ms(), wait;

		if (left <= 0)
			return NATPMP_ERR_NOGATEWAYSUPPORT;
		if (getnatpmprequesttimeout(pmp, &tv) != 0)
			return NATPMP_ERR_NOPENDINGREQ;
		wait = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1;
		if (wait < 0)
			wait = 0;
		if (poll(&fd, 1, (int)(wait < left ? wait : left)) < 0 &&
			errno != EINTR)
			return NATPMP_ERR_SOCKETERROR;
		rc = readnatpmpresponseorretry(pmp, answer);
	} while (rc == NATPMP_TRYAGAIN);
	return rc;
}

static int ask_map(natpmp_t *pmp, int64_t end_ms,
	const struct gateway_wish *wish, uint16_t outer, natpmpresp_t *answer)
{
	int rc = sendnewportmappingrequest(pmp, NATPMP_PROTOCOL_TCP, wish->port,
		outer, (uint32_t)((wish->lease_ms + 999) / 1000));

	return rc < 0 ? rc : await(pmp, end_ms, answer);
}

static int ask(natpmp_t *pmp, int64_t end_ms, const struct gateway_wish *wish,
	uint16_t outer, struct sockaddr_in *out)
{
	natpmpresp_t answer;
	int rc = sendpublicaddressrequest(pmp);

	if (rc >= 0)
		rc = await(pmp, end_ms, &answer);
	if (rc != 0)
		return rc;
	*out = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr = answer.pnu.publicaddress.addr};
	rc = ask_map(pmp, end_ms, wish, outer, &answer);
	if (rc == 0)
		out->sin_port =
			htons(answer.pnu.newportmapping.mappedpublicport);
	return rc;
}

/* Its 0 is no lease that never ends, but the end of the mapping. */
static int64_t lease_of(const struct gateway_wish *wish)
{
	return wish->lease_ms ? wish->lease_ms : DAY_MS;
}

enum gateway_result pmp_map(int64_t timeout_ms, const struct gateway_wish *wish,
	uint16_t outer, struct sockaddr_in *out, struct relay_err *err)
{
	struct gateway_wish finite = *wish;
	natpmp_t pmp;
	int rc = initnatpmp(&pmp, 0, 0);

	finite.lease_ms = lease_of(wish);

	if (rc == 0) {
		rc = ask(&pmp, now_ms() + timeout_ms, &finite, outer, out);
		(void)closenatpmp(&pmp);
	}
	if (rc == 0)
		return GATEWAY_DONE;
	(void)relay_fail(err, "NAT-PMP: %s",
		rc == NATPMP_ERR_CANNOTGETGATEWAY ? "there is no gateway"
		: rc == NATPMP_ERR_NOTAUTHORIZED  ? "the gateway refuses"
		: rc == NATPMP_ERR_NETWORKFAILURE
			? "the gateway has no connection"
		: rc == NATPMP_ERR_OUTOFRESOURCES ? "the gateway has no room"
						  : "no answer");
	return GATEWAY_FAILED;
}

void pmp_unmap(int64_t timeout_ms, uint16_t inner)
{
	const struct gateway_wish none = {.port = inner};
	natpmpresp_t answer;
	natpmp_t pmp;

	if (initnatpmp(&pmp, 0, 0) != 0)
		return;
	/* If it does not answer, the lease ends by itself. */
	(void)ask_map(&pmp, now_ms() + timeout_ms, &none, 0, &answer);
	(void)closenatpmp(&pmp);
}
