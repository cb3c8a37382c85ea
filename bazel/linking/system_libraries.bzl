"""How Abseil, protobuf, gRPC and OpenSSL are linked: all shared or all static, never a mix.

A mix would put two copies of Abseil into one process, so the whole set is one list of link options.
It is written down here because asking pkg-config costs seconds at each start of a Bazel server.
"""

_ABSL = [
    "bad_any_cast_impl",
    "bad_optional_access",
    "bad_variant_access",
    "base",
    "city",
    "civil_time",
    "cord",
    "cord_internal",
    "cordz_functions",
    "cordz_handle",
    "cordz_info",
    "cordz_sample_token",
    "debugging_internal",
    "demangle_internal",
    "examine_stack",
    "exponential_biased",
    "failure_signal_handler",
    "graphcycles_internal",
    "hash",
    "hashtablez_sampler",
    "int128",
    "leak_check",
    "log_severity",
    "low_level_hash",
    "malloc_internal",
    "random_distributions",
    "random_internal_platform",
    "random_internal_pool_urbg",
    "random_internal_randen",
    "random_internal_randen_hwaes",
    "random_internal_randen_hwaes_impl",
    "random_internal_randen_slow",
    "random_internal_seed_material",
    "random_seed_gen_exception",
    "random_seed_sequences",
    "raw_hash_set",
    "raw_logging_internal",
    "spinlock_wait",
    "stacktrace",
    "status",
    "statusor",
    "str_format_internal",
    "strerror",
    "strings",
    "strings_internal",
    "symbolize",
    "synchronization",
    "throw_delegate",
    "time",
    "time_zone",
]

_SHARED = ["grpc++_reflection", "grpc++", "grpc", "gpr", "protobuf", "ssl", "crypto"] + ["absl_" + name for name in _ABSL]

# The allocator of programs that are linked statically. Its operator new stands before libstdc++'s.
_ALLOCATOR = ["tcmalloc_minimal"]

# What the shared libraries above bring along by themselves.
_STATIC_ONLY = ["upb", "address_sorting", "cares", "re2", "z", "stdc++"]

SHARED_LINKOPTS = (
    ["-Wl,--push-state,--as-needed"] +
    ["-l" + name for name in _SHARED] +
    ["-Wl,--pop-state", "-pthread"]
)

# Leaves a program that needs only libc and libm.
STATIC_LINKOPTS = (
    ["-Wl,-Bstatic,--start-group"] +
    ["-l" + name for name in _ALLOCATOR + _SHARED + _STATIC_ONLY] +
    ["-Wl,--end-group,-Bdynamic", "-static-libgcc", "-Wl,--as-needed,--gc-sections", "-pthread"]
)
