/* SPDX-License-Identifier: MPL-2.0 */

/*
 * What runs in Redis as one step.
 *
 * A number in Lua is a double, which is exact up to 2^53 only, and it compares
 * texts by the server's locale.  So incarnations and epochs are read as halves
 * of 32 bits, and compared one after the other.
 *
 * The key of a node is not among KEYS, because only the script knows it.  It
 * has the same hash tag, so it is on the same server.
 */

#include "cluster/redis/scripts.h"

#define ENTRY_IS_WRONG                                                         \
	"return redis.error_reply('WRONGTYPE the entry of a device has '"      \
	" .. #v .. ' bytes, not 24')\n"

/* KEYS: the device.  ARGV: an entry (our incarnation, the epoch, the serial),
 * 'join' or 'check'.  Answers what was stored and what is.  A serial that is
 * stored for us already and is higher stays.  An entry that is ours lasts for
 * an hour; each check, some minutes apart, begins that anew.  So what a node
 * leaves behind that dies goes by itself. */
static const char claim[] =
	"local v = redis.call('GET', KEYS[1]) or string.rep('\\0', 24)\n"
	"if #v ~= 24 then " ENTRY_IS_WRONG "end\n"
	"local i, j, e, f, s, t = struct.unpack('>I4I4I4I4I4I4', v)\n"
	"local oi, oj, oe, of, os, ot =\n"
	"  struct.unpack('>I4I4I4I4I4I4', ARGV[1])\n"
	"local ours = i == oi and j == oj\n"
	"if not ours or s < os or (s == os and t < ot) then s, t = os, ot end\n"
	"local serial = struct.pack('>I4I4', s, t)\n"
	"local now = v\n"
	"if ARGV[2] == 'join' then\n"
	"  if e > oe or (e == oe and f > of) then oe, of = e, f end\n"
	"  of = of + 1\n"
	"  if of > 4294967295 then oe, of = oe + 1, 0 end\n"
	"  if oe > 4294967295 then oe, of = 4294967295, 4294967295 end\n"
	"  now = string.sub(ARGV[1], 1, 8) .. struct.pack('>I4I4', oe, of)\n"
	"    .. serial\n"
	"elseif (i == 0 and j == 0) or e < oe or (e == oe and (f < of or\n"
	"  (f == of and (i < oi or (i == oi and j < oj))))) then\n"
	"  now = string.sub(ARGV[1], 1, 16) .. serial\n"
	"elseif ours then\n"
	"  now = string.sub(v, 1, 16) .. serial\n"
	"end\n"
	"if string.sub(now, 1, 8) == string.sub(ARGV[1], 1, 8) then\n"
	"  redis.call('SET', KEYS[1], now, 'EX', 3600)\n"
	"end\n"
	"return v .. now\n";

/* KEYS: the device.  ARGV: our incarnation and the highest serial. */
static const char release[] =
	"local v = redis.call('GET', KEYS[1])\n"
	"if not v or #v ~= 24 or\n"
	"  string.sub(v, 1, 8) ~= string.sub(ARGV[1], 1, 8) then return 0 end\n"
	"local s, t = struct.unpack('>I4I4', v, 17)\n"
	"local os, ot = struct.unpack('>I4I4', ARGV[1], 9)\n"
	"if s < os or (s == os and t <= ot) then\n"
	"  redis.call('DEL', KEYS[1])\n"
	"end\n"
	"return 0\n";

/* KEYS: the device.  ARGV: our incarnation, the prefix of all keys, the
 * message. */
static const char find[] =
	"local v = redis.call('GET', KEYS[1])\n"
	"if not v then return 0 end\n"
	"if #v ~= 24 then " ENTRY_IS_WRONG "end\n"
	"if string.sub(v, 1, 8) == ARGV[1] then return 1 end\n"
	"local node = string.format('%08x%08x', struct.unpack('>I4I4', v))\n"
	"if redis.call('EXISTS', ARGV[2] .. 'node:' .. node) == 0 then\n"
	"  return 0\n"
	"end\n"
	"redis.call('PUBLISH', ARGV[2] .. 'to:' .. node, ARGV[3])\n"
	"return 2\n";

/* KEYS: the node, the nodes.  ARGV: the lease, its milliseconds, the
 * incarnation in hexadecimal, the channel. */
static const char lease[] =
	"redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
	"redis.call('SADD', KEYS[2], ARGV[3])\n"
	"redis.call('PUBLISH', ARGV[4], ARGV[1])\n"
	"return 0\n";

/* KEYS: the nodes.  ARGV: where to go on, the prefix of nodes.  Answers where
 * the next page begins ('0': there is none), and leases.  Forgets nodes that
 * are over. */
static const char leases[] =
	"local page = redis.call('SSCAN', KEYS[1], ARGV[1], 'COUNT', 100)\n"
	"local live = {}\n"
	"for _, node in ipairs(page[2]) do\n"
	"  local v = redis.call('GET', ARGV[2] .. node)\n"
	"  if not v then redis.call('SREM', KEYS[1], node)\n"
	"  elseif #live < 500 then live[#live + 1] = v end\n"
	"end\n"
	"return {page[1], live}\n";

/* KEYS: the relay.  ARGV: our ID.  Answers the one that is stored. */
static const char identify[] = "local v = redis.call('GET', KEYS[1])\n"
			       "if v then return v end\n"
			       "redis.call('SET', KEYS[1], ARGV[1])\n"
			       "return ARGV[1]\n";

const char *const script_text[SCRIPTS] = {
	[SCRIPT_CLAIM] = claim,
	[SCRIPT_RELEASE] = release,
	[SCRIPT_FIND] = find,
	[SCRIPT_LEASE] = lease,
	[SCRIPT_LEASES] = leases,
	[SCRIPT_IDENTIFY] = identify,
};
