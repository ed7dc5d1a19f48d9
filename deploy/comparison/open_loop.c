/* An open-loop HTTP/1.1 client: requests are due at a fixed rate, whatever the answers do.
 *
 * usage: open_loop ADDRESS PORT PATH CONNECTIONS RATE SECONDS
 *
 * Request r is due at start + r / RATE on connection r % CONNECTIONS. A connection has one request out at a time, so
 * one that is due while an answer is missing waits; its latency counts from when it was due (coordinated omission).
 * The first request of each connection comes before the start and is not counted.
 *
 * Prints one line: requests=N unanswered=N p50=US p99=US p999=US max=US late=US, microseconds; `late` is the 99th
 * percentile of how late this program itself sent requests whose connection was free. Requests that have no answer some
 * seconds after the last was due count with the latency that they have until then. Exits with 1 and a message if
 * anything but complete answers with status 200 came.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_SIZE = 16384, EVENTS = 512, REQUEST_SIZE = 512 };

static const int64_t SECOND = 1000000000;
static const int64_t PATIENCE = 5 * SECOND; /* with what is still out at the end */

struct connection {
	int fd;
	bool waiting;     /* for an answer */
	int64_t due;      /* of the request that is out, or of the next one */
	int64_t backlog;  /* requests that have become due since */
	size_t filled;    /* bytes of `answer` */
	char answer[ANSWER_SIZE];
};

struct samples {
	uint32_t *microseconds;
	size_t count, size;
};

static char request[REQUEST_SIZE];
static size_t request_length;

static void fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("open_loop: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void record(struct samples *samples, int64_t nanoseconds)
{
	if (samples->count == samples->size)
		fail("more answers than requests");
	samples->microseconds[samples->count++] = (uint32_t)(nanoseconds > 0 ? nanoseconds / 1000 : 0);
}

static int ascending(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return (a > b) - (a < b);
}

/* The nearest-rank percentile of sorted samples, in parts of a thousand; 0 if there is none. */
static uint32_t percentile(const struct samples *samples, size_t permille)
{
	if (!samples->count)
		return 0;
	size_t rank = (samples->count * permille + 999) / 1000;
	return samples->microseconds[rank ? rank - 1 : 0];
}

static struct samples allocate(size_t size)
{
	struct samples samples = {calloc(size, sizeof(uint32_t)), 0, size};
	if (!samples.microseconds)
		fail("no memory for %zu samples", size);
	return samples;
}

static void send_request(struct connection *connection)
{
	ssize_t sent = send(connection->fd, request, request_length, MSG_NOSIGNAL);
	if (sent != (ssize_t)request_length)
		fail("cannot send a request: %s", sent < 0 ? strerror(errno) : "no room for it");
	connection->waiting = true;
	connection->filled = 0;
}

/* Whether the answer is complete now. */
static bool receive(struct connection *connection)
{
	ssize_t got = recv(connection->fd, connection->answer + connection->filled,
			   ANSWER_SIZE - 1 - connection->filled, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0)
		fail("a connection ended: %s", got < 0 ? strerror(errno) : "closed");
	connection->filled += (size_t)got;
	connection->answer[connection->filled] = '\0';
	const char *end = strstr(connection->answer, "\r\n\r\n");
	if (!end) {
		if (connection->filled == ANSWER_SIZE - 1)
			fail("an answer is longer than %d bytes", ANSWER_SIZE);
		return false;
	}
	if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0)
		fail("an answer is not 200: %.60s", connection->answer);
	const char *length = strcasestr(connection->answer, "\r\ncontent-length:");
	if (!length || length > end)
		fail("an answer has no Content-Length");
	size_t whole = (size_t)(end + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
	if (whole >= ANSWER_SIZE || connection->filled > whole)
		fail("an answer has %zu bytes, of which %zu came", whole, connection->filled);
	return connection->filled == whole;
}

static void open_connection(struct connection *connection, int epoll, const struct sockaddr_in *server)
{
	int one = 1;
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0 || connect(connection->fd, (const struct sockaddr *)server, sizeof(*server)))
		fail("cannot connect: %s", strerror(errno));
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event))
		fail("cannot watch a connection: %s", strerror(errno));
	send_request(connection);
}

