#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "results.h"
#include "rows.h"

namespace measure {
namespace {

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

/// A drawing that is being written. Colours are classes, so that a dark page can have others.
class Svg {
 public:
  Svg(double width, double height) {
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height << "\" width=\""
         << width << "\" height=\"" << height << "\">\n<style>\n"
         << "text { font: 12px system-ui, sans-serif; fill: #24292f }\n"
            ".title { font-size: 16px; font-weight: 600 } .heading { font-weight: 600 } .weak { fill: #6e7781 }\n"
            ".page { fill: #fff } .grid { stroke: #d8dee4 } .gap { stroke: #8c959f; stroke-width: 2 }\n"
            ".limit { fill: #8c959f } .by-hand { fill: none; stroke: #57606a; stroke-width: 2 }\n"
            ".mine { fill: none; stroke: #bf3989; stroke-width: 2 } .c0 { color: #0969da } .c1 { color: #bc4c00 } .c2 "
            "{ color: #1a7f37 }\n"
            ".c3 { color: #8250df } .c4 { color: #cf222e } .c5 { color: #0e7c86 } .c6 { color: #9a6700 }\n"
            ".c7 { color: #bf3989 } .c8 { color: #57606a }\n"
            ".dot, text.ink { fill: currentColor } .curve { fill: none; stroke: currentColor; stroke-width: 2 }\n"
            ".dashed { stroke-dasharray: 5 3 }\n"
            "@media (prefers-color-scheme: dark) {\n"
            "text { fill: #e6edf3 } .weak { fill: #8b949e } .page { fill: #0d1117 } .grid { stroke: #30363d }\n"
            ".c0 { color: #58a6ff } .c1 { color: #f0883e } .c2 { color: #3fb950 } .c3 { color: #bc8cff }\n"
            ".c4 { color: #ff7b72 } .c5 { color: #39c5cf } .c6 { color: #d29922 } .c7 { color: #f778ba }\n"
            ".c8 { color: #8b949e } .by-hand { stroke: #8b949e } .mine { stroke: #f778ba }\n}\n</style>\n"
         << "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n";
  }
  void text(double x, double y, const std::string& style, const std::string& text, const char* anchor = "start") {
    out_ << "<text x=\"" << x << "\" y=\"" << y << "\" class=\"" << style << "\" text-anchor=\"" << anchor << "\">"
         << escaped(text) << "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const std::string& style) {
    out_ << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" class=\"" << style
         << "\"/>\n";
  }
  void dot(double x, double y, double radius, const std::string& style) {
    out_ << "<circle cx=\"" << x << "\" cy=\"" << y << "\" r=\"" << radius << "\" class=\"" << style << "\"/>\n";
  }
  void curve(const std::string& points, const std::string& style) {
    out_ << "<polyline points=\"" << points << "\" class=\"curve " << style << "\"/>\n";
  }
  void title(const std::string& title, const std::vector<std::string>& about) {
    text(16, 28, "title", title);
    for (std::size_t i = 0; i < about.size(); ++i) text(16, 48 + 17.0 * double(i), "weak", about[i]);
  }
  std::string finish() { return out_.str() + "</svg>\n"; }

 private:
  std::ostringstream out_;
};

/// A logarithmic scale between powers of ten.
class Scale {
 public:
  Scale(double from, double to, double least, double most)
      : from_(from), to_(to), low_(std::floor(std::log10(least))), high_(std::ceil(std::log10(most))) {
    if (high_ <= low_) high_ = low_ + 1;
  }
  double operator()(double value) const { return from_ + (to_ - from_) * (std::log10(value) - low_) / (high_ - low_); }
  std::vector<double> decades() const {
    std::vector<double> decades;
    for (double power = low_; power <= high_; ++power) decades.push_back(std::pow(10, power));
    return decades;
  }

