// Redirects as in Fetch (https://fetch.spec.whatwg.org/#http-redirect-fetch), and 401, whose head arrives at once.
#include "stage6/http/http_server.h"

#include <asyncio/timeouts.h>

#include <string>
#include <vector>

namespace asyncio::testing {
namespace {

using http::ClientSession;
using http::RequestOptions;

/// /303 redirects to /end with status 303.
Coro<> redirecting(Request request, StreamWriter writer) {
  const std::string status = request.target.substr(1);
  if (status == "end") {
    writer.write(answer("the end"));
  } else {
    writer.write(answer("moved", status + " Somewhere", "Location: /end\r\n"));
  }
  co_await writer.drain();
}

/// The request after the redirect: "GET, no body"; "not followed" if there is none.
Coro<std::string> behind(std::string status, std::string method, bool with_body) {
  HttpServer server;
  co_await server.start(redirecting);
  const ClientSession session;
  RequestOptions options;
  options.timeout(5s);
  if (with_body) options.data("body", "text/plain").header("Content-Language", "en").header("X-Other", "stays");
  const auto response = co_await session.request(method, server.url("/" + status), options);
  const std::string text = co_await response.text();
  server.stop();
  if (server.requests().size() == 1) co_return "not followed";
  const Request& last = server.requests().back();
  const bool of_body = last.headers.contains("Content-Type") || last.headers.contains("Content-Language");
  EXPECT_EQ(of_body, !last.body.empty()) << status << " " << method;
  EXPECT_EQ(last.headers.contains("X-Other"), with_body);
  EXPECT_EQ(text, method == "HEAD" ? "" : "the end");
  EXPECT_EQ(response.status(), 200);
  co_return last.method + (last.body.empty() ? "" : " with " + last.body);
}

TEST(HttpRedirects, TheMethodBecomesGetWhereFetchSaysSo) {
  struct Row {
    std::string status, method;
    bool with_body;
    std::string expected;
  };
  std::vector<Row> rows;
  const auto add = [&](std::string status, std::string method, bool with_body, std::string expected) {
    rows.push_back(Row{std::move(status), std::move(method), with_body, std::move(expected)});
  };
  for (const std::string status : {"301", "302", "303"}) add(status, "POST", true, "GET");
  for (const std::string status : {"307", "308"}) add(status, "POST", true, "POST with body");
  for (const std::string status : {"301", "302", "307", "308"}) {
    add(status, "PUT", true, "PUT with body");
    add(status, "PATCH", true, "PATCH with body");
    add(status, "DELETE", false, "DELETE");
  }
  for (const std::string method : {"PUT", "PATCH"}) add("303", method, true, "GET");
  for (const std::string method : {"DELETE", "OPTIONS"}) add("303", method, false, "GET");
  for (const std::string status : {"301", "302", "303", "307", "308"}) {
    add(status, "GET", false, "GET");
    add(status, "HEAD", false, "HEAD");
  }
  for (const std::string status : {"300", "305", "306", "399"}) add(status, "GET", false, "not followed");
  run_io([&]() -> Coro<> {
    for (const Row& row : rows) {
      const std::string found = co_await behind(row.status, row.method, row.with_body);
      EXPECT_EQ(found, row.expected) << row.status << " " << row.method;
    }
  });
}

// With a Content-Length but no body, the server would wait for ever.
TEST(HttpRedirects, WhatIsSaidOfTheBodyGoesWithIt) {
  run_io([]() -> Coro<> {
    HttpServer server;
    co_await server.start(redirecting);
    const ClientSession session;
    RequestOptions options = RequestOptions().data("body").header("Content-Length", "4").timeout(5s);
    const auto response = co_await session.post(server.url("/302"), options);
    EXPECT_EQ(response.status(), 200);
    EXPECT_FALSE(server.requests().back().headers.contains("Content-Length"));
    EXPECT_FALSE(server.requests().back().headers.contains("Content-Type"));
  });
}

// Authorization is only for the original origin.
TEST(HttpRedirects, AnotherOriginGetsNoCredentials) {
  run_io([]() -> Coro<> {
    HttpServer other, server;
    co_await other.start(answer("other"));
    co_await server.start(answer("", "302 Found", "Location: " + other.url() + "\r\n"));
    const ClientSession session;
    const auto response = co_await session.get(server.url(), RequestOptions().header("Authorization", "Bearer secret"));
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(server.requests().at(0).headers.get("Authorization"), "Bearer secret");
    EXPECT_FALSE(other.requests().at(0).headers.contains("Authorization"));
  });
}

/// What each of the requests had of these fields: "Authorization Cookie, , ".
std::string credentials_in(const std::vector<Request>& requests) {
  std::string found;
  for (const Request& request : requests) {
    for (const std::string name : {"Authorization", "Cookie", "Proxy-Authorization"}) {
      if (request.headers.contains(name)) found += name + " ";
    }
    found += "; ";
  }
  return found;
}

// A to B to A: what B chose is not what the caller meant to authorize.
TEST(HttpRedirects, CredentialsThatWereDroppedStayDropped) {
  run_io([]() -> Coro<> {
    for (const bool in_url : {false, true}) {
      HttpServer here, back;
      const auto at_home = [&](Request request, StreamWriter writer) -> Coro<> {
        const std::string next = request.target == "/1" ? here.url("/2") : back.url();
        writer.write(request.target == "/3" ? answer("end") : answer("", "302 Found", "Location: " + next + "\r\n"));
        co_await writer.drain();
      };
      co_await here.start(at_home);
      const std::string third = here.url("/3");
      co_await back.start(answer("", "302 Found", "Location: " + third + "\r\n"));
      const ClientSession session(http::SessionOptions().header("Cookie", "a=b"));
      RequestOptions options;
      options.timeout(5s).header("Proxy-Authorization", "Basic x");
      if (!in_url) options.header("authorization", "Bearer secret");
      const std::string url = in_url ? "http://user:secret@" + here.url("/1").substr(7) : here.url("/1");
      const auto response = co_await session.get(url, options);
      EXPECT_EQ(response.status(), 200);
      EXPECT_EQ(credentials_in(here.requests()),
                "Authorization Cookie Proxy-Authorization ; Authorization Cookie Proxy-Authorization ; ; ");
      EXPECT_EQ(credentials_in(back.requests()), "; ");
    }
  });
}

TEST(HttpRedirects, NoPasswordIsEverPrinted) {
  run_io([]() -> Coro<> {
    HttpServer server;
    std::string location;
    const auto redirects = [&](Request request, StreamWriter writer) -> Coro<> {
      writer.write(request.target == "/" ? answer("", "302 Found", "Location: " + location + "\r\n")
                                         : answer("", "404 Not Found"));
      co_await writer.drain();
    };
    co_await server.start(redirects);
    const ClientSession session;
    location = "http://user:secret@" + server.url("/a@b?c@d").substr(7);
    const auto response = co_await session.get(server.url(), RequestOptions().timeout(5s));
    EXPECT_EQ(response.url(), server.url("/a@b?c@d"));
    EXPECT_TRUE(server.requests().back().headers.contains("Authorization"));
    std::vector<std::string> texts;
    try {
      response.raise_for_status();
    } catch (const http::ClientError& error) {
      texts.push_back(error.what());
    }
    std::vector<std::string> urls;
    for (const std::string bad : {"http://user:secret@[bad", "http://user:secret@/", "ftp://user:secret@host/",
                                  "http://user:secret@127.0.0.1:1/", "http://user:sec/secret@host:x/",
                                  "http:///user:secret@host/", "user:secret@host", "http://user:%00secret@host/"}) {
      urls.push_back(bad);
    }
    urls.push_back("http://user:secret@host/" + std::string(1, '\0'));
    for (const std::string& url : urls) {
      try {
        co_await session.get(url, RequestOptions().timeout(5s));
        ADD_FAILURE() << url;
      } catch (const http::ClientError& error) {
        texts.push_back(error.what());
      }
      if (url.find('\0') != url.npos) continue;
      location = url;
      try {
        const auto other = co_await session.get(server.url(), RequestOptions().timeout(5s));
        texts.push_back(other.url());
      } catch (const http::ClientError& error) {
        texts.push_back(error.what());
      }
    }
    EXPECT_GT(texts.size(), 12u);
    for (const std::string& text : texts) EXPECT_EQ(text.find("secret"), text.npos) << text;
  });
}

TEST(HttpRedirects, AUrlWithoutAHostIsNoUrl) {
  run_io([]() -> Coro<> {
    const ClientSession session;
    for (const std::string url :
         {"http:///x", "http:/x", "https:///x/y", "http://", "http:////x", "http://?a", "http:x"}) {
      std::string what;
      try {
        co_await session.get(url, RequestOptions().timeout(5s));
      } catch (const http::InvalidURL& error) {
        what = error.what();
      } catch (const http::ClientError& error) {
        ADD_FAILURE() << url << " " << error.what();
      }
      EXPECT_NE(what.find("not a URL"), what.npos) << url;
    }
  });
}

TEST(HttpRedirects, TheHeadOfA401DoesNotWaitForItsBody) {
  run_io([]() -> Coro<> {
    for (const std::string status : {"401 Unauthorized", "407 Proxy Authentication Required"}) {
      const auto never_ends = [status](Request, StreamWriter writer) -> Coro<> {
        writer.write("HTTP/1.1 " + status +
                     "\r\nWWW-Authenticate: Basic realm=\"r\"\r\nProxy-Authenticate: Basic realm=\"r\"\r\n"
                     "Content-Length: 10\r\n\r\n");
        co_await writer.drain();
        co_await sleep(20s);
      };
      HttpServer server;
      co_await server.start(never_ends);
      for (const std::string user : {"", "user:password@"}) {
        const ClientSession session;
        const std::string url = "http://" + user + server.url().substr(7);
        const auto response = co_await session.get(url, RequestOptions().timeout(5s));
        EXPECT_EQ(response.status(), std::stoi(status));
        response.close();
      }
    }
  });
}

}  // namespace
}  // namespace asyncio::testing
