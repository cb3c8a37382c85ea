package rehearse_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"rehearse.dev/rehearse"
	rehearsev1 "rehearse.dev/rehearse/v1"
)

// helperVariable makes the test program a process that another test starts.
const helperVariable = "REHEARSE_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		serveUntilKilled()
	}
	os.Exit(m.Run())
}

var sharedServer = sync.OnceValues(func() (*rehearse.Server, error) {
	return rehearse.StartServer(context.Background(), "--time=skip")
})

func newClient(t *testing.T) *rehearse.Client {
	t.Helper()
	server, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	return dial(t, server.Address)
}

func dial(t *testing.T, address string) *rehearse.Client {
	t.Helper()
	client, err := rehearse.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func startWorker(t *testing.T, client *rehearse.Client, function rehearse.Function) *rehearse.Worker {
	t.Helper()
	worker, err := client.StartWorker(t.Context(), rehearse.WorkerOptions{}, function)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(worker.Close)
	return worker
}

func invoke(t *testing.T, client *rehearse.Client, request *rehearsev1.InvokeFunctionRequest) *rehearsev1.InvokeFunctionResponse {
	t.Helper()
	request.FunctionName = t.Name()
	answer, err := client.InvokeFunction(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestHostsAFunction(t *testing.T) {
	client := newClient(t)
	startWorker(t, client, rehearse.Function{Name: t.Name(),
		Handler: func(_ context.Context, payload []byte) ([]byte, error) {
			return append(payload, '!'), nil
		}})
	answer := invoke(t, client, &rehearsev1.InvokeFunctionRequest{Payload: []byte("hello")})
	if string(answer.GetPayload()) != "hello!" {
		t.Error(answer)
	}
}

func TestTellsAHandlerOfItsInvocation(t *testing.T) {
	client := newClient(t)
	var seen rehearse.Invocation
	startWorker(t, client, rehearse.Function{Name: t.Name(),
		Handler: func(ctx context.Context, _ []byte) ([]byte, error) {
			seen = *rehearse.InvocationFromContext(ctx)
			if _, ok := ctx.Deadline(); !ok {
				t.Error("there is no deadline")
			}
			return nil, nil
		}})
	tenant, trace, clientContext := "blue", "Root=1-5759e988-bd862e3fe1be46a994272793", `{"a":1}`
	invoke(t, client, &rehearsev1.InvokeFunctionRequest{
		TenantId: &tenant, XAmznTraceId: &trace, ClientContext: &clientContext})
	if seen.TenantID != tenant || seen.TraceID != trace || seen.ClientContext != clientContext ||
		seen.FunctionName != t.Name() || seen.FunctionVersion != "$LATEST" || seen.RequestID == "" ||
		!strings.HasSuffix(seen.InvokedFunctionARN, ":function:"+t.Name()+":$LATEST") ||
		seen.Durable != nil {
		t.Errorf("%+v", &seen)
	}
	if rehearse.InvocationFromContext(t.Context()) != nil {
		t.Error("an invocation without a handler")
	}
}

type declined struct{}

func (declined) Error() string { return "no money" }

func TestReportsErrors(t *testing.T) {
	for name, test := range map[string]struct {
		handler  func() error
		expected *rehearse.FunctionError
	}{
		"FunctionError": {
			func() error { return &rehearse.FunctionError{Type: "Declined", Message: "no", Data: "51"} },
			&rehearse.FunctionError{Type: "Declined", Message: "no", Data: "51"},
		},
		"WrappedFunctionError": {
			func() error { return fmt.Errorf("pay: %w", &rehearse.FunctionError{Type: "Declined"}) },
			&rehearse.FunctionError{Type: "Declined"},
		},
		"OwnType": {
			func() error { return declined{} },
			&rehearse.FunctionError{Type: "declined", Message: "no money"},
		},
		"OtherError": {
			func() error { return errors.New("broken") },
			&rehearse.FunctionError{Type: "errorString", Message: "broken"},
		},
		"Panic": {
			func() error { panic("help") },
			&rehearse.FunctionError{Type: "string", Message: "help"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t)
			startWorker(t, client, rehearse.Function{Name: strings.ReplaceAll(t.Name(), "/", "-"),
				Handler: func(context.Context, []byte) ([]byte, error) { return nil, test.handler() }})
			answer, err := client.InvokeFunction(t.Context(), &rehearsev1.InvokeFunctionRequest{
				FunctionName: strings.ReplaceAll(t.Name(), "/", "-")})
			if err != nil {
				t.Fatal(err)
			}
			reported := rehearse.NewFunctionError(answer.GetError())
			if name == "Panic" && len(reported.StackTrace) == 0 {
				t.Error("a panic without its stack")
			}
			if reported.Type != test.expected.Type || reported.Message != test.expected.Message ||
				reported.Data != test.expected.Data {
				t.Errorf("got %+v, not %+v", reported, test.expected)
			}
		})
	}
}

func TestErrorsHaveAWSsNames(t *testing.T) {
	client := newClient(t)
	_, err := client.GetExecution(t.Context(), &rehearsev1.GetExecutionRequest{
		DurableExecutionArn: "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST/durable-execution/a/b"})
	var missing *rehearse.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorCode() != "ResourceNotFoundException" ||
		missing.Metadata["http_status"] != "404" {
		t.Errorf("%#v", err)
	}
	var api *rehearse.APIError
	if !errors.As(err, &api) || api.ErrorMessage() == "" || status.Code(err) != codes.NotFound {
		t.Errorf("%#v", err)
	}
	_, err = client.StartExecution(t.Context(), &rehearsev1.StartExecutionRequest{FunctionName: "a b"})
	var invalid *rehearse.InvalidParameterValueException
	if !errors.As(err, &invalid) || errors.As(err, &missing) {
		t.Errorf("%#v", err)
	}
}

func TestStreamsHaveTheSameErrors(t *testing.T) {
	events, err := newClient(t).WatchExecution(t.Context(), &rehearsev1.WatchExecutionRequest{
		DurableExecutionArn: "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST/durable-execution/a/b"})
	if err == nil {
		_, err = events.Recv()
	}
	var missing *rehearse.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("%#v", err)
	}
}

func TestAWorkerOfNoSessionIsRefused(t *testing.T) {
	_, err := newClient(t).StartWorker(t.Context(), rehearse.WorkerOptions{Session: "nowhere"},
		rehearse.Function{Name: "f"})
	var missing *rehearse.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("%#v", err)
	}
}

func TestAWorkerWithoutAServiceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := dial(t, "127.0.0.1:1").StartWorker(ctx, rehearse.WorkerOptions{}, rehearse.Function{Name: "f"})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestClosingAWorkerEndsItsHandlers(t *testing.T) {
	client := newClient(t)
	entered, ended := make(chan bool), make(chan error, 1)
	worker := startWorker(t, client, rehearse.Function{Name: t.Name(),
		Handler: func(ctx context.Context, _ []byte) ([]byte, error) {
			close(entered)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}})
	go client.InvokeFunction(t.Context(), &rehearsev1.InvokeFunctionRequest{FunctionName: t.Name()})
	<-entered
	worker.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	worker.Close()
}

func TestAnEndedInvocationTakesNoRequests(t *testing.T) {
	client := newClient(t)
	var kept *rehearse.Invocation
	startWorker(t, client, rehearse.Function{Name: t.Name(),
		Handler: func(ctx context.Context, _ []byte) ([]byte, error) {
			kept = rehearse.InvocationFromContext(ctx)
			return nil, nil
		}})
	invoke(t, client, &rehearsev1.InvokeFunctionRequest{})
	_, err := kept.Checkpoint(t.Context(), &rehearsev1.CheckpointRequest{})
	if !errors.Is(err, rehearse.ErrInvocationEnded) {
		t.Error(err)
	}
}

func TestFindsTheProgram(t *testing.T) {
	t.Setenv(rehearse.BinaryVariable, "/some/where")
	if path, err := rehearse.FindBinary(); path != "/some/where" || err != nil {
		t.Error(path, err)
	}
	folder := t.TempDir()
	program := filepath.Join(folder, "rehearse")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(rehearse.BinaryVariable, "")
	t.Setenv("PATH", folder)
	if path, err := rehearse.FindBinary(); path != program || err != nil {
		t.Error(path, err)
	}
	t.Setenv("PATH", t.TempDir())
	if path, err := rehearse.FindBinary(); err == nil || !strings.Contains(err.Error(), "REHEARSE_BINARY") {
		t.Error(path, err)
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	_, err := rehearse.StartServer(t.Context(), "--no-such-flag")
	if err == nil || !strings.Contains(err.Error(), "--no-such-flag") {
		t.Error(err)
	}
	t.Setenv(rehearse.BinaryVariable, "/no/such/program")
	if _, err := rehearse.StartServer(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// serveUntilKilled is the body of the helper process.
func serveUntilKilled() {
	server, err := rehearse.StartServer(context.Background())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(server.Address)
	select {}
}

func TestAServerEndsWithAProcessThatIsKilled(t *testing.T) {
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperVariable+"=1")
	output, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	defer helper.Wait()
	defer helper.Process.Kill()
	var address string
	if _, err := fmt.Fscanln(output, &address); err != nil {
		t.Fatal(err)
	}
	client := dial(t, address)
	session, err := client.CreateSession(t.Context(), &rehearsev1.CreateSessionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	hold, err := client.HoldSession(t.Context(),
		&rehearsev1.HoldSessionRequest{Name: session.GetSession().GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.Recv(); err != nil {
		t.Fatal(err)
	}
	helper.Process.Kill()
	// The end of the server is the end of the call.
	if _, err := hold.Recv(); err == nil {
		t.Error("the call goes on")
	}
}
