/* SPDX-License-Identifier: MPL-2.0 */

/* The entry, kept out of what unit tests link. */

#include "life/server.h"

int main(int argc, char *argv[])
{
	return server_run(argc, argv);
}
