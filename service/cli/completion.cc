#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/cli/client_commands.h"

namespace rehearse {
namespace {

// A subcommand, with what may follow it.
struct Node {
  // "rehearse callback succeed".
  std::string path;
  std::string description;
  std::vector<std::string> words;
};

void Collect(const CLI::App& app, const std::string& parent, std::vector<Node>& nodes) {
  Node node = {parent.empty() ? app.get_name() : absl::StrCat(parent, " ", app.get_name()),
               app.get_description(),
               {}};
  const auto all = [](const CLI::App*) { return true; };
  for (const CLI::App* subcommand : app.get_subcommands(all)) {
    if (!subcommand->get_name().empty()) node.words.push_back(subcommand->get_name());
    for (const CLI::Option* option : subcommand->get_options()) {
      // Those of a group belong to the command around it.
      if (!subcommand->get_name().empty()) continue;
      for (const std::string& name : option->get_lnames()) node.words.push_back("--" + name);
    }
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) node.words.push_back("--" + name);
  }
  const std::string path = node.path;
  nodes.push_back(std::move(node));
  for (const CLI::App* subcommand : app.get_subcommands(all)) {
    if (!subcommand->get_name().empty()) Collect(*subcommand, path, nodes);
  }
}

std::string BashScript(const std::vector<Node>& nodes) {
  std::vector<std::string> paths;
  std::string candidates;
  for (const Node& node : nodes) {
    paths.push_back(absl::StrCat("\"", node.path, "\""));
    absl::StrAppend(&candidates, "    \"", node.path, "\") words=\"",
                    absl::StrJoin(node.words, " "), "\" ;;\n");
  }
  return absl::StrCat(
      "_rehearse() {\n"
      "  local path=rehearse words word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$path $word\" in\n"
      "      ",
      absl::StrJoin(paths, "|"),
      ") path=\"$path $word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n",
      candidates,
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
      "}\n"
      "complete -o default -F _rehearse rehearse\n");
}

std::string FishScript(const std::vector<Node>& nodes) {
  std::string script =
      "function __rehearse_at\n"
      "  set -l path rehearse\n"
      "  set -l words (commandline -opc)\n"
      "  for word in $words[2..-1]\n"
      "    string match -q -- '-*' $word; or set path \"$path $word\"\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n";
  for (const Node& node : nodes) {
    absl::StrAppend(&script, "complete -c rehearse -n '__rehearse_at \"", node.path, "\"' -a '",
                    absl::StrJoin(node.words, " "), "'\n");
  }
  return script;
}

}  // namespace

void AddCompletionCommand(CLI::App& app) {
  CLI::App& completion =
      *app.add_subcommand("completion", "Print a script that completes this program's words.");
  completion.footer(
      "Examples:\n"
      "  source <(rehearse completion bash)\n"
      "  source <(rehearse completion zsh)\n"
      "  rehearse completion fish | source");
  auto shell = std::make_shared<std::string>();
  completion.add_option("shell", *shell, "Whose script")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  completion.callback([&app, shell] {
    std::vector<Node> nodes;
    Collect(app, "", nodes);
    if (*shell == "fish") {
      std::cout << FishScript(nodes);
      return;
    }
    // zsh runs bash's.
    if (*shell == "zsh")
      std::cout << "autoload -Uz compinit bashcompinit\ncompinit\nbashcompinit\n";
    std::cout << BashScript(nodes);
  });
}

}  // namespace rehearse
