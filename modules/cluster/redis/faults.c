/* SPDX-License-Identifier: MPL-2.0 */

/* The kinds of errors that a server answers. */

#include <stdio.h>
#include <string.h>

#include "cluster/redis/replies.h"

/* The word that an error begins with.  From within a script, servers before
 * version 7 put it further back. */
static const struct {
	const char *word;
	enum redis_fault fault;
} words[] = {
	{"WRONGTYPE", REDIS_FAULT_TYPE},
	{"OOM", REDIS_FAULT_MEMORY},
	{"NOAUTH", REDIS_FAULT_RIGHTS},
	{"WRONGPASS", REDIS_FAULT_RIGHTS},
	{"NOPERM", REDIS_FAULT_RIGHTS},
	{"READONLY", REDIS_FAULT_MOVED},
	{"MOVED", REDIS_FAULT_MOVED},
	{"ASK", REDIS_FAULT_MOVED},
	{"CLUSTERDOWN", REDIS_FAULT_MOVED},
	{"MASTERDOWN", REDIS_FAULT_MOVED},
	{"NOSCRIPT", REDIS_FAULT_SCRIPT},
	{"LOADING", REDIS_FAULT_BUSY},
	{"BUSY", REDIS_FAULT_BUSY},
	{"TRYAGAIN", REDIS_FAULT_BUSY},
};

static const struct {
	const char *words;
	enum redis_fault fault;
} sentences[] = {
	{"unknown command", REDIS_FAULT_RIGHTS},
	{"Unknown Redis command", REDIS_FAULT_RIGHTS},
	{"not allowed when used memory", REDIS_FAULT_MEMORY},
	{"WRONGTYPE Operation", REDIS_FAULT_TYPE},
	{"READONLY You can't write", REDIS_FAULT_MOVED},
	{"can't write against a read only", REDIS_FAULT_MOVED},
};

bool reply_begins(const struct resp *reply, const char *word)
{
	size_t len = strlen(word);

	return reply->type == RESP_ERROR && reply->len >= len &&
	       memcmp(reply->bytes, word, len) == 0 &&
	       (reply->len == len || reply->bytes[len] == ' ');
}

enum redis_fault reply_fault(const struct resp *reply)
{
	if (reply->type != RESP_ERROR)
		return REDIS_FAULTS;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (reply_begins(reply, words[i].word))
			return words[i].fault;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (memmem(reply->bytes, reply->len, sentences[i].words,
			    strlen(sentences[i].words)))
			return sentences[i].fault;
	return REDIS_FAULT_OTHER;
}

const char *reply_fault_text(enum redis_fault fault)
{
	switch (fault) {
	case REDIS_FAULT_TYPE:
		return "a key of this cluster has somebody else's value; "
		       "use another database or another name";
	case REDIS_FAULT_MEMORY:
		return "it is at its maxmemory and stores nothing more";
	case REDIS_FAULT_RIGHTS:
		return "it refuses a command; check the user, the password and "
		       "its access list, and rename-command";
	case REDIS_FAULT_MOVED:
		return "it is not the server to write to";
	case REDIS_FAULT_SCRIPT:
		return "it has forgotten the scripts, which are sent again";
	case REDIS_FAULT_BUSY:
		return "it is busy";
	case REDIS_FAULT_REPLY:
		return "an answer has an unexpected form";
	default:
		return "it answers with an error";
	}
}

void reply_describe(const struct resp *reply, char text[REPLY_TEXT])
{
	static const char *const types[] = {
		[RESP_NIL] = "(nothing)",
		[RESP_INTEGER] = "(a number)",
		[RESP_TEXT] = "(a text)",
		[RESP_ARRAY] = "(a list)",
	};
	size_t len = reply->len;

	if (reply->type != RESP_ERROR && reply->type != RESP_STATUS) {
		(void)snprintf(text, REPLY_TEXT, "%s", types[reply->type]);
		return;
	}
	if (len >= REPLY_TEXT)
		len = REPLY_TEXT - 1;
	for (size_t i = 0; i < len; i++)
		text[i] = reply->bytes[i] >= ' ' && reply->bytes[i] <= '~'
				  ? (char)reply->bytes[i]
				  : '?';
	text[len] = '\0';
}
