/* SPDX-License-Identifier: MPL-2.0 */

/* The kernel memory of all sessions together. */

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/instance.h"
#include "net/kernel_memory.h"
#include "net/net_state.h"

/* Used if tcp_mem cannot be read: the kernel's default is about one eighth of
 * the RAM. */
#define SHARE_OF_RAM 8

static struct kernel_memory *self(void)
{
	return &instance->net->memory;
}

/* In bytes; 0: not known.  sysconf(_SC_PHYS_PAGES) does not notice if the
 * kernel refuses sysinfo(2), and returns what was on the stack. */
static int64_t share_of_ram(void)
{
	struct sysinfo info;

	if (sysinfo(&info) != 0)
		return 0;
	return (int64_t)(info.totalram / SHARE_OF_RAM) * info.mem_unit;
}

/* From this on the kernel limits all connections; in bytes.  An administrator
 * may have set it to anything. */
static int64_t pressure(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_mem", "re");
	int64_t pages = 0, page = sysconf(_SC_PAGESIZE);

	if (file && fscanf(file, "%*d %" SCNd64, &pages) != 1)
		pages = 0;
	if (file)
		(void)fclose(file);
	if (pages <= 0)
		return share_of_ram();
	return pages < INT64_MAX / page ? pages * page : INT64_MAX;
}

static int64_t default_bound(const struct cgroup_limit *allowed)
{
	int64_t bytes = pressure() / 2;

	if (allowed->most > 0 && (bytes == 0 || allowed->most / 2 < bytes))
		return allowed->most / 2;
	return bytes;
}

void kernel_memory_bound(int64_t bytes, const struct cgroup_limit *allowed)
{
	if (bytes == 0)
		bytes = default_bound(allowed);
	atomic_store_explicit(&self()->bound, bytes > 0 ? bytes : INT64_MAX,
		memory_order_relaxed);
}

void kernel_memory_change(int64_t by)
{
	atomic_fetch_add_explicit(&self()->sum, by, memory_order_relaxed);
}

int64_t kernel_memory_excess(void)
{
	return atomic_load_explicit(&self()->sum, memory_order_relaxed) -
	       kernel_memory_limit();
}

bool kernel_memory_short(void)
{
	return kernel_memory_excess() > 0;
}

int64_t kernel_memory_short_ms(int64_t now_ms)
{
	struct kernel_memory *memory = self();
	int64_t since = 0;

	if (!kernel_memory_short()) {
		atomic_store_explicit(
			&memory->since_ms, 0, memory_order_relaxed);
		return -1;
	}
	if (atomic_compare_exchange_strong(&memory->since_ms, &since, now_ms))
		since = now_ms;
	return now_ms > since ? now_ms - since : 0;
}

int64_t kernel_memory_limit(void)
{
	return atomic_load_explicit(&self()->bound, memory_order_relaxed);
}
