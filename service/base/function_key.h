// FunctionKey: a function that workers serve.
//
//   const FunctionKey key{"default", "orders"};
#ifndef REHEARSE_SERVICE_BASE_FUNCTION_KEY_H_
#define REHEARSE_SERVICE_BASE_FUNCTION_KEY_H_

#include <string>
#include <tuple>

namespace rehearse {

struct FunctionKey {
  std::string session;
  // As registered: `name` or `name:qualifier`.
  std::string function_name;

  friend bool operator==(const FunctionKey& a, const FunctionKey& b) {
    return std::tie(a.session, a.function_name) == std::tie(b.session, b.function_name);
  }
  friend bool operator<(const FunctionKey& a, const FunctionKey& b) {
    return std::tie(a.session, a.function_name) < std::tie(b.session, b.function_name);
  }
};

}  // namespace rehearse

#endif  // REHEARSE_SERVICE_BASE_FUNCTION_KEY_H_
