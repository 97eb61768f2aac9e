/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The workers of this server: threads that serve connections and sessions.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stddef.h>
#include <stdint.h>

struct worker;

struct peers_conf {
	unsigned workers;          /* how many */
	size_t network_buffer;     /* bytes of the buffer for every read */
	size_t pipe_size;          /* bytes of a pipe, see pipes.h */
	int socket_buffer;         /* bytes, of each socket of a session; 0: the
				    * kernel sizes it */
	int64_t answer_timeout_ms; /* of modules, see question.c */
};

/*
 * [C]  Makes the workers, without threads, see workers_create(); the rest of
 * their life is in workers.h.  0, or -1 logged.
 */
int peers_create(const struct peers_conf *conf);

/*
 * Own thread.  The configuration has changed; the number of workers has not.
 * `buffer`: a new read buffer of conf->network_buffer bytes, which the worker
 * then owns; NULL: the old one stays.
 */
void peers_change(struct worker *worker, const struct peers_conf *conf,
	unsigned char *buffer);

#endif
