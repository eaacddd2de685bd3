// Package java stands in for the Java code generator, which the module proxy does not carry and which is never
// called here: the bridge's schema generator names it among the languages of documentation examples.
package java

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/pcl"
)

// GenerateProgram says that there is no generator.
func GenerateProgram(*pcl.Program) (map[string][]byte, hcl.Diagnostics, error) {
	return nil, nil, errors.New("this build has no code generator for Java")
}