/* Wait for events until `until`; returns their number. */
static int wait_for(int epoll, struct epoll_event *events, int64_t until)
{
	int64_t left = until - now();
	if (left < 0)
		left = 0;
	struct timespec timeout = {.tv_sec = left / SECOND, .tv_nsec = left % SECOND};
	int ready = epoll_pwait2(epoll, events, EVENTS, &timeout, NULL);
	if (ready < 0 && errno != EINTR)
		fail("cannot wait: %s", strerror(errno));
	return ready > 0 ? ready : 0;
}

int main(int count, char **words)
{
	if (count != 7)
		fail("usage: open_loop ADDRESS PORT PATH CONNECTIONS RATE SECONDS");
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[2]))};
	int64_t connections = atoll(words[4]);
	double rate = atof(words[5]), seconds = atof(words[6]);
	if (!inet_aton(words[1], &server.sin_addr) || connections < 1 || rate <= 0 || seconds <= 0)
		fail("ADDRESS is one of IPv4; CONNECTIONS, RATE and SECONDS are more than 0");
	int64_t total = (int64_t)(rate * seconds);
	double interval = (double)SECOND / rate;
	request_length = (size_t)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", words[3], words[1]);
	if (request_length >= sizeof(request))
		fail("PATH is too long");
	/* A timer may else be 50 us late. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	struct rlimit files = {(rlim_t)connections + 64, (rlim_t)connections + 64};
	setrlimit(RLIMIT_NOFILE, &files);

	struct connection *all = calloc((size_t)connections, sizeof(*all));
	struct samples latencies = allocate((size_t)total), late = allocate((size_t)total);
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!all || epoll < 0)
		fail("no memory for %lld connections", (long long)connections);
	for (int64_t i = 0; i < connections; i++)
		open_connection(&all[i], epoll, &server);
	int64_t out = connections, deadline = now() + PATIENCE;
	while (out) {
		int ready = wait_for(epoll, events, deadline);
		if (now() >= deadline)
			fail("%lld first requests are without an answer", (long long)out);
		for (int i = 0; i < ready; i++) {
			struct connection *connection = events[i].data.ptr;
			if (receive(connection)) {
				connection->waiting = false;
				out--;
			}
		}
	}

	int64_t start = now(), due = 0, answered = 0;
	int64_t period = (int64_t)(interval * (double)connections);
	deadline = start + (int64_t)(seconds * (double)SECOND) + PATIENCE;
	while (answered < total) {
		int64_t time = now(), next = deadline;
		while (due < total) {
			int64_t at = start + (int64_t)((double)due * interval);
			if (at > time) {
				next = at;
				break;
			}
			struct connection *connection = &all[due++ % connections];
			if (connection->waiting) {
				connection->backlog++;
			} else {
				connection->due = at;
				send_request(connection);
				time = now();
				record(&late, time - at);
			}
		}
		int ready = wait_for(epoll, events, next);
		time = now();
		if (time >= deadline)
			break;
		for (int i = 0; i < ready; i++) {
			struct connection *connection = events[i].data.ptr;
			if (!receive(connection))
				continue;
			connection->waiting = false;
			record(&latencies, now() - connection->due);
			answered++;
			if (connection->backlog) {
				connection->backlog--;
				connection->due += period;
				send_request(connection);
			}
		}
	}
	for (int64_t i = 0; i < connections; i++) {
		struct connection *connection = &all[i];
		if (connection->waiting)
			for (int64_t at = connection->due; connection->backlog >= 0; connection->backlog--, at += period)
				record(&latencies, now() - at);
	}
	qsort(latencies.microseconds, latencies.count, sizeof(uint32_t), ascending);
	qsort(late.microseconds, late.count, sizeof(uint32_t), ascending);
	printf("requests=%zu unanswered=%zu p50=%u p99=%u p999=%u max=%u late=%u\n", latencies.count,
	       latencies.count - (size_t)answered, percentile(&latencies, 500), percentile(&latencies, 990),
	       percentile(&latencies, 999), percentile(&latencies, 1000), percentile(&late, 990));
	return 0;
}
