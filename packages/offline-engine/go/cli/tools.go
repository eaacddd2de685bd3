//go:build tools

// Package cli pins the Pulumi CLI: the import keeps it, and all that it needs, in go.mod and go.sum.
package cli

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
