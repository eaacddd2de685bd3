package languagehost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// The exit code with which the SDK's runner says that the person has already seen the error
// (nodeJSProcessExitedAfterLoggingUserActionableMessage in cmd/run/index.js).
const alreadyReported = 32

var errNoNode = errors.New("no `node` on PATH: install Node.js 22.18 or newer")

// Run executes the program once, until it ends.
func (h *Host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	defer context.AfterFunc(h.life, kill)()
	command, err := h.command(ctx, req)
	if err != nil {
		return nil, err
	}

	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case !errors.As(err, &exit):
		return nil, err
	case exit.ExitCode() == alreadyReported:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case exit.ExitCode() < 0:
		return &pulumirpc.RunResponse{Error: "the program was ended by a signal: " + exit.String()}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program exited with code %d", exit.ExitCode())}, nil
	}
}

func (h *Host) command(ctx context.Context, req *pulumirpc.RunRequest) (*exec.Cmd, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errNoNode
	}
	info := req.GetInfo()
	directory := info.GetProgramDirectory()
	runner := filepath.Join("node_modules", "@pulumi", "pulumi", "cmd", "run", "index.js")
	root, ok := ancestorWith(directory, runner)
	if !ok {
		return nil, fmt.Errorf("@pulumi/pulumi is not installed in %s or above: run `npm ci` there", directory)
	}
	config, err := json.Marshal(req.GetConfig())
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(req.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}

	args := nodeArguments(info)
	args = append(args, filepath.Join(root, runner),
		"--monitor", req.GetMonitorAddress(),
		"--engine", h.engine,
		// The runner wants a path of pipes for synchronous calls, which no SDK of today opens.
		"--sync", os.TempDir(),
		"--organization", req.GetOrganization(),
		"--project", req.GetProject(),
		"--stack", req.GetStack(),
		"--pwd", req.GetPwd(),
		"--root-directory", info.GetRootDirectory(),
		"--parallel", strconv.Itoa(int(req.GetParallel())),
	)
	if req.GetDryRun() {
		args = append(args, "--dry-run")
	}
	// The runner takes what follows the flags as the program and its arguments, and resolves it against --pwd.
	args = append(args, entryPoint(info))
	args = append(args, req.GetArgs()...)

	command := exec.CommandContext(ctx, node, args...)
	command.Dir = req.GetPwd()
	command.Stdout = os.Stdout
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(),
		"PULUMI_CONFIG="+string(config),
		"PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys),
		"PULUMI_NODEJS_TYPESCRIPT="+strconv.FormatBool(booleanOption(info, "typescript", true)),
	)
	return command, nil
}

func entryPoint(info *pulumirpc.ProgramInfo) string {
	if info.GetEntryPoint() == "" {
		return "."
	}
	return info.GetEntryPoint()
}

func booleanOption(info *pulumirpc.ProgramInfo, name string, unset bool) bool {
	if value, ok := info.GetOptions().AsMap()[name].(bool); ok {
		return value
	}
	return unset
}

// nodeArguments are the project's `runtime.options.nodeargs`, which the official host takes too.
func nodeArguments(info *pulumirpc.ProgramInfo) []string {
	text, _ := info.GetOptions().AsMap()["nodeargs"].(string)
	return strings.Fields(text)
}
