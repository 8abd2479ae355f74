/*
 * The least service that a probe can ask: HTTP/1.1 with keep-alive over one epoll loop, always the
 * same answer of KServe v2 to one row, after so much work. When it ends it says what it took.
 *
 * usage: bench_probe_http_server PORT-FILE WORK-MICROSECONDS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1024, ROOM = 64 << 10, EVENTS = 64 };

typedef struct connection {
    char data[ROOM];
    size_t len;
} connection;

static connection *connections[CONNECTIONS];
static volatile sig_atomic_t is_over;
static unsigned long served;
static double first, last, waited; /* from the first request to the last: with nothing to do */
static long work_us;

static const char body[] = "{\"model_name\":\"m\",\"outputs\":[{\"name\":\"p\",\"datatype\":"
                           "\"FP32\",\"shape\":[1,10],\"data\":[0.1,0.1,0.1,"
                           "0.1,0.1,0.1,0.1,0.1,0.1,0.1]}]}";

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void answer(int fd)
{
    char text[512];
    double until = seconds(CLOCK_MONOTONIC) + (double)work_us / 1e6;
    while (work_us > 0 && seconds(CLOCK_MONOTONIC) < until) {
    }
    int len = snprintf(
        text, sizeof(text),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof(body) - 1, body);
    first = first > 0 ? first : seconds(CLOCK_MONOTONIC);
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) == len)
        served++;
    last = seconds(CLOCK_MONOTONIC);
}

/* Bytes of the first whole request; 0: it is not whole yet. */
static size_t request_of(const connection *c)
{
    const char *end = memmem(c->data, c->len, "\r\n\r\n", 4);
    const char *length = end ? memmem(c->data, (size_t)(end - c->data), "Content-Length: ", 16)
                             : NULL;
    if (!end)
        return 0;
    size_t head = (size_t)(end - c->data) + 4;
    size_t rest = length ? strtoul(length + 16, NULL, 10) : 0;
    return c->len >= head + rest ? head + rest : 0;
}

static void hear(int epoll, int fd)
{
    connection *c = connections[fd];
    ssize_t got = recv(fd, c->data + c->len, ROOM - c->len, 0);
    if (got <= 0) {
        (void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        (void)close(fd);
        free(c);
        connections[fd] = NULL;
        return;
    }
    c->len += (size_t)got;
    for (size_t n = request_of(c); n > 0; n = request_of(c)) {
        answer(fd);
        memmove(c->data, c->data + n, c->len - n);
        c->len -= n;
    }
}

static void welcome(int epoll, int listener)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0 || fd >= CONNECTIONS || !(connections[fd] = calloc(1, sizeof(connection)))) {
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd,
                    &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static int listen_somewhere(const char *port_file)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return -1;
    FILE *f = fopen(port_file, "we");
    if (!f)
        return -1;
    (void)fprintf(f, "%d\n", ntohs(at.sin_port));
    (void)fclose(f);
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    int listener = argc > 2 ? listen_somewhere(argv[1]) : -1;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || epoll < 0)
        return 2;
    work_us = strtol(argv[2], NULL, 10);
    (void)signal(SIGTERM, on_signal);
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener,
                    &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    while (!is_over) {
        double begun = seconds(CLOCK_MONOTONIC);
        int n = epoll_wait(epoll, events, EVENTS, 100);
        if (first > 0 && n > 0)
            waited += seconds(CLOCK_MONOTONIC) - begun;
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                welcome(epoll, listener);
            else
                hear(epoll, events[i].data.fd);
        }
    }
    (void)printf("{\"served\":%lu,\"cpu\":%.3f,\"waited\":%.3f,\"all\":%.3f}\n", served,
                 seconds(CLOCK_PROCESS_CPUTIME_ID), waited, last - first);
    return 0;
}
