/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The log API for modules: their records and their sinks.
 */
#ifndef MODULE_LOG_H
#define MODULE_LOG_H

struct relay_module;

/* Lets log records go to modules' sinks from now on.  [C] */
void module_log_init(void);
/* Makes the module's sink active, once it is live.  [C] */
void module_log_publish(struct relay_module *mod);
/* Flushes the log to the module's sink, then removes the sink.  [C] */
void module_log_withdraw(struct relay_module *mod);

#endif
