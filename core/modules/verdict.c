/* SPDX-License-Identifier: MPL-2.0 */

/* Refusals of filters: filters fail closed. */

#include "log/log.h"
#include "loop/loop.h"
#include "modules/module.h"
#include "modules/verdict.h"

#define COMPLAINT_INTERVAL_MS 10000

/* Rate-limited: under attack, a filter may return a wrong verdict a million
 * times a second. */
static void complain(struct relay_ctx *cx, const char *hook, int verdict)
{
	struct module_ctx *ctx = module_ctx_of(cx);
	int64_t now = loop_clock_ms();

	if (ctx->complained_ms &&
		now - ctx->complained_ms < COMPLAINT_INTERVAL_MS)
		return;
	ctx->complained_ms = now;
	log_core(RELAY_ERROR,
		"module %s: %s returned %d, which is no verdict of that "
		"hook; it counts as a refusal",
		cx->mod->def.name, hook, verdict);
}

enum relay_verdict verdict_cannot_wait(struct relay_denial *why)
{
	*why = (struct relay_denial){RELAY_REFUSE_FULL, "cannot-wait"};
	return RELAY_DENY;
}

enum relay_verdict verdict_refused(struct relay_ctx *cx, const char *hook,
	enum relay_verdict verdict, struct relay_denial *why)
{
	if (verdict != RELAY_DENY) {
		complain(cx, hook, (int)verdict);
		why->refusal = RELAY_REFUSE_POLICY;
		why->word = "unknown-verdict";
	}
	if ((unsigned)why->refusal > RELAY_REFUSE_TAKEN)
		why->refusal = RELAY_REFUSE_POLICY;
	if (!why->word)
		why->word = cx->mod->def.name;
	return RELAY_DENY;
}
