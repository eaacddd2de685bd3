// Command pulumi-resource-command is a rebuild of Pulumi's command plugin, for machines that cannot fetch it.
package main

import (
	"context"
	"fmt"
	"os"

	provider "github.com/pulumi/pulumi-go-provider"

	"phoenix/offline-engine/plugins/command"
)

// Version is set by the linker: the one of @pulumi/command, whose resources these are.
var Version = "0.0.0-dev"

func main() {
	if err := provider.RunProvider(context.Background(), command.Package, Version, command.Provider()); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
