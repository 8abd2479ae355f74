#include "guard/address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

bool tut_address_parse(tut_str where, tut_address *ret)
{
    size_t colon = where.len;
    while (colon > 0 && where.data[colon - 1] != ':')
        colon--;
    if (colon < 2 || where.len - colon >= sizeof(ret->port) || colon > sizeof(ret->host) - 1)
        return false;
    tut_str name = {where.data, colon - 1};
    if (name.data[0] == '[' && name.data[name.len - 1] == ']')
        name = (tut_str){name.data + 1, name.len - 2};
    tut_str_copy(ret->host, sizeof(ret->host), name);
    tut_str_copy(ret->port, sizeof(ret->port), (tut_str){where.data + colon, where.len - colon});
    return true;
}

void tut_address_ask(tut_address *a)
{
    if (strcmp(a->host, "0.0.0.0") == 0 || strcmp(a->host, "*") == 0)
        tut_str_copy(a->host, sizeof(a->host), TUT_LIT("127.0.0.1"));
    if (strcmp(a->host, "::") == 0)
        tut_str_copy(a->host, sizeof(a->host), TUT_LIT("::1"));
}

bool tut_address_is_loopback(const tut_address *a)
{
    return strcmp(a->host, "localhost") == 0 || strcmp(a->host, "::1") == 0 ||
           strncmp(a->host, "127.", 4) == 0;
}

bool tut_address_answers(const tut_address *a)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    bool does = false;
    if (getaddrinfo(a->host, a->port, &hints, &list) != 0)
        return false;
    for (const struct addrinfo *i = list; i && !does; i = i->ai_next) {
        int fd = socket(i->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        does = fd >= 0 && connect(fd, i->ai_addr, i->ai_addrlen) == 0;
        if (fd >= 0)
            (void)close(fd);
    }
    freeaddrinfo(list);
    return does;
}
