/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Options whose value is a credential of systemd.
 */
#ifndef CONFIG_CREDENTIALS_H
#define CONFIG_CREDENTIALS_H

struct config_report;
struct config_section;

/*
 * The option keys names the directory of the credentials if cert.pem or key.pem
 * is there, and nobody has set it.  `own` is the server's own section.  It is
 * an error if it names another directory: one of the two would be ignored.
 */
void config_take_credentials(
	struct config_section *own, struct config_report *to);

#endif
