/* SPDX-License-Identifier: MPL-2.0 */

#include "net_fixture.h"

#include "net/net_state.h"

int net_set_up(void **state)
{
	(void)state;
	return net_create();
}

int net_tear_down(void **state)
{
	(void)state;
	net_destroy();
	return 0;
}
