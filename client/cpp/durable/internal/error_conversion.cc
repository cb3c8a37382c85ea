#include "client/cpp/durable/internal/error_conversion.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <typeinfo>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cpp/durable/internal/unwind.h"
#include "nlohmann/json.hpp"

namespace durable {
namespace internal {
namespace {

// Text with every invalid byte sequence replaced by U+FFFD.
std::string ValidUtf8(const std::string& text) {
  const bool ascii = std::all_of(text.begin(), text.end(), absl::ascii_isascii);
  if (ascii) return text;
  using Json = nlohmann::json;
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

// Cuts valid UTF-8 to at most `limit` bytes, never inside a character.
void CutTo(size_t limit, std::string& text) {
  if (text.size() <= limit) return;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  text.resize(limit);
}

size_t StackBytes(const std::vector<std::string>& stack) {
  size_t bytes = 0;
  for (const std::string& line : stack) bytes += line.size();
  return bytes;
}

void CutToLimit(ErrorObject& error) {
  const auto size = [&error] {
    return error.type.size() + error.message.size() + error.data.size() +
           StackBytes(error.stack_trace);
  };
  while (size() > kMaxErrorBytes && !error.stack_trace.empty()) error.stack_trace.pop_back();
  for (std::string* text : {&error.data, &error.message, &error.type}) {
    const size_t total = size();
    if (total <= kMaxErrorBytes) return;
    CutTo(text->size() - std::min(text->size(), total - kMaxErrorBytes), *text);
  }
}

std::string CamelCase(absl::string_view code) {
  std::string name;
  for (absl::string_view word : absl::StrSplit(code, '_')) {
    absl::StrAppend(&name, word.substr(0, 1), absl::AsciiStrToLower(word.substr(1)));
  }
  return name;
}

// "app::Declined<int>[abi:cxx11]" -> "Declined".
std::string BareName(absl::string_view name) {
  name = name.substr(0, name.find_first_of("<["));
  const size_t scope = name.rfind("::");
  return std::string(scope == absl::string_view::npos ? name : name.substr(scope + 2));
}

std::string ClassName(const std::exception& error) {
  const char* mangled = typeid(error).name();
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(mangled, nullptr, nullptr, nullptr), &std::free);
  return BareName(name == nullptr ? mangled : name.get());
}

UserOutcome Thrown(absl::string_view type, absl::string_view message) {
  return {MakeError(type, message), std::current_exception()};
}

}  // namespace

ErrorInfo InfoOf(const absl::Status& status) {
  if (absl::optional<ErrorInfo> info = GetError(status)) return *std::move(info);
  ErrorInfo info;
  info.type = absl::StrCat(CamelCase(absl::StatusCodeToString(status.code())), "Error");
  info.message = std::string(status.message());
  return info;
}

ErrorObject ToErrorObject(const ErrorInfo& info) {
  ErrorObject error;
  const absl::string_view name = TypeNameOf(info.kind);
  error.type = name.empty() ? ValidUtf8(info.type) : std::string(name);
  error.message = ValidUtf8(info.message);
  error.data = ValidUtf8(info.data);
  for (const std::string& line : info.stack_trace) error.stack_trace.push_back(ValidUtf8(line));
  CutToLimit(error);
  return error;
}

ErrorInfo FromRecord(ErrorKind kind, const ErrorObject& error) {
  ErrorInfo info;
  info.kind = error.type == TypeNameOf(ErrorKind::kSerdes) ? ErrorKind::kSerdes : kind;
  info.type = error.type;
  info.message = error.message;
  info.data = error.data;
  info.stack_trace = error.stack_trace;
  return info;
}

absl::Status ValidationError(absl::string_view message) {
  ErrorInfo info;
  info.kind = ErrorKind::kValidation;
  info.type = std::string(TypeNameOf(info.kind));
  info.message = std::string(message);
  return ToStatus(info);
}

UserOutcome CallUserCode(absl::FunctionRef<absl::Status()> code) {
  try {
    return {code(), nullptr};
  } catch (const Unwind&) {
    throw;
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& error) {
    return Thrown(ClassName(error), error.what());
  } catch (...) {
    return Thrown("UnknownException", "an object that is no std::exception was thrown");
  }
}

}  // namespace internal

}  // namespace durable
