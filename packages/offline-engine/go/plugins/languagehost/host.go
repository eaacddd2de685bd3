// Package languagehost serves the part of the LanguageRuntime protocol that running Node.js programs needs.
//
// Facts from sdk/v3 v3.259.0: proto/go/language.pb.go (the protocol) and @pulumi/pulumi's cmd/run/index.js
// (arguments, environment, exit codes). What generates code or runs plugins written in TypeScript is answered
// with UNIMPLEMENTED by the embedded server.
package languagehost

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
)

// Host runs Node.js programs for one engine.
type Host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	engine string
	life   context.Context
	cancel context.CancelFunc
}

// New returns a host for the engine at the given address. When life ends, running programs are killed.
func New(life context.Context, engine string) *Host {
	ctx, cancel := context.WithCancel(life)
	return &Host{engine: engine, life: ctx, cancel: cancel}
}

// Handshake takes the engine's address, which an engine that attaches to a running host gives only here.
func (h *Host) Handshake(
	_ context.Context, req *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	if req.GetEngineAddress() != "" {
		h.engine = req.GetEngineAddress()
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo names the version, which is the one of the SDK that this host is built from.
func (h *Host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// GetRequiredPackages names the plugins of all SDKs that the program can import.
func (h *Host) GetRequiredPackages(
	_ context.Context, req *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	packages, err := RequiredPackages(req.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, nil
}

// RuntimeOptionsPrompts asks nothing: package manager and tsconfig are left to the project.
func (h *Host) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// Template has nothing to add to a new project.
func (h *Host) Template(context.Context, *pulumirpc.TemplateRequest) (*pulumirpc.TemplateResponse, error) {
	return &pulumirpc.TemplateResponse{}, nil
}

// About says which Node.js runs programs.
func (h *Host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errNoNode
	}
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", node, err)
	}
	return &pulumirpc.AboutResponse{
		Executable: node,
		Version:    strings.TrimSpace(string(out)),
		Metadata:   map[string]string{"host": "rebuilt from the Pulumi SDK for machines without releases"},
	}, nil
}

// GetProgramDependencies lists the npm packages of the program: those that its package.json names, or all
// that are installed.
func (h *Host) GetProgramDependencies(
	_ context.Context, req *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	dependencies, err := dependencies(req.GetInfo().GetProgramDirectory(), req.GetTransitiveDependencies())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.GetProgramDependenciesResponse{Dependencies: dependencies}, nil
}

// InstallDependencies runs npm: `npm ci` where a lock file says exactly what to install, else `npm install`.
func (h *Host) InstallDependencies(
	req *pulumirpc.InstallDependenciesRequest, stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	directory := req.GetInfo().GetProgramDirectory()
	root, ok := ancestorWith(directory, "package.json")
	if !ok {
		return fmt.Errorf("no package.json in %s or above: nothing says what to install", directory)
	}
	verb := "install"
	if _, err := os.Stat(filepath.Join(root, "package-lock.json")); err == nil {
		verb = "ci"
	}
	command := exec.CommandContext(stream.Context(), "npm", verb)
	command.Dir = root
	command.Stdout = writer(func(b []byte) error { return stream.Send(&pulumirpc.InstallDependenciesResponse{Stdout: b}) })
	command.Stderr = writer(func(b []byte) error { return stream.Send(&pulumirpc.InstallDependenciesResponse{Stderr: b}) })
	if err := command.Run(); err != nil {
		return fmt.Errorf("npm %s in %s: %w", verb, root, err)
	}
	return nil
}

// Cancel kills programs that are still running.
func (h *Host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

type writer func([]byte) error

func (w writer) Write(b []byte) (int, error) { return len(b), w(append([]byte(nil), b...)) }
