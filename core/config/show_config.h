/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What `strelaysrv -check` prints: the configuration that would be in force.
 */
#ifndef SHOW_CONFIG_H
#define SHOW_CONFIG_H

#include <stdio.h>

struct config;

/*
 * Prints the server's own options and those of the modules in `modules`, in
 * that order, as a configuration file with the same values.  A comment tells
 * where each value comes from.  A secret that is set is printed as ***, which a
 * file must not contain: so nobody can use the output as if it were complete,
 * and open the relay to everybody.  0, or -1 if it cannot be written.
 */
int show_config(const struct config *config, FILE *out);

#endif
