/* SPDX-License-Identifier: MPL-2.0 */

/*
 * pmp.h - NAT-PMP with the configured gateway, or that of the default route.
 * All functions block for at most timeout_ms.
 */
#ifndef PMP_H
#define PMP_H

#include "gateway.h"

/*
 * Maps or renews; the gateway may grant another port than `outer`, and a
 * shorter lease than requested.  DONE or FAILED.
 */
enum gateway_result pmp_map(int64_t timeout_ms, const struct gateway_wish *wish,
	uint16_t outer, struct sockaddr_in *out, int64_t *lease_ms,
	struct relay_err *err);
void pmp_unmap(int64_t timeout_ms, const struct gateway_wish *wish);

#endif
