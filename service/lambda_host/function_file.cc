#include "service/lambda_host/function_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>

#include "absl/strings/str_cat.h"
#include "service/lambda_host/sam_template.h"
#include "service/lambda_host/yaml.h"
#include "yaml-cpp/yaml.h"

namespace rehearse::lambda_host {
namespace {

std::string Text(const YAML::Node& node, absl::string_view what) {
  if (!node.IsScalar()) throw YamlError(node, absl::StrCat(what, ": expected text"));
  return node.Scalar();
}

bool Bool(const YAML::Node& node, absl::string_view what) {
  bool value = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value)) {
    throw YamlError(node, absl::StrCat(what, ": expected true or false"));
  }
  return value;
}

// A line for the shell, or a list for exec.
std::vector<std::string> Command(const YAML::Node& node) {
  if (node.IsScalar() && !node.Scalar().empty()) return {"/bin/sh", "-c", node.Scalar()};
  std::vector<std::string> command;
  if (node.IsSequence()) {
    for (const YAML::Node& argument : node) command.push_back(Text(argument, "command"));
  }
  if (command.empty()) throw YamlError(node, "command: expected a line or a list of arguments");
  return command;
}

Environment Variables(const YAML::Node& node) {
  ExpectMap(node, "environment");
  Environment environment;
  for (const auto& entry : node) {
    environment[entry.first.Scalar()] = Text(entry.second, entry.first.Scalar());
  }
  return environment;
}

bool IsPerTenant(const YAML::Node& node) {
  const std::string tenancy = Text(node, "tenancy");
  if (tenancy != "per-tenant") {
    throw YamlError(node, absl::StrCat("tenancy: expected per-tenant, got '", tenancy, "'"));
  }
  return true;
}

using Setter = std::function<void(LambdaFunction&, const YAML::Node&)>;

Setter Number(absl::string_view what, int min, int max, void (*set)(LambdaFunction&, int)) {
  return [what, min, max, set](LambdaFunction& function, const YAML::Node& node) {
    set(function, WholeNumber(node, Text(node, what), what, min, max));
  };
}

const std::map<std::string, Setter>& Setters() {
  static const auto& setters = *new std::map<std::string, Setter>{
      {"command", [](LambdaFunction& f, const YAML::Node& node) { f.command = Command(node); }},
      {"handler",
       [](LambdaFunction& f, const YAML::Node& node) { f.handler = Text(node, "handler"); }},
      {"folder",
       [](LambdaFunction& f, const YAML::Node& node) { f.folder = Text(node, "folder"); }},
      {"environment",
       [](LambdaFunction& f, const YAML::Node& node) { f.environment = Variables(node); }},
      {"durable", [](LambdaFunction& f,
                     const YAML::Node& node) { f.spec.set_durable(Bool(node, "durable")); }},
      {"tenancy",
       [](LambdaFunction& f, const YAML::Node& node) { f.per_tenant = IsPerTenant(node); }},
      {"timeout",
       Number("timeout", 1, 5400,
              [](LambdaFunction& f, int s) { f.spec.mutable_timeout()->set_seconds(s); })},
      {"execution_timeout", Number("execution_timeout", 1, 31'622'400,
                                   [](LambdaFunction& f, int s) {
                                     f.spec.mutable_durable_config()->set_execution_timeout(s);
                                   })},
      {"retention_days", Number("retention_days", 1, 90,
                                [](LambdaFunction& f, int days) {
                                  f.spec.mutable_durable_config()->set_retention_period_in_days(
                                      days);
                                })},
      {"concurrency",
       Number("concurrency", 1, 1000, [](LambdaFunction& f, int n) { f.concurrency = n; })},
      {"memory", Number("memory", 128, 10240, [](LambdaFunction& f, int mb) { f.memory_mb = mb; })},
  };
  return setters;
}

LambdaFunction ReadFunction(const std::string& name, const YAML::Node& node,
                            const std::string& folder, const std::vector<std::string>& command) {
  ExpectMap(node, name);
  LambdaFunction function;
  function.spec.set_function_name(name);
  function.spec.set_durable(true);
  function.command = command;
  for (const auto& entry : node) {
    const auto setter = Setters().find(entry.first.Scalar());
    if (setter == Setters().end()) {
      throw YamlError(entry.first,
                      absl::StrCat(name, ": unknown setting '", entry.first.Scalar(), "'"));
    }
    setter->second(function, entry.second);
  }
  if (function.command.empty()) throw YamlError(node, absl::StrCat(name, ": command is missing"));
  function.folder = PathBelow(folder, function.folder);
  return function;
}

FunctionFile ReadList(const YAML::Node& root, const std::string& folder,
                      const std::vector<std::string>& command) {
  ExpectMap(root, "the file");
  for (const auto& entry : root) {
    if (entry.first.Scalar() != "functions") {
      throw YamlError(entry.first,
                      absl::StrCat("unknown setting '", entry.first.Scalar(),
                                   "': expected functions, or Resources of a SAM template"));
    }
  }
  const YAML::Node functions = root["functions"];
  if (!functions) throw YamlError(root, "functions is missing");
  ExpectMap(functions, "functions");
  FunctionFile file;
  for (const auto& entry : functions) {
    file.functions.push_back(ReadFunction(entry.first.Scalar(), entry.second, folder, command));
  }
  return file;
}

}  // namespace

absl::StatusOr<FunctionFile> ReadFunctionFile(const std::string& path,
                                              const std::vector<std::string>& command) {
  char* absolute = realpath(path.c_str(), nullptr);
  if (absolute == nullptr) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", strerror(errno)));
  }
  const std::string folder = std::string(absolute).substr(0, std::string(absolute).rfind('/'));
  free(absolute);
  try {
    const YAML::Node root = YAML::LoadFile(path);
    const bool is_template = root.IsMap() && root["Resources"];
    FunctionFile file =
        is_template ? ReadSamTemplate(root, folder, command) : ReadList(root, folder, command);
    if (file.functions.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": there is no ",
                       is_template ? "function with a DurableConfig" : "function", " in it"));
    }
    return file;
  } catch (const YAML::BadFile&) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":", error.mark.line + 1, ": ", error.msg));
  }
}

}  // namespace rehearse::lambda_host
