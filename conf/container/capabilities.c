/* SPDX-License-Identifier: MPL-2.0 */

/* Reads names of capabilities, and passes capabilities on. */

#include <ctype.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capabilities.h"

/* By number, as in linux/capability.h. */
static const char *const names[] = {"chown", "dac_override", "dac_read_search",
	"fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin",
	"net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio",
	"sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot",
	"sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod",
	"lease", "audit_write", "audit_control", "setfcap", "mac_override",
	"mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
	"perfmon", "bpf", "checkpoint_restore"};

#define NAMES    (sizeof(names) / sizeof(names[0]))
#define EVERY    ((UINT64_C(1) << NAMES) - 1)
#define OPERATOR "=+-"

const char *capabilities_name(int number)
{
	return number >= 0 && (size_t)number < NAMES ? names[number] : NULL;
}

static int find(const char *name, size_t len, uint64_t *out)
{
	if (len > 4 && strncasecmp(name, "cap_", 4) == 0) {
		name += 4;
		len -= 4;
	}
	if (len == 3 && strncasecmp(name, "all", 3) == 0) {
		*out |= EVERY;
		return 0;
	}
	for (size_t i = 0; i < NAMES; i++) {
		if (strlen(names[i]) == len &&
			strncasecmp(name, names[i], len) == 0) {
			*out |= UINT64_C(1) << i;
			return 0;
		}
	}
	return -1;
}

/* "cap_chown,cap_kill" before an operator; nothing stands for all before '='.
 * Returns what follows, or NULL. */
static const char *read_names(const char *at, uint64_t *out)
{
	*out = *at == '=' ? EVERY : 0;
	while (*at != '=' || !*out) {
		size_t len = strcspn(at, "," OPERATOR " \t\n");

		if (find(at, len, out) != 0)
			return NULL;
		at += len;
		if (*at != ',')
			break;
		at++;
	}
	return *at && strchr(OPERATOR, *at) ? at : NULL;
}

/* One operator and its flags; returns what follows. */
static const char *apply(const char *at, uint64_t which, uint64_t *set)
{
	const char sign = *at++;
	bool permits = false;

	for (; *at && strchr("eip", *at); at++)
		permits |= *at != 'i';
	if (sign == '=' || (sign == '-' && permits))
		*set &= ~which;
	if (sign != '-' && permits)
		*set |= which;
	return at;
}

int capabilities_parse(const char *text, uint64_t *out)
{
	*out = 0;
	for (;;) {
		uint64_t which;

		while (isspace((unsigned char)*text))
			text++;
		if (!*text)
			return 0;
		text = read_names(text, &which);
		if (!text)
			return -1;
		while (*text && strchr(OPERATOR, *text))
			text = apply(text, which, out);
		if (*text && !isspace((unsigned char)*text))
			return -1;
	}
}

static int get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};

	return (int)syscall(SYS_capget, &header, data);
}

int capabilities_permitted(uint64_t *out)
{
	struct __user_cap_data_struct data[2];

	if (get(data) != 0)
		return -1;
	*out = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

int capabilities_keep(uint64_t wanted)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{.effective = 0}};

	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = data[i].inheritable =
			(uint32_t)(wanted >> (32 * i));
	/* What is ambient cannot be more than what is inheritable. */
	if (syscall(SYS_capset, &header, data) != 0)
		return -1;
	for (unsigned long i = 0; i < NAMES; i++)
		if (wanted >> i & 1 &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) !=
				0)
			return -1;
	return 0;
}
