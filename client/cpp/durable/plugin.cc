#include "client/cpp/durable/plugin.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace durable {
namespace {

using Registry = std::map<std::string, PluginFactory, std::less<>>;

Registry& RegisteredPlugins() {
  static auto* const registry = new Registry();
  return *registry;
}

absl::Status Unknown(absl::string_view name) {
  const std::string known =
      absl::StrJoin(RegisteredPlugins(), ", ",
                    [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.first); });
  return absl::InvalidArgumentError(absl::StrCat("no plugin is registered as \"", name,
                                                 "\"; this program has ",
                                                 known.empty() ? "none" : known));
}

absl::Status CheckGroups(const std::vector<PluginFactory>& plugins) {
  std::set<absl::string_view> groups;
  for (const PluginFactory& plugin : plugins) {
    if (plugin.exclusive_group.empty() || groups.insert(plugin.exclusive_group).second) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "two plugins of the group \"", plugin.exclusive_group, "\" are chosen, which allows one"));
  }
  return absl::OkStatus();
}

}  // namespace

bool RegisterPlugin(absl::string_view name, PluginFactory factory) {
  const bool added = RegisteredPlugins().emplace(std::string(name), std::move(factory)).second;
  if (!added) {
    std::fprintf(stderr, "two plugins are registered as \"%s\"\n", std::string(name).c_str());
    std::abort();
  }
  return true;
}

absl::StatusOr<std::vector<PluginFactory>> ResolvePlugins(std::vector<PluginFactory> chosen,
                                                          absl::string_view names) {
  std::set<absl::string_view> seen;
  if (!names.empty()) {
    for (absl::string_view name : absl::StrSplit(names, ',')) {
      name = absl::StripAsciiWhitespace(name);
      if (name.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("a list of plugins has an empty name: \"", names, "\""));
      }
      if (!seen.insert(name).second) {
        return absl::InvalidArgumentError(absl::StrCat("plugin \"", name, "\" is listed twice"));
      }
      const auto found = RegisteredPlugins().find(name);
      if (found == RegisteredPlugins().end()) return Unknown(name);
      chosen.push_back(found->second);
    }
  }
  absl::Status status = CheckGroups(chosen);
  if (!status.ok()) return status;
  return chosen;
}

}  // namespace durable
