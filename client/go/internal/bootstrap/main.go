// Command bootstrap is a durable function as it is deployed for the runtime provided.al2023: it
// records one step, through AWS's API, with the greeting that its input asks for.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

type invocation struct {
	DurableExecutionArn, CheckpointToken string
	InitialExecutionState                struct {
		Operations []struct {
			ExecutionDetails struct{ InputPayload string }
		}
	}
}

func handle(ctx context.Context, input invocation) (map[string]any, error) {
	var name string
	execution := input.InitialExecutionState.Operations[0].ExecutionDetails
	if err := json.Unmarshal([]byte(execution.InputPayload), &name); err != nil {
		return nil, err
	}
	result, err := json.Marshal("Hello, " + name)
	if err != nil {
		return nil, err
	}
	step := func(action, payload string) map[string]any {
		return map[string]any{"Id": "1", "Type": "STEP", "Name": "greet", "Action": action, "Payload": payload}
	}
	started := step("START", "")
	delete(started, "Payload")
	if err := checkpoint(ctx, input, started, step("SUCCEED", string(result))); err != nil {
		return nil, err
	}
	return map[string]any{"Status": "SUCCEEDED", "Result": string(result)}, nil
}

func checkpoint(ctx context.Context, input invocation, updates ...map[string]any) error {
	body, err := json.Marshal(map[string]any{"CheckpointToken": input.CheckpointToken, "Updates": updates})
	if err != nil {
		return err
	}
	address := fmt.Sprintf("%s/2025-12-01/durable-executions/%s/checkpoint",
		os.Getenv("AWS_ENDPOINT_URL_LAMBDA"), url.PathEscape(input.DurableExecutionArn))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("checkpoint: %s: %s", response.Status, text)
	}
	return nil
}

func main() { lambda.Start(handle) }
