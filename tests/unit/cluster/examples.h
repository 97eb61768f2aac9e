/* SPDX-License-Identifier: MPL-2.0 */

/* examples.h - one message of each type, with a value in each field. */
#ifndef EXAMPLES_H
#define EXAMPLES_H

#include "cluster/messages/message.h"

struct message example(enum message_type type);

#endif
