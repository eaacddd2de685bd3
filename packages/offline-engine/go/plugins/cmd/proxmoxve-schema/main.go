// Command proxmoxve-schema writes the plugin's schema and metadata, which the plugin embeds.
//
// Run by the build: proxmoxve-schema schema --out DIR --skip-docs --skip-examples
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"phoenix/offline-engine/plugins/proxmoxve"
)

func main() {
	tfgen.MainWithMuxer(proxmoxve.Package, proxmoxve.Provider([]byte("{}")))
}
