/* SPDX-License-Identifier: MPL-2.0 */

/* Messages to other nodes. */

#include "cluster/data.h"
#include "cluster/sending.h"

void send_message(struct relay_ctx *cx, uint64_t to, struct message *message)
{
	struct data *data = data_of(cx);
	uint8_t bytes[REGISTRY_MESSAGE];
	size_t len;

	message->to = to;
	len = seal_close(&data->seal, message, bytes, sizeof(bytes));
	if (len && data->registry &&
		data->ops->send(data->registry, to, bytes, len) == 0)
		relay_metric_inc(
			cx, data->counts[COUNT_SENT], message->type - 1, 1);
	else
		relay_metric_inc(cx, data->counts[COUNT_UNSENT], 0, 1);
}
