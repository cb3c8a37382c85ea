// Reading YAML: errors that name the line.
//
//   throw YamlError(node, "expected a list");
//
// For use below one function that turns exceptions into a status: yaml-cpp itself throws.
#ifndef REHEARSE_SERVICE_LAMBDA_HOST_YAML_H_
#define REHEARSE_SERVICE_LAMBDA_HOST_YAML_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "yaml-cpp/yaml.h"

namespace rehearse::lambda_host {

class YamlError : public YAML::RepresentationException {
 public:
  YamlError(const YAML::Node& node, const std::string& message)
      : YAML::RepresentationException(node.Mark(), message) {}
};

// Throws unless `node` is a map.
void ExpectMap(const YAML::Node& node, absl::string_view what);

// The whole number that `text` is. Throws unless it is in [min, max].
int WholeNumber(const YAML::Node& node, const std::string& text, absl::string_view what, int min,
                int max);

// `path` if it is absolute, else below `folder`.
std::string PathBelow(const std::string& folder, const std::string& path);

}  // namespace rehearse::lambda_host

#endif  // REHEARSE_SERVICE_LAMBDA_HOST_YAML_H_
