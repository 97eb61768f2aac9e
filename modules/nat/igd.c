/* SPDX-License-Identifier: MPL-2.0 */

/* UPnP requests to an Internet gateway. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnperrors.h>

#include "gateways.h"
#include "igd.h"
#include "shared/monotonic.h"
#include "ssdp.h"

#define CALL_MS 5000 /* for one answer; working gateways answer at once */
#define GOOD    200

struct finding {
	struct igd *igd;
	const struct igd_search *search;
	struct relay_err *err; /* why the last one was rejected */
};

/*
 * Checks a text from the gateway that is copied into a quoted part of a
 * request.
 */
static bool is_type(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"'<>&", *c))
			return false;
	return text[0] != '\0';
}

static void take_service(struct finding *finding, const struct url *described,
	const char *type, const char *control, struct igd_service *out)
{
	char who[HOST_TEXT];

	out->type[0] = '\0';
	if (!control || !control[0] || !is_type(type))
		return;
	if (url_read(control, described->host.scope, &out->control) != 0 ||
		!host_same(&out->control.host, &described->host)) {
		host_text(&described->host, who);
		(void)refuse(finding->igd->refusals, REFUSAL_ELSEWHERE,
			finding->err,
			"%s names a control URL of another host, %.100s", who,
			control);
		return;
	}
	(void)snprintf(out->type, sizeof(out->type), "%s", type);
}

static void url_text(const struct url *url, char out[HOST_TEXT + 300])
{
	char who[HOST_TEXT];
	bool v6 = !host_is_v4(&url->host);

	host_text(&url->host, who);
	(void)snprintf(out, HOST_TEXT + 300, "http://%s%s%s:%u%s",
		v6 ? "[" : "", who, v6 ? "]" : "", (unsigned)url->port,
		url->path);
}

static void take_description(struct finding *finding,
	const struct url *described, const struct answer *answer)
{
	struct igd *igd = finding->igd;
	struct IGDdatas data, spare;
	struct UPNPUrls urls, others;
	char at[HOST_TEXT + 300];

	memset(&data, 0, sizeof(data));
	parserootdesc(answer->body, (int)answer->size, &data);
	url_text(described, at);
	/* The library builds a URL only for the first service. */
	spare = data;
	spare.first = data.second;
	memset(&urls, 0, sizeof(urls));
	memset(&others, 0, sizeof(others));
	GetUPNPUrls(&urls, &data, at, 0);
	GetUPNPUrls(&others, &spare, at, 0);
	take_service(finding, described, data.first.servicetype,
		data.first.controlurl[0] ? urls.controlURL : NULL, &igd->ports);
	take_service(finding, described, spare.first.servicetype,
		spare.first.controlurl[0] ? others.controlURL : NULL,
		&igd->spare);
	take_service(finding, described, data.IPv6FC.servicetype,
		data.IPv6FC.controlurl[0] ? urls.controlURL_6FC : NULL,
		&igd->pinholes);
	FreeUPNPUrls(&urls);
	FreeUPNPUrls(&others);
}

static bool look_at(const struct url *url, void *arg)
{
	struct finding *finding = arg;
	struct igd *igd = finding->igd;
	struct question question = {
		.url = url, .headers = "", .end_ms = igd->end_ms};
	struct answer answer;
	bool good = false;

	if (fetch(&question, &answer, igd->refusals, finding->err) == 0 &&
		answer.status == GOOD) {
		host_text(&answer.self, igd->local);
		take_description(finding, url, &answer);
		good = finding->search->fits(igd);
	}
	answer_free(&answer);
	return good;
}

/* The configured gateways of that family, else those of the default routes. */
static int find_hosts(const struct gateway_wish *wish, int family,
	struct hosts *out, struct relay_err *err)
{
	const struct hosts *named = &wish->gateways;

	out->count = 0;
	for (unsigned i = 0; i < named->count; i++)
		if (host_is_v4(&named->list[i]) == (family == AF_INET))
			out->list[out->count++] = named->list[i];
	if (named->count == 0)
		gateways_read(family, out);
	if (out->count > 0)
		return 0;
	return relay_fail(err, "no default route leads to a gateway");
}

