package rehearse

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Server is a rehearse service that this process has started. It ends with this process, however
// that ends.
type Server struct {
	// Address of the gRPC face and HTTPAddress of the AWS face, "host:port".
	Address, HTTPAddress string

	process *process
}

// StartServer runs `rehearse up` on free loopback ports, with further flags of it, and returns when
// it serves.
func StartServer(ctx context.Context, flags ...string) (*Server, error) {
	started, ready, err := startProcess(ctx, "up", append([]string{"--grpc-address=127.0.0.1:0",
		"--http-address=127.0.0.1:0", "--exit-with-stdin"}, flags...)...)
	if err != nil {
		return nil, err
	}
	var addresses struct{ GRPC, HTTP string }
	if err := json.Unmarshal(ready, &addresses); err != nil {
		started.stop()
		return nil, fmt.Errorf("rehearse: the ready file: %w", err)
	}
	return &Server{addresses.GRPC, addresses.HTTP, started}, nil
}

// Close ends the server and returns when its process has ended.
func (s *Server) Close() { s.process.stop() }

// Bootstrap is a function that runs in a process of its own, in Lambda's way.
type Bootstrap struct{ process *process }

// StartBootstrap serves a function by a command that speaks Lambda's Runtime API, for example a
// program with aws-lambda-go, through `rehearse run`. It returns when the function can be invoked.
// The function has no Handler.
func (c *Client) StartBootstrap(ctx context.Context, options WorkerOptions, function Function,
	command ...string) (*Bootstrap, error) {
	arguments := []string{
		"--server=" + c.target,
		"--function=" + function.Name,
		"--durable=" + strconv.FormatBool(function.Durable),
	}
	number := func(flag string, value int) {
		if value > 0 {
			arguments = append(arguments, fmt.Sprintf("--%s=%d", flag, value))
		}
	}
	if options.Session != "" {
		arguments = append(arguments, "--session="+options.Session)
	}
	number("concurrency", options.Concurrency)
	number("timeout", int(function.InvocationTimeout/time.Second))
	number("execution-timeout", int(function.ExecutionTimeout/time.Second))
	started, _, err := startProcess(ctx, "run", append(append(arguments, "--"), command...)...)
	if err != nil {
		return nil, err
	}
	return &Bootstrap{started}, nil
}

// Close ends the processes and returns when they have ended.
func (b *Bootstrap) Close() { b.process.stop() }

// Output is the end of what the function's processes, and `rehearse run`, have written.
func (b *Bootstrap) Output() string { return b.process.output.String() }
