/* SPDX-License-Identifier: MPL-2.0 */

/* sharing_state.h - what is shared with other nodes.  [C] */
#ifndef CLUSTER_SHARING_STATE_H
#define CLUSTER_SHARING_STATE_H

#include <strelaysrv/log.h>

#include "cluster/tables/row_seal.h"
#include "cluster/tables/tables.h"

struct sharing {
	struct tables tables;
	struct row_seal seal;
	bool sealed; /* the keys are there */
	struct relay_log_kind forged, no_room, unsealed;
};

#endif
