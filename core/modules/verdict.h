/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What a filter's answer counts as when it is not RELAY_PASS.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <strelaysrv/hooks.h>

/*
 * A filter has refused, or its verdict is none that counts there, which is
 * logged.  Returns RELAY_DENY with *why whole.  Own thread.
 */
enum relay_verdict verdict_refused(struct relay_ctx *cx, const char *hook,
	enum relay_verdict verdict, struct relay_denial *why);

/* It would wait, and the caller is a protocol module that cannot.  Returns
 * RELAY_DENY with *why whole. */
enum relay_verdict verdict_cannot_wait(struct relay_denial *why);

#endif
