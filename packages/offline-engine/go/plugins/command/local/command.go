package local

import (
	"context"
	"os"
	"os/exec"
	"strings"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"phoenix/offline-engine/plugins/command/output"
)

// Command is the resource.
type Command struct{}

// Annotate describes the resource for the schema.
func (c *Command) Annotate(a infer.Annotator) {
	a.Describe(&c, "A command on this machine, run when the resource is created, changed or deleted.")
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
	interpreter := []string{"/bin/sh", "-c"}
	if c.Interpreter != nil && len(*c.Interpreter) > 0 {
		interpreter = *c.Interpreter
	}
	arguments := append(append([]string{}, interpreter[1:]...), text)
	command := exec.CommandContext(ctx, interpreter[0], arguments...)

	if c.Dir != nil {
		command.Dir = *c.Dir
	} else {
		here, err := os.Getwd()
		if err != nil {
			return err
		}
		command.Dir = here
	}
	command.Env = c.environment()
	if c.Stdin != nil && *c.Stdin != "" {
		command.Stdin = strings.NewReader(*c.Stdin)
	}

	capture := output.Start(ctx, c.Logging.stdout(), c.Logging.stderr())
	command.Stdout, command.Stderr = capture.Stdout, capture.Stderr
	stdout, stderr, err := capture.Finish(text, command.Run())
	if err != nil {
		return err
	}
	if err := c.collect(command.Dir); err != nil {
		return err
	}
	c.Stdout, c.Stderr = stdout, stderr
	return nil
}

func (c *CommandOutputs) environment() []string {
	environment := os.Environ()
	if c.Environment != nil {
		for name, value := range *c.Environment {
			environment = append(environment, name+"="+value)
		}
	}
	if c.AddPreviousOutputInEnv != nil && !*c.AddPreviousOutputInEnv {
		return environment
	}
	if c.Stdout != "" {
		environment = append(environment, output.PreviousStdout+"="+c.Stdout)
	}
	if c.Stderr != "" {
		environment = append(environment, output.PreviousStderr+"="+c.Stderr)
	}
	return environment
}
