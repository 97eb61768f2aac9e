/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Named services between modules.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <strelaysrv/service.h>

struct relay_module;

/* Withdraws the services of the module.  [C] */
void service_withdraw(struct relay_module *mod);

#endif