 private:
  double from_, to_, low_, high_;
};

std::string round_time(double ns) {
  const char* const units[] = {" ns", " µs", " ms", " s"};
  int unit = 0;
  for (; ns >= 999 && unit < 3; ns /= 1000) ++unit;
  std::ostringstream text;
  text << ns << units[unit];
  return text.str();
}

}  // namespace

std::string stages_chart(const Results& results, const std::vector<std::string>& about) {
  constexpr double kWidth = 960, kLeft = 310, kRight = 780, kTop = 130, kLine = 19;
  struct Line {
    const char* what;
    const Result* result = nullptr;
    const Result* limit = nullptr;
    const Result* by_hand = nullptr;
    const Result* mine = nullptr;
  };
  bool some_by_hand = false, some_mine = false;
  std::vector<Line> lines;  // headings, and what has a limit to be compared with
  double least = INFINITY, most = 0;
  for (const Row& row : stage_rows()) {
    if (is_heading(row)) {
      if (!lines.empty() && !lines.back().result) lines.pop_back();
      lines.push_back({row.what});
    } else if (const Line line{row.what, results.find(row.benchmark), results.find(row.limit),
                               results.find(std::string("by_hand/") + row.benchmark),
                               results.find(std::string("mine/") + row.benchmark)};
               line.result && line.limit) {
      lines.push_back(line);
      some_by_hand |= line.by_hand != nullptr;
      some_mine |= line.mine != nullptr;
      for (const Result* dot : {line.result, line.limit, line.by_hand, line.mine}) {
        if (!dot) continue;
        least = std::min(least, dot->ns);
        most = std::max(most, dot->ns);
      }
    }
  }
  const double bottom = kTop + kLine * double(lines.size());
  Svg svg(kWidth, bottom + 30);
  svg.title("What each stage costs: the time of one operation, and of the same written bare", about);
  if (most == 0) return svg.finish();

  const Scale x(kLeft, kRight, least, most);
  for (const double decade : x.decades()) {
    svg.line(x(decade), kTop - 12, x(decade), bottom, "grid");
    for (const double y : {kTop - 18, bottom + 16}) svg.text(x(decade), y, "weak", round_time(decade), "middle");
  }
  svg.dot(kLeft, kTop - 48, 3, "limit");
  svg.text(kLeft + 10, kTop - 44, "weak", "the same, written bare");
  svg.dot(kLeft + 160, kTop - 48, 5, "dot c0");
  svg.text(kLeft + 170, kTop - 44, "weak", "here; the number before a name is its stage");
  if (some_by_hand) {
    svg.dot(kLeft + 420, kTop - 48, 4, "by-hand");
    svg.text(kLeft + 430, kTop - 44, "weak", "by hand");
  }
  if (some_mine) {
    svg.dot(kLeft + 500, kTop - 48, 4, "mine");
    svg.text(kLeft + 510, kTop - 44, "weak", "mine");
  }
  double y = kTop + 4;
  for (const auto& [what, result, limit, by_hand, mine] : lines) {
    if (!result) {
      svg.text(16, y + 4, "heading", what);
    } else {
      svg.text(28, y + 4, "", what);
      svg.line(x(limit->ns), y, x(result->ns), y, "gap");
      svg.dot(x(limit->ns), y, 3, "limit");
      svg.dot(x(result->ns), y, 5, std::string("dot c") + char(*what - 1));
      if (by_hand) svg.dot(x(by_hand->ns), y, 4, "by-hand");
      if (mine) svg.dot(x(mine->ns), y, 4, "mine");
      svg.text(kRight + 90, y + 4, "", time_of(result->ns), "end");
      svg.text(kRight + 160, y + 4, "", digits(result->ns / limit->ns) + "×", "end");
    }
    y += kLine;
  }
  return svg.finish();
}

std::string growth_chart(const Results& results, const std::vector<std::string>& about) {
  constexpr double kWidth = 960, kHeight = 560, kLeft = 80, kRight = 740, kTop = 90, kBottom = 510;
  constexpr std::array<int, 6> kSizes = {10, 100, 1'000, 10'000, 100'000, 1'000'000};
  struct Point {
    double size, ns;
  };
  std::vector<std::vector<Point>> curves;
  double least = INFINITY, most = 0;
  for (const GrowthRow& row : growth_rows()) {
    std::vector<Point>& points = curves.emplace_back();
    for (const int size : kSizes) {
      const Result* result = results.find(std::string(row.benchmark) + "/" + std::to_string(size));
      if (!result || result->ns <= 0) continue;
      points.push_back({double(size), result->ns});
      least = std::min(least, result->ns);
      most = std::max(most, result->ns);
    }
  }
  Svg svg(kWidth, kHeight);
  svg.title("How the time of one operation grows with how many there are", about);
  if (most == 0) return svg.finish();

  const Scale x(kLeft, kRight, kSizes.front(), kSizes.back());
  const Scale y(kBottom, kTop, least, most);
  for (const int size : kSizes) {
    svg.line(x(size), kTop, x(size), kBottom, "grid");
    svg.text(x(size), kBottom + 20, "weak", whole(size), "middle");
  }
  for (const double decade : y.decades()) {
    svg.line(kLeft, y(decade), kRight, y(decade), "grid");
    svg.text(kLeft - 8, y(decade) + 4, "weak", round_time(decade), "end");
  }

  // The names stand where the curves end, from the top downwards and never on each other.
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (!curves[i].empty()) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return y(curves[i].back().ns); });
  double free_from = 0;
  for (const std::size_t i : order) {
    const std::string style = {'c', char('0' + i % 9)};
    std::string points;
    for (const Point& point : curves[i])
      points += std::to_string(x(point.size)) + "," + std::to_string(y(point.ns)) + " ";
    svg.curve(points, i < 9 ? style : style + " dashed");  // there are nine colours
    for (const Point& point : curves[i]) svg.dot(x(point.size), y(point.ns), 3, "dot " + style);
    const double at = std::max(free_from, y(curves[i].back().ns) + 4);
    svg.text(kRight + 12, at, "ink " + style, growth_rows()[i].what + std::string(", ") + time_of(curves[i].back().ns));
    free_from = at + 15;
  }
  return svg.finish();
}

}  // namespace measure
