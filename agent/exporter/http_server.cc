#include "agent/exporter/http_server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/exporter/gzip.h"
#include "agent/exporter/http_request.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/subprocess.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr int64_t kClosingMs = 2'000;
constexpr int64_t kAcceptPauseMs = 1'000;
// What is smaller is not worth compressing.
constexpr size_t kGzipFromBytes = 1'024;
constexpr int kBacklog = 64;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using EventBase = std::unique_ptr<event_base, Freer<event_base_free>>;
using Event = std::unique_ptr<event, Freer<event_free>>;
using Stream = std::unique_ptr<bufferevent, Freer<bufferevent_free>>;
using Listener = std::unique_ptr<evconnlistener, Freer<evconnlistener_free>>;
using Addresses = std::unique_ptr<addrinfo, Freer<freeaddrinfo>>;

timeval Timeval(int64_t ms) { return {.tv_sec = ms / 1'000, .tv_usec = ms % 1'000 * 1'000}; }

const char* Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Other";
  }
}

HttpResponse Error(int status, std::string_view text) { return {.status = status, .body = base::Text(text, "\n")}; }

// Where other threads leave what the server's thread is to do. Outlives the server as long as a reply is owed.
class Mailbox {
 public:
  struct Content {
    std::vector<std::pair<size_t, HttpResponse>> replies;  // By page.
    bool stop = false;
  };
  Mailbox() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void Put(size_t page, HttpResponse response) {
    base::MutexLock lock(mutex_);
    content_.replies.emplace_back(page, std::move(response));
    eventfd_write(wake_.get(), 1);
  }
  void Stop() {
    base::MutexLock lock(mutex_);
    content_.stop = true;
    eventfd_write(wake_.get(), 1);
  }
  Content Take() {
    base::MutexLock lock(mutex_);
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
    return std::exchange(content_, {});
  }
  int fd() const { return wake_.get(); }

 private:
  const base::OwnedFd wake_;
  base::Mutex mutex_;
  Content content_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

// Everything but the mailbox is the thread's alone once it runs.
class HttpServer::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), asked_(options_.pages.size(), false) {}
  ~Impl() {
    if (!thread_.joinable()) return;
    mailbox_->Stop();
    thread_.join();
  }

  absl::Status Listen();
  void Run() {
    thread_ = std::thread([this] {
      sigset_t all;
      sigfillset(&all);  // SIGPIPE, too; the daemon's signals have a thread of their own.
      pthread_sigmask(SIG_BLOCK, &all, nullptr);
      event_base_dispatch(base_.get());
    });
  }
  const base::HostPort& address() const { return address_; }

 private:
  enum class State { kReading, kWaiting, kWriting, kClosing };
  struct Connection {
    Impl* server = nullptr;
    State state = State::kReading;
    size_t page = 0;  // With kWaiting.
    bool head_only = false;
    bool accepts_gzip = false;
    Event deadline;
    Stream stream;
  };

  void Accept(int fd);
  void PauseAccepting();
  void OnRead(Connection& connection);
  void OnSent(Connection& connection);
  void OnDeadline(Connection& connection);
  void OnMail();
  void Handle(Connection& connection, std::string_view head);
  void Ask(Connection& connection, size_t page);
  // `zipped` is the body compressed, where that was made.
  void Send(Connection& connection, const HttpResponse& response, const std::optional<std::string>& zipped = {});
  void SetDeadline(Connection& connection, int64_t ms) {
    const timeval delay = Timeval(ms);
    evtimer_add(connection.deadline.get(), &delay);
  }
  void Drop(Connection& connection) { connections_.erase(&connection); }
  Event NewTimer(event_callback_fn callback, void* context) {
    return Event(evtimer_new(base_.get(), callback, context));
  }

  const Options options_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  base::HostPort address_;
  EventBase base_;
  Event mail_;
  Event accept_again_;
  Listener listener_;
  std::map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<bool> asked_;  // By page: its reply is owed.
  std::thread thread_;
};

