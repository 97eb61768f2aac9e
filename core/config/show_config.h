/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What `strelaysrv -check` prints: the configuration that would be in force.
 */
#ifndef SHOW_CONFIG_H
#define SHOW_CONFIG_H

#include <stdio.h>

struct config;

/*
 * The server's own options and those of the modules that `modules` names, in
 * that order, as a configuration file that gives the same again; a comment
 * tells where each value comes from.  A secret that is set is shown as ***,
 * which no file may say: what is printed cannot be taken for complete, and open
 * the relay to everybody.  0, or -1 when it cannot be written.
 */
int show_config(const struct config *config, FILE *out);

#endif
