#pragma once
#include <netinet/in.h>
#include <string.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

// The C library hides these functions behind macros, which Swift does not see.

/// Asks the servers of /etc/resolv.conf, or `server`, along the search list; answers the size of the answer, -1 where there is
/// none, and then `why` as in `h_errno`. Takes at most `seconds` for each of two tries at each server.
static inline int phoenix_dns_search(
    const char *name, int type, const struct sockaddr_in *server, int seconds, unsigned char *answer, int room, int *why)
{
    struct __res_state state;
    memset(&state, 0, sizeof state);
    *why = NETDB_INTERNAL;
    if (res_ninit(&state) != 0) return -1;
    if (server) {
        state.nscount = 1;
        state.nsaddr_list[0] = *server;
    }
    state.retrans = seconds;
    state.retry = 2;
    int size = res_nsearch(&state, name, ns_c_in, type, answer, room);
    *why = state.res_h_errno;
    res_nclose(&state);
    return size;
}

/// Writes a name that an answer holds at `place`, without its last dot; answers its length, -1 where it is malformed.
static inline int phoenix_dns_name(const ns_msg *message, const unsigned char *place, char *name, int room)
{
    return dn_expand(ns_msg_base(*message), ns_msg_end(*message), place, name, room);
}