absl::Status HttpServer::Impl::Listen() {
  const auto failed = [this](std::string_view why) {
    return absl::UnavailableError(
        base::Text("cannot listen on ", base::FormatHostPort(options_.listen), " for HTTP: ", why));
  };
  base_.reset(event_base_new());
  if (base_ == nullptr || mailbox_->fd() < 0) return failed("no more files can be opened");
  const addrinfo hints{.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(options_.listen.host.c_str(), std::to_string(options_.listen.port).c_str(), &hints, &found);
      error != 0) {
    return failed(gai_strerror(error));
  }
  const Addresses addresses(found);
  int last_errno = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr && listener_ == nullptr; at = at->ai_next) {
    listener_.reset(evconnlistener_new_bind(
        base_.get(), [](evconnlistener*, int fd, sockaddr*, int, void* impl) { static_cast<Impl*>(impl)->Accept(fd); },
        this, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, kBacklog, at->ai_addr,
        static_cast<int>(at->ai_addrlen)));
    last_errno = errno;
  }
  if (listener_ == nullptr) return failed(strerror(last_errno));
  evconnlistener_set_error_cb(listener_.get(),
                              [](evconnlistener*, void* impl) { static_cast<Impl*>(impl)->PauseAccepting(); });
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  char port[NI_MAXSERV] = "";
  getsockname(evconnlistener_get_fd(listener_.get()), reinterpret_cast<sockaddr*>(&bound), &length);
  getnameinfo(reinterpret_cast<sockaddr*>(&bound), length, nullptr, 0, port, sizeof port, NI_NUMERICSERV);
  address_ = {.host = options_.listen.host, .port = static_cast<uint16_t>(atoi(port))};

  mail_.reset(event_new(
      base_.get(), mailbox_->fd(), EV_READ | EV_PERSIST,
      [](int, short, void* impl) { static_cast<Impl*>(impl)->OnMail(); }, this));
  event_add(mail_.get(), nullptr);
  accept_again_ =
      NewTimer([](int, short, void* impl) { evconnlistener_enable(static_cast<Impl*>(impl)->listener_.get()); }, this);
  return absl::OkStatus();
}

// No file to be had for a connection: libevent would try again at once, for ever.
void HttpServer::Impl::PauseAccepting() {
  base::LogWarning("metrics: cannot accept a connection: ", strerror(errno));
  evconnlistener_disable(listener_.get());
  const timeval pause = Timeval(kAcceptPauseMs);
  evtimer_add(accept_again_.get(), &pause);
}

