// Command pulumi-language-nodejs lets the Pulumi engine run Node.js programs.
//
// The engine starts it with its own address as last argument and reads the port, which this program serves,
// from the first line of standard output.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"phoenix/offline-engine/plugins/languagehost"
)

// How often the host looks whether its engine still lives: an engine that was killed must not leave a program behind.
const engineCheck = 5 * time.Second

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-nodejs:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("the engine's address is missing: the Pulumi CLI starts this program, people do not")
	}
	engine := args[len(args)-1]

	// The engine, which starts its plugins in process groups of their own, ends them by SIGINT and waits 5 s for it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rpcutil.Healthcheck(ctx, engine, engineCheck, stop); err != nil {
		return err
	}

	host := languagehost.New(ctx, engine)
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
	})
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		close(cancel)
	}()
	fmt.Println(handle.Port)
	return <-handle.Done
}
