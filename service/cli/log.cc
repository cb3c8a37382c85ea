#include "service/cli/log.h"

#include "grpc/support/log.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace rehearse {

void SetUpLog(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("rehearse"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(level));
  gpr_set_log_function([](gpr_log_func_args* entry) { spdlog::debug("grpc: {}", entry->message); });
}

}  // namespace rehearse
