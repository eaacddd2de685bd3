// Command pulumi-resource-proxmoxve is a rebuild of the proxmoxve plugin, for machines that cannot fetch it.
package main

import (
	"context"
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"phoenix/offline-engine/plugins/proxmoxve"
)

// Both files are written by proxmoxve-schema during the build; what is in the repository are place holders.

//go:embed schema.json
var schema []byte

//go:embed bridge-metadata.json
var metadata []byte

func main() {
	tfbridge.MainWithMuxer(context.Background(), proxmoxve.Package, proxmoxve.Provider(metadata), schema)
}
