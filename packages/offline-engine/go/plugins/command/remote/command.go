package remote

import (
	"context"
	"fmt"
	"strings"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"phoenix/offline-engine/plugins/command/output"
)

// Command is the resource.
type Command struct{}

// Annotate describes the resource for the schema.
func (c *Command) Annotate(a infer.Annotator) {
	a.Describe(&c, "A command on another machine, run when the resource is created, changed or deleted.")
}

// Create runs `create`. What fails here is not in the state.
func (c *Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandInputs],
) (infer.CreateResponse[CommandOutputs], error) {
	response := infer.CreateResponse[CommandOutputs]{Output: CommandOutputs{CommandInputs: req.Inputs}}
	var err error
	if response.ID, err = resource.NewUniqueHex(req.Name, 8, 0); err != nil || req.DryRun || req.Inputs.Create == nil {
		return response, err
	}
	return response, response.Output.run(ctx, *req.Inputs.Create)
}

// Update runs `update`, or `create` if that is unset; when both are unset the outputs stay as they were.
func (c *Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandInputs, CommandOutputs],
) (infer.UpdateResponse[CommandOutputs], error) {
	response := infer.UpdateResponse[CommandOutputs]{Output: req.State}
	response.Output.CommandInputs = req.Inputs
	command := req.Inputs.Update
	if command == nil {
		command = req.Inputs.Create
	}
	if req.DryRun || command == nil {
		return response, nil
	}
	return response, response.Output.run(ctx, *command)
}

// Delete runs the `delete` of the state, with the other inputs of the state.
func (c *Command) Delete(
	ctx context.Context, req infer.DeleteRequest[CommandOutputs],
) (infer.DeleteResponse, error) {
	if req.State.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	return infer.DeleteResponse{}, req.State.run(ctx, *req.State.Delete)
}

func (c *CommandOutputs) run(ctx context.Context, text string) error {
	client, err := c.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()

	for name, value := range c.Environment {
		if err := session.Setenv(name, value); err != nil {
			provider.GetLogger(ctx).Error(refused(name))
			return fmt.Errorf("could not set environment variable %q: %w", name, err)
		}
	}
	if c.AddPreviousOutputInEnv == nil || *c.AddPreviousOutputInEnv {
		previous := []struct{ name, value string }{
			{output.PreviousStdout, c.Stdout}, {output.PreviousStderr, c.Stderr},
		}
		for _, p := range previous {
			// Most servers accept no variables: the command runs without them.
			if p.value != "" && session.Setenv(p.name, p.value) != nil {
				provider.GetLogger(ctx).Warning(refused(p.name))
			}
		}
	}
	if c.Stdin != nil && *c.Stdin != "" {
		session.Stdin = strings.NewReader(*c.Stdin)
	}

	capture := output.Start(ctx, c.Logging.stdout(), c.Logging.stderr())
	session.Stdout, session.Stderr = capture.Stdout, capture.Stderr
	stdout, stderr, err := capture.Finish(text, session.Run(text))
	if err != nil {
		return err
	}
	c.Stdout, c.Stderr = stdout, stderr
	return nil
}

func refused(name string) string {
	return fmt.Sprintf("the SSH server does not take the variable %s: allow it there with AcceptEnv, "+
		"or write it before the command itself, as in `NAME=value command`", name)
}
