// Command pulumi-resource-command is a rebuild of Pulumi's command plugin, for machines that cannot fetch it.
package main

import (
	"context"
	"fmt"
	"os"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"

	"phoenix/offline-engine/plugins/command/local"
	"phoenix/offline-engine/plugins/command/remote"
)

// Version is set by the linker: the one of @pulumi/command, whose resources these are.
var Version = "0.0.0-dev"

func main() {
	plugin := infer.Provider(infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "Command",
			Description: "Commands as resources, on this machine or over SSH. Rebuilt for machines without releases.",
			License:     "Apache-2.0",
		},
		Resources: []infer.InferredResource{
			infer.Resource(&local.Command{}),
			infer.Resource(&remote.Command{}),
		},
	})
	if err := provider.RunProvider(context.Background(), "command", Version, plugin); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
