// Package command is a rebuild of Pulumi's command plugin: the resources local.Command and remote.Command.
package command

import (
	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"

	"phoenix/offline-engine/plugins/command/local"
	"phoenix/offline-engine/plugins/command/remote"
)

// Package is the plugin's name in Pulumi.
const Package = "command"

// Provider returns the plugin.
func Provider() provider.Provider {
	return infer.Provider(infer.Options{
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
}
