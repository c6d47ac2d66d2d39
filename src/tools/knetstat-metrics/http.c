// SPDX-License-Identifier: GPL-2.0
/*
 * One request of HTTP, answered: for a systemd socket with Accept=yes, or inetd.
 *
 * A client gets so much time and may send so many bytes; whatever it does is no failure
 * of ours. What goes to stderr is the reason if there is nothing to answer; and stderr
 * may be the client, too.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../lib/say.h"
#include "metrics.h"

#define REQUEST_MAX	8192
/* So much of what else it sends is taken off it, so that it comes to read the answer. */
#define DRAIN_MAX	(1024 * 1024)

#define PATH		"/metrics"
#define PLAIN		"text/plain; charset=utf-8"

static const char * const content_types[] = {
	[OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
	[PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
};

/* Where the answer goes; and what goes to stderr, which is this one then. */
static int answer_fd;
static int said_fd = -1;
static int stderr_fd = -1;
static bool answered;
static bool head_only;

static bool is_socket(int fd, struct stat *stats)
{
	return !fstat(fd, stats) && S_ISSOCK(stats->st_mode);
}

static u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* Reads what is there; 0: nothing more will come, -1: it took too long. */
static ssize_t read_until(u64 deadline, char *to, size_t size)
{
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	u64 now;
	ssize_t n;

	for (;;) {
		now = now_ms();
		if (now >= deadline)
			return -1;
		if (poll(&ready, 1, deadline - now) <= 0)
			continue;
		n = read(STDIN_FILENO, to, size);
		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN)
			return 0;
	}
}

static void give_up(int signal)
{
	(void)signal;
	_exit(0);
}

/* Who does not take it in time, or goes away, has had it. */
static void send_all(const struct text *text)
{
	struct pollfd ready = { .fd = answer_fd, .events = POLLOUT };
	size_t done = 0;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, give_up);
	alarm(opt.timeout);
	while (done < text->len) {
		n = write(answer_fd, text->data + done, text->len - done);
		if (n < 0 && errno == EAGAIN)
			poll(&ready, 1, -1);
		else if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? n : 0;
	}
	alarm(0);
}

static void answer(const char *status, const char *type, const char *more_headers,
		   const struct text *body)
{
	struct text text = { };

	answered = true;
	text_addf(&text, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			 "%sConnection: close\r\n\r\n",
		  status, type, body->len, more_headers);
	if (!head_only)
		text_add(&text, body->data, body->len);
	send_all(&text);
	free(text.data);
}

/* Refuses: with a line that says why. */
static noreturn void refuse(const char *status, const char *more_headers, const char *why)
{
	u64 deadline = now_ms() + opt.timeout * 1000ULL;
	struct text body = { };
	static char rest[REQUEST_MAX];
	size_t drained = 0;
	ssize_t n;

	text_addf(&body, "%s\n", why);
	answer(status, PLAIN, more_headers, &body);
	/* What it has sent and nobody read would make the answer a reset. */
	shutdown(answer_fd, SHUT_WR);
	while (drained < DRAIN_MAX) {
		n = read_until(deadline, rest, sizeof(rest));
		if (n <= 0)
			break;
		drained += n;
	}
	exit(0);
}

static noreturn void refuse_bad(void)
{
	refuse("400 Bad Request", "", "This is no request of HTTP/1.");
}

/* What has been said so far, on the real stderr; if it is not the client. */
static void pass_on(const struct text *said)
{
	if (stderr_fd >= 0 && said->len &&
	    write(stderr_fd, said->data, said->len) < 0)
		return;
}

/* However the program ends, the client is told. */
static void at_end(void)
{
	struct text said = { };
	off_t size = lseek(said_fd, 0, SEEK_END);
	ssize_t n;

	if (size > 0) {
		text_reserve(&said, size);
		n = pread(said_fd, said.data, size, 0);
		said.len = n > 0 ? n : 0;
	}
	if (!answered)
		answer("503 Service Unavailable", PLAIN, "", &said);
	pass_on(&said);
	free(said.data);
}

static void keep_stderr(void)
{
	struct stat client, err;

	if (!is_socket(STDIN_FILENO, &client) || fstat(STDERR_FILENO, &err) ||
	    client.st_dev != err.st_dev || client.st_ino != err.st_ino)
		stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	said_fd = memfd_create("stderr", MFD_CLOEXEC);
	if (said_fd < 0)
		die("cannot keep what is said: %s", strerror(errno));
	dup2(said_fd, STDERR_FILENO);
	atexit(at_end);
}

/* Reads up to the blank line; what is behind it nobody reads. */
static void read_request(struct text *request)
{
	u64 deadline = now_ms() + opt.timeout * 1000ULL;
	ssize_t n;

	text_reserve(request, REQUEST_MAX + 1);
	for (;;) {
		request->data[request->len] = '\0';
		if (strstr(request->data, "\r\n\r\n") || strstr(request->data, "\n\n"))
			return;
		if (strlen(request->data) < request->len)
			refuse_bad();
		if (request->len == REQUEST_MAX)
			refuse("431 Request Header Fields Too Large", "",
			       "The request is too large.");
		n = read_until(deadline, request->data + request->len,
			       REQUEST_MAX - request->len);
		if (n < 0)
			refuse("408 Request Timeout", "", "The request did not come.");
		if (!n && !request->len) {
			/* Somebody has only looked whether there is anybody. */
			answered = true;
			exit(0);
		}
		if (!n)
			refuse_bad();
		request->len += n;
	}
}

