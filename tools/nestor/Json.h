// Writing JSON: objects and arrays as text, members in the order of adding.
#ifndef NESTOR_TOOLS_JSON_H
#define NESTOR_TOOLS_JSON_H

#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

class Json {
public:
  static Json object() { return Json('{', '}'); }
  static Json array() { return Json('[', ']'); }

  /// Adds a member to an object.
  template <typename T>
  Json &add(std::string_view key, const T &value) {
    comma();
    quote(key);
    body += ':';
    append(value);
    return *this;
  }
  /// Adds an element to an array.
  template <typename T>
  Json &push(const T &value) {
    comma();
    append(value);
    return *this;
  }
  std::string text() const { return open + body + close; }

private:
  Json(char open, char close) : open(1, open), close(1, close) {}

  void comma() {
    if (!body.empty())
      body += ',';
  }
  void quote(std::string_view text) {
    body += '"';
    for (char c : text) {
      auto u = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        body += '\\';
        body += c;
      } else if (u < 0x20 || u == 0x7f) {
        char escape[8];
        snprintf(escape, sizeof escape, "\\u%04x", u);
        body += escape;
      } else {
        body += c;
      }
    }
    body += '"';
  }
  template <typename T>
  void append(const T &value) {
    if constexpr (std::is_same_v<T, Json>) {
      body += value.text();
    } else if constexpr (std::is_same_v<T, bool>) {
      body += value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
      // JSON has no NaN and no infinity.
      char number[40];
      snprintf(number, sizeof number, "%.9g", double(value));
      body += std::isfinite(value) ? number : "null";
    } else if constexpr (std::is_integral_v<T>) {
      body += std::to_string(value);
    } else {
      quote(value);
    }
  }

  std::string open, close, body;
};

#endif // NESTOR_TOOLS_JSON_H
