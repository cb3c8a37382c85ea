#include "service/lambda_host/yaml.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rehearse::lambda_host {

void ExpectMap(const YAML::Node& node, absl::string_view what) {
  if (!node.IsMap()) throw YamlError(node, absl::StrCat(what, ": expected a map"));
}

int WholeNumber(const YAML::Node& node, const std::string& text, absl::string_view what, int min,
                int max) {
  int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < min || number > max) {
    throw YamlError(node, absl::StrCat(what, ": expected a whole number from ", min, " to ", max,
                                       ", got '", text, "'"));
  }
  return number;
}

std::string PathBelow(const std::string& folder, const std::string& path) {
  if (path.empty() || path == ".") return folder;
  return absl::StartsWith(path, "/") ? path : absl::StrCat(folder, "/", path);
}

}  // namespace rehearse::lambda_host