int igd_find(struct igd *igd, const struct igd_search *search,
	const struct gateway_wish *wish, int64_t end_ms, struct relay_err *err)
{
	struct finding finding = {.igd = igd, .search = search, .err = err};
	struct hosts hosts;
	struct ssdp ssdp = {.family = search->family,
		.interface = search->interface,
		.local = search->family == AF_INET ? wish->local : "",
		.kinds = search->kinds,
		.hosts = &hosts,
		.end_ms = end_ms,
		.refusals = wish->refusals,
		.each = look_at,
		.arg = &finding};

	memset(igd, 0, sizeof(*igd));
	igd->end_ms = end_ms;
	igd->refusals = wish->refusals;
	(void)relay_fail(err, "no UPnP gateway answers");
	if (find_hosts(wish, search->family, &hosts, err) != 0)
		return -1;
	return ssdp_search(&ssdp, err);
}

void igd_begin(struct igd *igd, const struct gateway_wish *wish, int64_t ms)
{
	igd->end_ms = monotonic_now_ms() + ms;
	igd->refusals = wish->refusals;
}

/* Actions. */

static int make_body(const char *type, const char *action,
	const struct igd_arg *args, char **out)
{
	size_t size = 0;
	FILE *text = open_memstream(out, &size);

	if (!text)
		return -1;
	(void)fprintf(text,
		"<?xml version=\"1.0\"?>\r\n<s:Envelope "
		"xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
		"s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/"
		"\"><s:Body><u:%s xmlns:u=\"%s\">",
		action, type);
	for (; args && args->name; args++)
		(void)fprintf(text, "<%s>%s</%s>", args->name, args->value,
			args->name);
	(void)fprintf(text, "</u:%s></s:Body></s:Envelope>\r\n", action);
	if (ferror(text) || fclose(text) != 0) {
		free(*out);
		*out = NULL;
		return -1;
	}
	return 0;
}

int igd_value(
	const struct answer *answer, const char *name, char *out, size_t cap)
{
	size_t len = strlen(name);
	const char *at = answer->body;

	out[0] = '\0';
	while ((at = strstr(at, name)) != NULL) {
		const char *begin = at + len;
		size_t size = strcspn(begin, "<");

		at += len;
		if (begin - len == answer->body ||
			!strchr("<:", *(begin - len - 1)) || *begin != '>')
			continue;
		if (size - 1 < cap) {
			memcpy(out, begin + 1, size - 1);
			out[size - 1] = '\0';
		}
		return 0;
	}
	return -1;
}

static int error_of(
	const struct answer *answer, const char *action, struct relay_err *err)
{
	const char *text;
	char code[8];
	int number;

	if (igd_value(answer, "errorCode", code, sizeof(code)) != 0 ||
		(number = atoi(code)) <= 0)
		return relay_fail(
			err, "UPnP %s: HTTP status %d", action, answer->status);
	text = strupnperror(number);
	(void)relay_fail(err, "UPnP %s: %s (%d)", action,
		text ? text : "unknown error", number);
	return number;
}

static int submit(const struct igd *igd, const struct igd_service *service,
	const char *action, const char *body, struct answer *answer,
	struct relay_err *err)
{
	char headers[IGD_TYPE + 128];
	int64_t end = monotonic_now_ms() + CALL_MS;
	struct question question = {.url = &service->control,
		.source = igd->source,
		.headers = headers,
		.body = body,
		.end_ms = end < igd->end_ms ? end : igd->end_ms};
	struct relay_err why;

	(void)snprintf(headers, sizeof(headers),
		"Content-Type: text/xml; charset=\"utf-8\"\r\n"
		"SOAPAction: \"%s#%s\"\r\n",
		service->type, action);
	if (fetch(&question, answer, igd->refusals, &why) != 0)
		return relay_fail(err, "UPnP %s: %.180s", action, why.text);
	return answer->status == GOOD ? 0 : error_of(answer, action, err);
}

int igd_call(const struct igd *igd, const struct igd_service *service,
	const char *action, const struct igd_arg *args, struct answer *answer,
	struct relay_err *err)
{
	struct answer unread = {.status = 0};
	struct answer *to = answer ? answer : &unread;
	char *body = NULL;
	int result;

	*to = unread;
	if (make_body(service->type, action, args, &body) != 0)
		return relay_fail(err, "out of memory");
	result = submit(igd, service, action, body, to, err);
	free(body);
	if (!answer)
		answer_free(&unread);
	return result;
}