/* Cuts a line off; NULL after the last one before the blank line. */
static char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	*at = end + 1;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return *line ? line : NULL;
}

static char *trim(char *str)
{
	char *end;

	str += strspn(str, " \t");
	end = str + strlen(str);
	while (end > str && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return str;
}

/* A quality of 0 to 1, in thousandths. */
static unsigned int quality(const char *q)
{
	unsigned int value, digit = 100;

	if (*q != '0' && *q != '1')
		return 0;
	value = *q++ == '1' ? 1000 : 0;
	if (*q == '.')
		for (q++; *q >= '0' && *q <= '9' && digit; q++, digit /= 10)
			value += (*q - '0') * digit;
	return value < 1000 ? value : 1000;
}

/* How much a client likes each format, as its headers "Accept" say. */
static void accept_header(char *value, unsigned int likes[])
{
	char *range, *part, *parts, *version;
	unsigned int q, format;

	while ((range = strsep(&value, ","))) {
		parts = range;
		range = trim(strsep(&parts, ";"));
		q = 1000;
		version = NULL;
		while ((part = strsep(&parts, ";"))) {
			part = trim(part);
			if (!strncasecmp(part, "q=", 2))
				q = quality(part + 2);
			if (!strncasecmp(part, "version=", 8))
				version = part + 8;
		}
		if (!strcasecmp(range, "application/openmetrics-text") &&
		    (!version || !strcmp(version, "1.0.0") || !strcmp(version, "0.0.1")))
			format = OPENMETRICS;
		else if (!strcasecmp(range, "text/plain") || !strcasecmp(range, "text/*") ||
			 !strcmp(range, "*/*"))
			format = PROMETHEUS;
		else
			continue;
		if (likes[format] < q)
			likes[format] = q;
	}
}

/* The older format is for those who have not asked for the newer one. */
static enum format read_headers(char *at)
{
	unsigned int likes[] = { [OPENMETRICS] = 0, [PROMETHEUS] = 0 };
	char *line, *colon;

	while ((line = next_line(&at))) {
		colon = strchr(line, ':');
		if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
			refuse_bad();
		*colon = '\0';
		if (!strcasecmp(line, "Accept"))
			accept_header(colon + 1, likes);
	}
	if (opt.format != ANY_FORMAT)
		return opt.format;
	return likes[OPENMETRICS] && likes[OPENMETRICS] >= likes[PROMETHEUS] ?
	       OPENMETRICS : PROMETHEUS;
}

static bool is_token(const char *str)
{
	for (; *str == '-' || isalpha((unsigned char)*str); str++)
		;
	return !*str;
}

static bool is_path(char *target)
{
	target[strcspn(target, "?#")] = '\0';
	if (!strncasecmp(target, "http://", 7))
		target = strchr(target + 7, '/') ?: "";
	return !strcmp(target, PATH);
}

/**
 * http_is_wanted() - whether stdin is a connection that a client has made
 *
 * Return: whether it is, through TCP. Of others one must be told: who runs programs may
 * give them a Unix socket as stdin.
 */
bool http_is_wanted(void)
{
	static const char wanted[] = "the unit wants Accept=yes and StandardInput=socket";
	const char *pid = getenv("LISTEN_PID");
	struct sockaddr_storage address;
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &value, &len)) {
		if (pid && strtoul(pid, NULL, 10) == (unsigned long)getpid())
			die("stdin is no socket: %s", wanted);
		return false;
	}
	if (value != SOCK_STREAM)
		return false;
	len = sizeof(value);
	if (!getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) && value)
		die("stdin is a socket that listens: %s (inetd: nowait)", wanted);
	len = sizeof(address);
	return !getsockname(STDIN_FILENO, (struct sockaddr *)&address, &len) &&
	       (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

/**
 * http_answer() - answer a request, and end
 */
void http_answer(void)
{
	struct text request = { }, body = { };
	char *at, *method, *target, *version;
	enum format format;
	struct stat stats;

	answer_fd = is_socket(STDIN_FILENO, &stats) ? STDIN_FILENO : STDOUT_FILENO;
	keep_stderr();
	read_request(&request);
	at = request.data;
	version = next_line(&at);
	method = strsep(&version, " ");
	target = strsep(&version, " ");
	if (!method || !*method || !is_token(method) || !target || !*target || !version ||
	    strncmp(version, "HTTP/1.", 7) || strlen(version) != 8)
		refuse_bad();
	format = read_headers(at);
	head_only = !strcmp(method, "HEAD");
	if (!is_path(target))
		refuse("404 Not Found", "", "There is nothing but " PATH ".");
	if (!head_only && strcmp(method, "GET"))
		refuse("405 Method Not Allowed", "Allow: GET, HEAD\r\n",
		       "Only GET and HEAD are allowed.");
	print_metrics(&body, format);
	answer("200 OK", content_types[format], "", &body);
	exit(0);
}
