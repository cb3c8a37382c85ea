package rehearsetest

import (
	"context"
	"os"
	"sync"

	"rehearse.dev/rehearse"
)

// ServerVariable names the environment variable with the "host:port" of a running service.
const ServerVariable = "REHEARSE_SERVER"

// serverAddress is that of the service of this test process: the running one that REHEARSE_SERVER
// names, or one that the first call starts and the end of the process ends.
var serverAddress = sync.OnceValues(func() (string, error) {
	if address := os.Getenv(ServerVariable); address != "" {
		return address, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), defaultTimeout)
	defer cancel()
	server, err := rehearse.StartServer(ctx)
	if err != nil {
		return "", err
	}
	return server.Address, nil
})
