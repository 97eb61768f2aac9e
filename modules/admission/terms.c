/* SPDX-License-Identifier: MPL-2.0 */

/* Rates, weights and quotas of devices. */

#include <stdio.h>
#include <string.h>

#include "data.h"
#include "here.h"
#include "quota/quota_service.h"
#include "rate-limit/rate_limit_service.h"
#include "terms.h"

#define HOLDER "admission"

struct terms_services terms_find(struct relay_ctx *cx)
{
	struct terms_services services = {.limiter = NULL};

	services.limiter = relay_service_find(cx, RATE_LIMIT_SERVICE,
		RATE_LIMIT_SERVICE_VERSION, &services.limiter_self);
	services.quota = relay_service_find(
		cx, QUOTA_SERVICE, QUOTA_SERVICE_VERSION, &services.quota_self);
	return services;
}

static void let_go(struct device *device, const struct terms_services *services)
{
	if (device->limited && services->limiter)
		services->limiter->let_go_by(
			services->limiter_self, HOLDER, device->id);
	device->limited = false;
}

static enum terms_result limit(
	struct device *device, const struct terms_services *services)
{
	const struct answer *answer = &device->answer;

	let_go(device, services);
	if (!answer->rate && !answer->weight)
		return TERMS_KEPT;
	if (!services->limiter)
		return TERMS_UNLIMITED;
	if (services->limiter->hold_by(services->limiter_self, HOLDER,
		    device->id, answer->rate, answer->weight) != 0)
		return TERMS_NO_MEMORY;
	device->limited = true;
	return TERMS_KEPT;
}

/* A name for quota: no token's, and different for different devices. */
static void name_of(const struct device *device, char out[TOKEN_NAME_TEXT])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t len = (size_t)snprintf(out, TOKEN_NAME_TEXT, "device.");

	for (size_t bit = 0; len < TOKEN_NAME_TEXT - 1; bit += 5) {
		unsigned two = (unsigned)device->id[bit / 8] << 8 |
			       device->id[bit / 8 + 1];

		out[len++] = letters[two >> (11 - bit % 8) & 31];
	}
	out[len] = '\0';
}

static enum terms_result spend(
	struct device *device, const struct terms_services *services)
{
	int64_t bytes =
		atomic_load_explicit(&device->bytes, memory_order_relaxed);
	char name[TOKEN_NAME_TEXT];
	int64_t month = -1;

	if (!device->answer.quota) {
		device->told = bytes;
		atomic_store(&device->used_up, false);
		return TERMS_KEPT;
	}
	name_of(device, name);
	if (services->quota)
		month = services->quota->spend(
			services->quota_self, name, bytes - device->told);
	if (month >= 0)
		device->told = bytes;
	atomic_store(
		&device->used_up, month < 0 || month >= device->answer.quota);
	if (month < 0)
		return TERMS_UNCOUNTED;
	return month >= device->answer.quota ? TERMS_USED_UP : TERMS_KEPT;
}

enum terms_result terms_apply(struct relay_ctx *cx, struct device *device)
{
	const struct terms_services services = terms_find(cx);
	enum terms_result limited = limit(device, &services);
	enum terms_result spent = spend(device, &services);

	return spent == TERMS_KEPT ? limited : spent;
}

void terms_report(struct relay_ctx *cx, enum terms_result result)
{
	struct data *data = cx->data;

	if (result == TERMS_UNLIMITED)
		relay_log_seldom(cx, RELAY_ERROR, &data->unlimited,
			"rates and weights of answers are not kept: the "
			"module rate-limit is not enabled");
	else if (result == TERMS_USED_UP)
		relay_log_seldom(cx, RELAY_NOTICE, &data->used_up,
			"a device was refused that has used up its quota");
	else if (result == TERMS_UNCOUNTED)
		relay_log_seldom(cx, RELAY_ERROR, &data->uncounted,
			"devices with a quota are refused: the module quota "
			"is not enabled, or has no memory");
}

void terms_count(struct device *device, const struct terms_services *services)
{
	if (device->answer.quota)
		(void)spend(device, services);
}

void terms_end(struct device *device, const struct terms_services *services)
{
	let_go(device, services);
}

void terms_apply_all(struct relay_ctx *cx)
{
	const struct terms_services services = terms_find(cx);
	struct data *data = cx->data;
	enum terms_result worst = TERMS_KEPT;
	struct device *device;

	pthread_mutex_lock(&data->lock);
	for (device = data->here.all; device; device = device->hh.next) {
		enum terms_result result = limit(device, &services);

		if (result != TERMS_KEPT)
			worst = result;
	}
	pthread_mutex_unlock(&data->lock);
	if (services.limiter)
		services.limiter->apply_now(services.limiter_self);
	terms_report(cx, worst);
}
