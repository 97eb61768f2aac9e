/* SPDX-License-Identifier: MPL-2.0 */

/* NAT-PMP, by libnatpmp. */

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <natpmp.h>

#include "gateways.h"
#include "shared/monotonic.h"
#include "pmp.h"

#define DAY_MS 86400000
/* A shorter lease would end before the next check. */
#define LEASE_MIN_MS 60000

/* Our own code: the gateway's answer is invalid. */
#define ERR_NONSENSE (-1000)

/*
 * Connects the socket, so that the kernel drops packets from other hosts.  The
 * library would read the gateway from /proc/net, which a sandbox may hide.
 */
static int begin(natpmp_t *pmp, const struct gateway_wish *wish)
{
	struct hosts hosts = wish->gateways;
	in_addr_t address;

	if (hosts.count == 0)
		gateways_read(AF_INET, &hosts);
	for (unsigned i = 0; i < hosts.count; i++) {
		if (!host_is_v4(&hosts.list[i]))
			continue;
		memcpy(&address, hosts.list[i].address.s6_addr + 12,
			sizeof(address));
		return initnatpmp(pmp, 1, address);
	}
	return NATPMP_ERR_CANNOTGETGATEWAY;
}

/* Waits for the answer, or until the timeout. */
static int await(natpmp_t *pmp, int64_t end_ms, natpmpresp_t *answer)
{
	int rc;

	do {
		struct pollfd fd = {.fd = pmp->s, .events = POLLIN};
		struct timeval tv;
		int64_t left = end_ms - monotonic_now_ms(), wait;

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

/* A port or lease of 0 means that the gateway refused. */
static int judge(const struct gateway_wish *wish, const natpmpresp_t *answer,
	int64_t *lease_ms, struct relay_err *err)
{
	unsigned port = answer->pnu.newportmapping.mappedpublicport;
	uint32_t lifetime_s = answer->pnu.newportmapping.lifetime;

	if (port == 0 || answer->pnu.newportmapping.privateport != wish->port) {
		(void)refuse(wish->refusals, REFUSAL_PORT, err,
			"the gateway maps port %u to port %u", port,
			(unsigned)answer->pnu.newportmapping.privateport);
		return ERR_NONSENSE;
	}
	*lease_ms = (int64_t)lifetime_s * 1000;
	if (*lease_ms >= LEASE_MIN_MS || *lease_ms >= wish->lease_ms)
		return 0;
	(void)refuse(wish->refusals, REFUSAL_LEASE, err,
		"the gateway maps the port for %u s only",
		(unsigned)lifetime_s);
	return ERR_NONSENSE;
}

static int ask(natpmp_t *pmp, int64_t end_ms, const struct gateway_wish *wish,
	uint16_t outer, struct sockaddr_in *out, int64_t *lease_ms,
	struct relay_err *err)
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
		rc = judge(wish, &answer, lease_ms, err);
	if (rc == 0)
		out->sin_port =
			htons(answer.pnu.newportmapping.mappedpublicport);
	return rc;
}

/* In NAT-PMP a lease of 0 removes the mapping. */
static int64_t lease_of(const struct gateway_wish *wish)
{
	return wish->lease_ms ? wish->lease_ms : DAY_MS;
}

enum gateway_result pmp_map(int64_t timeout_ms, const struct gateway_wish *wish,
	uint16_t outer, struct sockaddr_in *out, int64_t *lease_ms,
	struct relay_err *err)
{
	struct gateway_wish finite = *wish;
	struct relay_err why;
	natpmp_t pmp;
	int rc = begin(&pmp, wish);

	finite.lease_ms = lease_of(wish);
	if (rc == 0) {
		rc = ask(&pmp, monotonic_now_ms() + timeout_ms, &finite, outer,
			out, lease_ms, &why);
		(void)closenatpmp(&pmp);
	}
	if (rc == 0)
		return GATEWAY_DONE;
	(void)relay_fail(err, "NAT-PMP: %.200s",
		rc == ERR_NONSENSE                  ? why.text
		: rc == NATPMP_ERR_CANNOTGETGATEWAY ? "there is no gateway"
		: rc == NATPMP_ERR_NOTAUTHORIZED    ? "the gateway refuses"
		: rc == NATPMP_ERR_NETWORKFAILURE
			? "the gateway has no network connection"
		: rc == NATPMP_ERR_OUTOFRESOURCES
			? "the gateway is out of resources"
			: "no answer");
	return GATEWAY_FAILED;
}

void pmp_unmap(int64_t timeout_ms, const struct gateway_wish *wish)
{
	const struct gateway_wish none = {.port = wish->port};
	natpmpresp_t answer;
	natpmp_t pmp;

	if (begin(&pmp, wish) != 0)
		return;
	/* If the gateway does not answer, the lease expires. */
	(void)ask_map(&pmp, monotonic_now_ms() + timeout_ms, &none, 0, &answer);
	(void)closenatpmp(&pmp);
}
