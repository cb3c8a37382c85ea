#include "tests/benchmark/figures.h"

namespace rehearse::benchmark {

std::vector<Group> AllGroups() {
  std::vector<Group> groups = {
      {{{"pipeline_checkpoint_us", "us", Bound::kAtMost, 5},
        {"checkpoint_growth", "ratio", Bound::kAtMost, 1.1}},
       MeasurePipeline},
      {{{"checkpoint_vs_empty_rpc", "ratio", Bound::kAtMost, 1.3},
        {"stream_checkpoint_vs_echo", "ratio", Bound::kAtMost, 1.3}},
       MeasureRpc},
      {{{"quickstart_embedded_ms", "ms", Bound::kAtMost, 1},
        {"runner_setup_ms", "ms"},
        {"steps_10_embedded_ms", "ms", Bound::kAtMost, 0.5},
        {"steps_1000_embedded_ms", "ms", Bound::kAtMost, 50},
        {"steps_1000_vs_steps_10", "ratio", Bound::kAtMost, 105},
        {"wait_30_days_ms", "ms", Bound::kAtMost, 0.5}},
       MeasureEmbedded},
      {{{"map_50_embedded_ms", "ms", Bound::kAtMost, 5},
        {"map_1000_concurrency_16_ms", "ms"},
        {"parallel_16_ms", "ms"},
        {"replay_1000_operations_ms", "ms", Bound::kAtMost, 3}},
       MeasureSdk},
      {{{"rest_checkpoint_vs_empty_http", "ratio", Bound::kAtMost, 1.5},
        {"rest_checkpoints_per_s_64", "1/s"}},
       MeasureRest},
      {{{"runtime_api_invocation_overhead_us", "us"}}, MeasureRuntimeApi},
      {{{"executions_64_concurrent_per_s", "1/s", Bound::kAtLeast, 3500},
        {"executions_64_vs_echo", "ratio", Bound::kAtLeast, 0.7}},
       MeasureConcurrency},
      {{{"sleeping_execution_bytes", "bytes", Bound::kAtMost, 4096},
        {"wake_lag_p99_ms", "ms", Bound::kAtMost, 20}},
       MeasureSleeping},
      {{{"sqlite_checkpoints_per_s_64", "1/s"},
        {"memory_checkpoints_per_s_64", "1/s"},
        {"sqlite_checkpoints_per_s_64_vs_raw_commits", "ratio", Bound::kAtLeast, 3},
        {"sqlite_checkpoint_p50_vs_raw_commit", "ratio", Bound::kAtMost, 2},
        {"recovery_100k_executions_s", "s", Bound::kAtMost, 5}},
       MeasureStores},
      {{{"postgres_checkpoints_per_s_64", "1/s"},
        {"postgres_checkpoints_per_s_64_vs_raw_commits", "ratio"},
        {"postgres_checkpoints_per_s_64_2_replicas", "1/s"},
        {"postgres_checkpoints_per_s_64_2_replicas_vs_raw_commits", "ratio"}},
       MeasurePostgres},
      {{{"cold_start_ms", "ms", Bound::kAtMost, 10}}, MeasureColdStart},
  };
  if (HasOfficialPython()) {
    groups.push_back({{{"python_quickstart_ms", "ms"}}, MeasurePythonLambda});
  }
  if (HasConformanceSuite()) {
    groups.push_back({{{"conformance_171_s", "s", Bound::kAtMost, 60}}, MeasureConformance});
  }
  if (HasPythonClient()) {
    groups.push_back({{{"python_runner_quickstart_ms", "ms"},
                       {"python_runner_quickstart_vs_official", "ratio", Bound::kAtMost, 1},
                       {"python_runner_10_steps_ms", "ms"},
                       {"python_runner_10_steps_vs_official", "ratio", Bound::kAtMost, 1},
                       {"python_executions_64_per_s", "1/s"},
                       {"python_executions_64_vs_official", "ratio", Bound::kAtLeast, 2},
                       {"python_import_and_first_run_ms", "ms", Bound::kAtMost, 300}},
                      MeasurePython});
  }
  if (HasNodeClient()) {
    groups.push_back({{{"node_runner_quickstart_ms", "ms"},
                       {"node_runner_quickstart_vs_official", "ratio", Bound::kAtMost, 0.4},
                       {"node_runner_10_steps_ms", "ms"},
                       {"node_runner_10_steps_vs_official", "ratio", Bound::kAtMost, 0.4}},
                      MeasureNode});
  }
  return groups;
}

}  // namespace rehearse::benchmark
