# SPDX-License-Identifier: MPL-2.0
# Fuzz targets for readers that need more of the server than their own file: all of
# core is in an archive, from which each target gets what it uses.  What a target
# defines itself takes the place of what the archive has.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(FUZZ REQUIRED IMPORTED_TARGET libevent libevent_pthreads
  libevent_openssl libssl libcrypto libconfuse hogweed nettle gmp libcjson)
pkg_check_modules(FUZZ_UPNP REQUIRED IMPORTED_TARGET miniupnpc)
pkg_check_modules(FUZZ_CURL REQUIRED libcurl)

file(GLOB fuzz_core_sources CONFIGURE_DEPENDS "${FUZZ_ROOT}/core/*/*.c")
# Neither the program's entry nor what the build stamps into it.
list(FILTER fuzz_core_sources EXCLUDE REGEX "/(main|build|catalog)\\.c$")
add_library(fuzz_core STATIC EXCLUDE_FROM_ALL ${fuzz_core_sources})
set_target_properties(fuzz_core PROPERTIES
  C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
include("${FUZZ_ROOT}/core/optional_functions.cmake")
target_compile_definitions(fuzz_core PRIVATE _GNU_SOURCE)
target_include_directories(fuzz_core PUBLIC
  "${FUZZ_ROOT}/include" "${FUZZ_ROOT}/core" "${FUZZ_ROOT}/modules")
target_compile_options(fuzz_core PRIVATE
  -g -O1 -fno-omit-frame-pointer ${fuzz_flags})
target_link_libraries(fuzz_core PUBLIC PkgConfig::FUZZ Threads::Threads
  ${CMAKE_DL_LIBS} m)

# reader_target(name sources... [RUNS n] [WRAP functions...] [FOLDERS folders...]):
# a fuzz_target with core.  Calls of the functions go to __wrap_NAME.  The test
# makes n runs, which should take seconds.
function(reader_target name)
  cmake_parse_arguments(arg "" "RUNS" "WRAP;FOLDERS" ${ARGN})
  set(fuzz_runs ${arg_RUNS})
  fuzz_target(${name} ${arg_UNPARSED_ARGUMENTS})
  # Libraries, too, may refer to a wrapped function.
  set_target_properties(fuzz_${name} PROPERTIES C_VISIBILITY_PRESET default)
  target_link_libraries(fuzz_${name} PRIVATE fuzz_core)
  foreach(folder ${arg_FOLDERS})
    target_include_directories(fuzz_${name} PRIVATE "${FUZZ_ROOT}/${folder}")
  endforeach()
  foreach(function ${arg_WRAP})
    target_link_options(fuzz_${name} PRIVATE "-Wl,--wrap=${function}")
  endforeach()
endfunction()

# Alphabetical.
reader_target(answer modules/admission/answer.c FOLDERS modules/admission)
reader_target(bans modules/access/bans.c FOLDERS modules/access)
reader_target(cluster modules/cluster/messages/message.c
  modules/cluster/messages/replay.c modules/cluster/messages/seal.c
  modules/cluster/nodes/node_choice.c modules/cluster/nodes/node_table.c
  RUNS 5000 WRAP CRYPTO_memcmp EVP_EncryptUpdate)
reader_target(config RUNS 2000 FOLDERS tests/unit/config
  WRAP asprintf calloc free malloc realloc reallocarray strdup strndup)
reader_target(flags RUNS 2000 FOLDERS tests/unit/config)
# With the archive, its calls can be wrapped, too.
find_library(FUZZ_NATPMP_ARCHIVE libnatpmp.a)
if(FUZZ_NATPMP_ARCHIVE)
  reader_target(gateway modules/nat/external_address.c modules/nat/fetch.c
    modules/nat/gateways.c modules/nat/host.c modules/nat/http_body.c
    modules/nat/igd.c modules/nat/pinhole.c modules/nat/pmp.c modules/nat/port.c
    modules/nat/refusal.c modules/nat/schedule.c modules/nat/ssdp.c
    modules/nat/upnp.c modules/shared/address_reach.c RUNS 5000 FOLDERS modules/nat
    WRAP bind clock_gettime close connect fcntl getsockname getsockopt
    gettimeofday if_nametoindex poll recv recvfrom send sendto setsockopt socket)
  target_link_libraries(fuzz_gateway PRIVATE PkgConfig::FUZZ_UPNP
    "${FUZZ_NATPMP_ARCHIVE}")
endif()
reader_target(guard_files modules/access/named.c modules/access/tokens.c modules/access/rules.c
  modules/access/watch.c modules/relay/devices/join_token.c
  modules/shared/guard_file.c modules/shared/ranges.c FOLDERS modules/access)
reader_target(http RUNS 2000 WRAP clock_gettime event_add time)
reader_target(inherited WRAP close fcntl getsockname getsockopt)
reader_target(pem modules/pool-join/pem.c RUNS 2000 FOLDERS modules/pool-join)
target_include_directories(fuzz_pem PRIVATE ${FUZZ_CURL_INCLUDE_DIRS})
reader_target(pool modules/pool-join/answer.c modules/pool-join/plan.c
  modules/pool-join/request.c modules/shared/curl_loop.c modules/shared/standing_timer.c RUNS 2000
  FOLDERS modules/pool-join)
target_include_directories(fuzz_pool PRIVATE ${FUZZ_CURL_INCLUDE_DIRS})
target_link_libraries(fuzz_pool PRIVATE ${FUZZ_CURL_LIBRARIES})
reader_target(proxy_accept RUNS 5000)
reader_target(quota modules/quota/names.c modules/quota/state.c FOLDERS modules/quota)
reader_target(row modules/cluster/redis/keys.c modules/cluster/tables/row_seal.c
  WRAP CRYPTO_memcmp)
reader_target(records RUNS 5000)
reader_target(upgrade RUNS 5000
  WRAP clock_ms kill poll setpgid waitpid)
