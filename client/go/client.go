// Package rehearse talks to a rehearse service - a stand-in for the backend of AWS Lambda durable
// functions - and hosts functions for it. Tests want rehearse.dev/rehearse/rehearsetest.
//
//	client, err := rehearse.Dial("127.0.0.1:9013")
//	...
//	defer client.Close()
//	worker, err := client.StartWorker(ctx, rehearse.WorkerOptions{}, rehearse.Function{
//		Name: "greet",
//		Handler: func(ctx context.Context, payload []byte) ([]byte, error) {
//			return payload, nil
//		},
//	})
//	...
//	defer worker.Close()
//	answer, err := client.InvokeFunction(ctx, &rehearsev1.InvokeFunctionRequest{
//		FunctionName: "greet", Payload: []byte(`"hello"`),
//	})
package rehearse

import (
	"context"
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	rehearsev1 "rehearse.dev/rehearse/v1"
)

// Client has the calls of the three services of the contract, rehearse.dev/rehearse/v1. Their
// errors are those of APIError. It may be used by any number of goroutines.
type Client struct {
	rehearsev1.DurableExecutionsClient
	rehearsev1.TestSessionsClient
	rehearsev1.FunctionHostClient
	target     string
	connection *grpc.ClientConn
}

// Dial returns a client of the service at target, "host:port". It connects when it is used first.
// The connection is without TLS unless options say otherwise.
func Dial(target string, options ...grpc.DialOption) (*Client, error) {
	options = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(convertUnaryError),
		grpc.WithChainStreamInterceptor(convertStreamError),
		// The service bounds its messages itself.
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)),
	}, options...)
	connection, err := grpc.NewClient("passthrough:///"+target, options...)
	if err != nil {
		return nil, err
	}
	return &Client{
		DurableExecutionsClient: rehearsev1.NewDurableExecutionsClient(connection),
		TestSessionsClient:      rehearsev1.NewTestSessionsClient(connection),
		FunctionHostClient:      rehearsev1.NewFunctionHostClient(connection),
		target:                  target,
		connection:              connection,
	}, nil
}

// Close ends the connection; calls that are under way fail.
func (c *Client) Close() error { return c.connection.Close() }

func convertUnaryError(ctx context.Context, method string, request, reply any,
	connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	return fromGRPC(invoke(ctx, method, request, reply, connection, options...))
}

func convertStreamError(ctx context.Context, description *grpc.StreamDesc,
	connection *grpc.ClientConn, method string, open grpc.Streamer,
	options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := open(ctx, description, connection, method, options...)
	if err != nil {
		return nil, fromGRPC(err)
	}
	return convertingStream{stream}, nil
}

type convertingStream struct{ grpc.ClientStream }

func (s convertingStream) RecvMsg(message any) error {
	return fromGRPC(s.ClientStream.RecvMsg(message))
}

func (s convertingStream) SendMsg(message any) error {
	return fromGRPC(s.ClientStream.SendMsg(message))
}
