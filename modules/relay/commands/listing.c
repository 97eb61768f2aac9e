/* SPDX-License-Identifier: MPL-2.0 */

/* Asks the workers for rows, a few at a time. */

#include <stdlib.h>
#include <string.h>

#include "relay/commands/listing.h"
#include "relay/data.h"

/* Targets in one question, and how many may be under way: a worker spends some
 * microseconds on a question, and few messages wait anywhere. */
#define ASK_TARGETS 8
#define ASKED_MOST  64

struct question {
	uint64_t serial;
	bool sessions;
	unsigned count;
	struct target targets[ASK_TARGETS];
};
_Static_assert(sizeof(struct question) <= RELAY_POST_MAX, "is one message");

struct reply {
	uint64_t serial;
	bool is_session, found;
	union {
		struct device_row device;
		struct session_row session;
	};
};
_Static_assert(sizeof(struct reply) <= RELAY_POST_MAX, "is one message");

static struct listing **slot_of(const struct relay_ctx *cx, uint64_t serial)
{
	struct listing **all = data_of(cx)->listings;

	for (size_t i = 0; i < LISTINGS_MAX; i++)
		if (serial ? all[i] && all[i]->serial == serial : !all[i])
			return &all[i];
	return NULL;
}

/* Noting what there is, under the locks of the tables. */

static void add(
	struct listing *listing, int worker, uint64_t number, const uint8_t *id)
{
	struct target *target = &listing->targets[listing->target_count++];

	*target = (struct target){.worker = worker, .number = number};
	if (id)
		memcpy(target->id, id, ID_LEN);
}

static void note_device(const uint8_t *id, struct place owner, void *arg)
{
	add(arg, owner.worker, owner.conn, id);
}

static void note_session(int worker, uint64_t session, void *arg)
{
	add(arg, worker, session, NULL);
}

static int by_place(const void *a, const void *b)
{
	const struct target *one = a, *other = b;

	if (one->worker != other->worker)
		return one->worker < other->worker ? -1 : 1;
	return (one->number > other->number) - (one->number < other->number);
}

static int note_all(struct listing *listing)
{
	struct directory *dir = &data_of(listing->cx)->directory;
	struct session_list *all = &data_of(listing->cx)->sessions;
	size_t devices = directory_size(dir), sessions;

	/* More may come until then: they are left out. */
	sessions = session_list_count(all);
	listing->targets =
		calloc(devices + sessions + 1, sizeof(*listing->targets));
	if (!listing->targets)
		return -1;
	directory_each(dir, devices, note_device, NULL, listing);
	listing->device_targets = listing->target_count;
	qsort(listing->targets, listing->target_count,
		sizeof(*listing->targets), by_place);
	session_list_each(all, sessions, note_session, listing);
	sessions = listing->target_count - listing->device_targets;
	qsort(listing->targets + listing->device_targets, sessions,
		sizeof(*listing->targets), by_place);
	listing->devices =
		calloc(listing->device_targets + 1, sizeof(*listing->devices));
	listing->sessions = calloc(sessions + 1, sizeof(*listing->sessions));
	return listing->devices && listing->sessions ? 0 : -1;
}

/* Questions and replies. */

static void listing_reply(struct relay_ctx *cx, const void *arg);

static void reply_session(
	struct relay_ctx *cx, struct relay_session *session, const void *serial)
{
	struct reply reply = {.is_session = true};

	memcpy(&reply.serial, serial, sizeof(reply.serial));
	reply.found = session_row_fill(cx, session, &reply.session);
	(void)relay_post(
		cx, RELAY_CONTROL, listing_reply, &reply, sizeof(reply));
}

static void reply_device(
	struct relay_ctx *cx, const struct target *target, uint64_t serial)
{
	struct reply reply = {.serial = serial};

	reply.found = device_row_fill(cx, target, &reply.device);
	(void)relay_post(
		cx, RELAY_CONTROL, listing_reply, &reply, sizeof(reply));
}

