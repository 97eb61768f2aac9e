/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Modules' side of the log: their records, and their sinks.
 */
#ifndef MODULE_LOG_H
#define MODULE_LOG_H

struct relay_module;

/* From now on records go to the sinks of modules.  [C] */
void module_log_init(void);
/* Makes the module's sink active, once it is live.  [C] */
void module_log_publish(struct relay_module *mod);
/* Removes the module's sink, flushing to it first.  [C] */
void module_log_withdraw(struct relay_module *mod);

#endif
