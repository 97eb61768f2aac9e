/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that the old process of an upgrade passes on to the new one, see
 * relay_conn_pass_on().
 */
#ifndef PASS_ON_H
#define PASS_ON_H

/* [C]  The new process serves: workers may use the channel.  Without a
 * descriptor for that nothing can be passed on, and the log says so. */
void pass_on_begin(int channel);
/* [C]  It does not serve any more, or this process ends. */
void pass_on_end(void);
/* [C]  As pass_on_end(); no worker runs any more. */
void pass_on_finish(void);

#endif