static void on_question(struct relay_ctx *cx, const void *arg)
{
	const struct question *question = arg;
	const uint64_t *serial = &question->serial;

	for (unsigned i = 0; i < question->count; i++) {
		const struct target *target = &question->targets[i];
		struct relay_session *session =
			question->sessions
				? relay_session_find(cx, target->number)
				: NULL;

		if (!question->sessions)
			reply_device(cx, target, *serial);
		/* It has moved to another worker, or has ended. */
		else if (session ||
			 relay_session_post(cx, target->number, reply_session,
				 serial, sizeof(*serial)) != 0)
			reply_session(cx, session, serial);
	}
}

static bool is_session(const struct listing *listing, size_t target)
{
	return target >= listing->device_targets;
}

/* Asks for further targets, all of one kind on one worker. */
static int ask(struct listing *listing)
{
	const struct target *first = &listing->targets[listing->asked];
	struct question question = {.serial = listing->serial,
		.sessions = is_session(listing, listing->asked)};

	for (size_t i = listing->asked;
		i < listing->target_count && question.count < ASK_TARGETS &&
		listing->targets[i].worker == first->worker &&
		is_session(listing, i) == question.sessions;
		i++)
		question.targets[question.count++] = listing->targets[i];
	if (relay_post(listing->cx, first->worker, on_question, &question,
		    sizeof(question)) != 0)
		return -1;
	listing->asked += question.count;
	return 0;
}

static void ask_more(struct listing *listing)
{
	while (listing->asked < listing->target_count &&
		listing->asked - listing->answered < ASKED_MOST)
		if (ask(listing) != 0)
			return;
}

static void listing_reply(struct relay_ctx *cx, const void *arg)
{
	const struct reply *reply = arg;
	struct listing **slot = slot_of(cx, reply->serial);
	struct listing *listing = slot ? *slot : NULL;

	if (!listing)
		return;
	listing->answered++;
	if (reply->found && reply->is_session)
		listing->sessions[listing->session_count++] = reply->session;
	else if (reply->found)
		listing->devices[listing->device_count++] = reply->device;
	if (listing->answered % ASK_TARGETS == 0 ||
		listing->answered == listing->asked)
		ask_more(listing);
	if (listing->answered == listing->target_count)
		listing->to->wake(listing->to);
}

int listing_begin(struct listing *listing, struct relay_ctx *cx,
	struct relay_answer *to, struct relay_err *err)
{
	struct listing **slot = slot_of(cx, 0);

	if (!slot)
		return relay_fail(
			err, "too many lists are being made: try again");
	*listing = (struct listing){.cx = cx, .to = to};
	if (note_all(listing) != 0) {
		listing_free(listing);
		return relay_fail(err, "out of memory");
	}
	listing->serial = ++data_of(cx)->listing_serial;
	*slot = listing;
	ask_more(listing);
	return 0;
}

/* Sums. */

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct device_row *)a)->id,
		((const struct device_row *)b)->id, ID_LEN);
}

static void sum_up(struct listing *listing)
{
	qsort(listing->devices, listing->device_count,
		sizeof(*listing->devices), by_id);
	for (size_t i = 0; i < listing->session_count; i++) {
		const struct session_row *session = &listing->sessions[i];

		for (int side = 0; side < 2; side++) {
			struct device_row key = {.worker = 0}, *device;

			if (!session->known[side])
				continue;
			memcpy(key.id, session->id[side], ID_LEN);
			device = bsearch(&key, listing->devices,
				listing->device_count,
				sizeof(*listing->devices), by_id);
			if (!device)
				continue;
			device->sessions++;
			device->bytes += session->bytes[0] + session->bytes[1];
			device->rate += session->rate;
		}
	}
}

bool listing_complete(struct listing *listing)
{
	struct listing **slot = slot_of(listing->cx, listing->serial);

	if (!slot)
		return true;
	if (listing->answered < listing->target_count) {
		ask_more(listing); /* again, if a message could not be sent */
		return false;
	}
	*slot = NULL;
	sum_up(listing);
	return true;
}

void listing_free(struct listing *listing)
{
	struct listing **slot =
		listing->serial ? slot_of(listing->cx, listing->serial) : NULL;

	if (slot)
		*slot = NULL;
	free(listing->targets);
	free(listing->devices);
	free(listing->sessions);
	*listing = (struct listing){.cx = NULL};
}
