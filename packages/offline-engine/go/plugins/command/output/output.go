// Package output gathers what a command prints: for the resource's outputs, for the run's log, for error texts.
package output

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	provider "github.com/pulumi/pulumi-go-provider"
)

// Names under which the outputs of the last run reach the next one.
const (
	PreviousStdout = "PULUMI_COMMAND_STDOUT"
	PreviousStderr = "PULUMI_COMMAND_STDERR"
)

// Capture takes one run's two streams.
type Capture struct {
	Stdout io.Writer
	Stderr io.Writer

	out, err bytes.Buffer
	both     locked
	log      *io.PipeWriter
	logged   chan struct{}
}

// Start begins a capture. Streams that are to be logged appear line by line as the resource's status while
// the command runs; that is how a person sees that a long step is alive.
func Start(ctx context.Context, logStdout, logStderr bool) *Capture {
	reader, writer := io.Pipe()
	c := &Capture{log: writer, logged: make(chan struct{})}
	c.Stdout = c.stream(&c.out, logStdout)
	c.Stderr = c.stream(&c.err, logStderr)
	go func() {
		defer close(c.logged)
		logger := provider.GetLogger(ctx)
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			logger.InfoStatus(lines.Text())
		}
		// A line beyond the scanner's limit ends the log, never the command.
		_, _ = io.Copy(io.Discard, reader)
	}()
	return c
}

func (c *Capture) stream(own io.Writer, logged bool) io.Writer {
	if logged {
		return io.MultiWriter(own, &c.both, c.log)
	}
	return io.MultiWriter(own, &c.both)
}

// Finish ends the capture and returns both streams, each without its last line break. A failure is returned
// with the command's text and everything that it printed.
func (c *Capture) Finish(command string, failure error) (stdout, stderr string, err error) {
	_ = c.log.Close()
	<-c.logged
	if failure != nil {
		return "", "", fmt.Errorf("%w: running %q:\n%s", failure, command, c.both.buffer.String())
	}
	return strings.TrimSuffix(c.out.String(), "\n"), strings.TrimSuffix(c.err.String(), "\n"), nil
}

// locked keeps the chunks of two streams whole in one buffer.
type locked struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(b)
}