void HttpServer::Impl::Accept(int fd) {
  if (connections_.size() >= options_.max_connections) {
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    (void)!send(fd, kFull.data(), kFull.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
    return;
  }
  auto connection = std::make_unique<Connection>();
  connection->server = this;
  connection->stream.reset(bufferevent_socket_new(base_.get(), fd, BEV_OPT_CLOSE_ON_FREE));
  connection->deadline = NewTimer(
      [](int, short, void* context) {
        auto& connection = *static_cast<Connection*>(context);
        connection.server->OnDeadline(connection);
      },
      connection.get());
  bufferevent_setcb(
      connection->stream.get(),
      [](bufferevent*, void* context) {
        auto& connection = *static_cast<Connection*>(context);
        connection.server->OnRead(connection);
      },
      [](bufferevent*, void* context) {
        auto& connection = *static_cast<Connection*>(context);
        connection.server->OnSent(connection);
      },
      [](bufferevent*, short, void* context) {  // It was closed, or broke.
        auto& connection = *static_cast<Connection*>(context);
        connection.server->Drop(connection);
      },
      connection.get());
  bufferevent_setwatermark(connection->stream.get(), EV_READ, 0, options_.max_head_bytes);
  bufferevent_enable(connection->stream.get(), EV_READ);
  SetDeadline(*connection, options_.idle_timeout_ms);
  Connection* const key = connection.get();
  connections_.emplace(key, std::move(connection));
}

void HttpServer::Impl::OnRead(Connection& connection) {
  evbuffer* const input = bufferevent_get_input(connection.stream.get());
  const size_t size = evbuffer_get_length(input);
  if (connection.state != State::kReading) {
    evbuffer_drain(input, size);
    return;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(evbuffer_pullup(input, -1)), size);
  const size_t length = HttpHeadLength(bytes);
  if (length > 0 && length <= options_.max_head_bytes) {
    Handle(connection, bytes.substr(0, length));
  } else if (size >= options_.max_head_bytes) {
    Send(connection, Error(431, absl::StrCat("a request may have ", options_.max_head_bytes, " bytes")));
  }
}

void HttpServer::Impl::Handle(Connection& connection, std::string_view head) {
  const absl::StatusOr<HttpRequest> request = ParseHttpRequest(head);
  if (!request.ok()) return Send(connection, Error(400, std::string(request.status().message())));
  connection.head_only = request->method == "HEAD";
  connection.accepts_gzip = request->accepts_gzip;
  if (request->method != "GET" && !connection.head_only) {
    return Send(connection, Error(405, "pages can be read (GET, HEAD), and nothing else"));
  }
  for (size_t page = 0; page < options_.pages.size(); ++page) {
    if (options_.pages[page].path == request->path) return Ask(connection, page);
  }
  Send(connection, Error(404, "there is no such page; / names those there are"));
}

void HttpServer::Impl::Ask(Connection& connection, size_t page) {
  connection.state = State::kWaiting;
  connection.page = page;
  bufferevent_disable(connection.stream.get(), EV_READ);
  SetDeadline(connection, options_.page_timeout_ms);
  if (asked_[page]) return;
  asked_[page] = true;
  options_.pages[page].make(
      [mailbox = mailbox_, page](HttpResponse response) { mailbox->Put(page, std::move(response)); });
}

void HttpServer::Impl::OnMail() {
  Mailbox::Content content = mailbox_->Take();
  for (const auto& [page, response] : content.replies) {
    asked_[page] = false;
    std::optional<std::string> zipped;
    for (const auto& [connection, owned] : connections_) {
      if (connection->state != State::kWaiting || connection->page != page) continue;
      if (connection->accepts_gzip && !zipped.has_value() && response.body.size() >= kGzipFromBytes) {
        zipped = Gzip(response.body);
      }
      Send(*connection, response, zipped);
    }
  }
  if (!content.stop) return;
  connections_.clear();
  event_base_loopbreak(base_.get());
}

void HttpServer::Impl::Send(Connection& connection, const HttpResponse& response,
                            const std::optional<std::string>& zipped) {
  const bool compressed = connection.accepts_gzip && zipped.has_value();
  const std::string& body = compressed ? *zipped : response.body;
  const std::string head = absl::StrCat(
      "HTTP/1.1 ", response.status, " ", Reason(response.status), "\r\nContent-Type: ", response.content_type,
      "\r\nContent-Length: ", body.size(), compressed ? "\r\nContent-Encoding: gzip" : "",
      response.status == 405 ? "\r\nAllow: GET, HEAD" : "", "\r\nVary: Accept-Encoding\r\nConnection: close\r\n\r\n");
  connection.state = State::kWriting;
  SetDeadline(connection, options_.idle_timeout_ms);
  bufferevent_disable(connection.stream.get(), EV_READ);
  bufferevent_write(connection.stream.get(), head.data(), head.size());
  if (!connection.head_only) bufferevent_write(connection.stream.get(), body.data(), body.size());
}

// All is with the kernel. What still comes in is read away: closed now, it would break the connection before the
// client has read our answer.
void HttpServer::Impl::OnSent(Connection& connection) {
  if (connection.state != State::kWriting) return;
  connection.state = State::kClosing;
  shutdown(bufferevent_getfd(connection.stream.get()), SHUT_WR);
  evbuffer* const input = bufferevent_get_input(connection.stream.get());
  evbuffer_drain(input, evbuffer_get_length(input));
  bufferevent_enable(connection.stream.get(), EV_READ);
  SetDeadline(connection, kClosingMs);
}

void HttpServer::Impl::OnDeadline(Connection& connection) {
  if (connection.state == State::kWaiting) {
    return Send(connection, Error(503, "the agent is busy and did not make the page in time"));
  }
  const bool begun = evbuffer_get_length(bufferevent_get_input(connection.stream.get())) > 0;
  if (connection.state == State::kReading && begun) {
    return Send(connection, Error(408, "the request did not come in time"));
  }
  if (connection.state == State::kWriting) {  // Reset: the kernel would go on offering what nobody takes.
    const linger none{.l_onoff = 1, .l_linger = 0};
    setsockopt(bufferevent_getfd(connection.stream.get()), SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }
  Drop(connection);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  RETURN_IF_ERROR(impl->Listen());
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const base::HostPort& HttpServer::address() const { return impl_->address(); }

}  // namespace muster::agent
