/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pmp.h - NAT-PMP, spoken to the gateway that was named, or that of the default
 * route.  All of it blocks, at most for timeout_ms each.
 */
#ifndef PMP_H
#define PMP_H

#include "gateway.h"

/* Maps or renews; the gateway may give another port than `outer`, and a shorter
 * lease than it was asked for.  DONE or FAILED. */
enum gateway_result pmp_map(int64_t timeout_ms, const struct gateway_wish *wish,
	uint16_t outer, struct sockaddr_in *out, int64_t *lease_ms,
	struct relay_err *err);
void pmp_unmap(int64_t timeout_ms, const struct gateway_wish *wish);

#endif
