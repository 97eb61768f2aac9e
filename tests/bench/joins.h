/* SPDX-License-Identifier: MPL-2.0 */

/* joins.h - how fast devices came back, for the commands that make them. */
#ifndef JOINS_H
#define JOINS_H

#include "devices.h"

/* Joins all devices and prints the report "joins".  Returns the exit code. */
int joins_run(struct bench *bench, struct devices *devices);

#endif
