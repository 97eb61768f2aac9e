/* SPDX-License-Identifier: MPL-2.0 */

/*
 * joins.h - measures the joins of devices, for the commands that use devices.
 */
#ifndef JOINS_H
#define JOINS_H

#include "devices.h"

/* Joins all devices and prints the report "joins".  Returns the exit code. */
int joins_run(struct bench *bench, struct devices *devices);

#endif
