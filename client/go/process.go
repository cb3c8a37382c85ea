package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"rehearse.dev/rehearse/internal/embedded"
)

// BinaryVariable names the environment variable with the path of the program rehearse.
const BinaryVariable = "REHEARSE_BINARY"

// readyPoll is how often a process that starts is looked at.
const readyPoll = 2 * time.Millisecond

// FindBinary returns the path of the program rehearse: that of REHEARSE_BINARY, or the one in PATH,
// or the copy in releases of this module.
func FindBinary() (string, error) {
	if path := os.Getenv(BinaryVariable); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("rehearse"); err == nil {
		return path, nil
	}
	path, err := embedded.Binary()
	if err != nil {
		return "", fmt.Errorf("rehearse: no program: set %s, or have rehearse in PATH: %w",
			BinaryVariable, err)
	}
	return path, nil
}

// process is a running rehearse; it ends with this process, however that ends.
type process struct {
	command *exec.Cmd
	// The kernel closes it when this process ends.
	stdin  io.Closer
	exited chan struct{}
	output *tail
}

// startProcess runs a subcommand that writes a ready file, and returns that file's content, too.
func startProcess(ctx context.Context, subcommand string, arguments ...string) (
	*process, []byte, error) {
	binary, err := FindBinary()
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", "rehearse-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(folder)
	readyFile := filepath.Join(folder, "ready.json")
	started := &process{exited: make(chan struct{}), output: &tail{}}
	started.command = exec.Command(binary,
		append([]string{subcommand, "--ready-file=" + readyFile}, arguments...)...)
	started.command.Stdout, started.command.Stderr = started.output, started.output
	if started.stdin, err = started.command.StdinPipe(); err != nil {
		return nil, nil, err
	}
	if err := started.start(); err != nil {
		return nil, nil, err
	}
	content, err := started.awaitReady(ctx, readyFile)
	if err != nil {
		started.stop()
		return nil, nil, err
	}
	return started, content, nil
}

// start starts the command from a thread that stays as long as it runs: to the kernel, that thread
// is the parent.
func (p *process) start() error {
	dieWithParent(p.command)
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		result <- err
		if err == nil {
			_ = p.command.Wait() // how it ended is in ProcessState
			close(p.exited)
		}
	}()
	return <-result
}

func (p *process) awaitReady(ctx context.Context, readyFile string) ([]byte, error) {
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for {
		// It appears whole.
		content, err := os.ReadFile(readyFile)
		if !errors.Is(err, os.ErrNotExist) {
			return content, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("rehearse: %s is not ready: %w: %s",
				p.command, context.Cause(ctx), p.output)
		case <-p.exited:
			return nil, fmt.Errorf("rehearse: %s ended: %v: %s",
				p.command, p.command.ProcessState, p.output)
		case <-ticker.C:
		}
	}
}

// stop ends the process and returns when it has ended.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended already
	<-p.exited
	p.stdin.Close()
}

// tailBytes is what a tail keeps.
const tailBytes = 16 << 10

// tail keeps the end of what a process writes, to be shown when it fails.
type tail struct {
	mutex sync.Mutex
	text  []byte
}

func (t *tail) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.text = append(t.text, text...)
	t.text = t.text[max(0, len(t.text)-tailBytes):]
	return len(text), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.text)
}
