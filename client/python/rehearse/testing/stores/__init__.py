"""Where executions are kept: by the service."""
