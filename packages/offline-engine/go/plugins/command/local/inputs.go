// Package local is `command:local:Command`: a command on the machine that runs Pulumi.
//
// Names, types, defaults and behaviour follow pulumi-command v1.2.1; the words are ours.
package local

import (
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// CommandInputs are what a program says.
type CommandInputs struct {
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`

	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *Logging           `pulumi:"logging,optional"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	AssetPaths             *[]string          `pulumi:"assetPaths,optional"`
	ArchivePaths           *[]string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// Annotate describes the inputs for the schema.
func (c *CommandInputs) Annotate(a infer.Annotator) {
	a.Describe(&c.Triggers, "A change of any of these values, which may be of any type, replaces the resource.")
	a.Describe(&c.Create, "The command that makes the resource; also run on a change when there is no `update`.")
	a.Describe(&c.Update, "The command for a change of the inputs. Unset: `create`.")
	a.Describe(&c.Delete, "The command that removes the resource.")
	a.Describe(&c.Stdin, "Text for the command's standard input.")
	a.Describe(&c.Logging, "Which streams appear in the run's log. Default: both. Outputs are captured anyway.")
	a.Describe(&c.Interpreter, "Program and arguments that run the command. Default: `[\"/bin/sh\", \"-c\"]`.")
	a.Describe(&c.Dir, "The working directory, which must exist.")
	a.Describe(&c.Environment, "Environment variables beside those of the Pulumi process.")
	a.Describe(&c.AssetPaths, "Globs of files to return as assets; `!` excludes; the last match decides.")
	a.Describe(&c.ArchivePaths, "Globs of files to return as one archive; `!` excludes; the last match decides.")
	a.Describe(&c.AddPreviousOutputInEnv, "Whether `update` and `delete` see the outputs of the last run as "+
		"PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR. Default: true.")
}

// CommandOutputs are the inputs and what the last run of create or update gave.
type CommandOutputs struct {
	CommandInputs

	Stdout  string                            `pulumi:"stdout"`
	Stderr  string                            `pulumi:"stderr"`
	Assets  *map[string]*types.AssetOrArchive `pulumi:"assets,optional"`
	Archive *resource.Archive                 `pulumi:"archive,optional"`
}

// Annotate describes the outputs for the schema.
func (c *CommandOutputs) Annotate(a infer.Annotator) {
	a.Describe(&c.Stdout, "The command's standard output.")
	a.Describe(&c.Stderr, "The command's standard error.")
	a.Describe(&c.Assets, "The files that `assetPaths` found, by path relative to the working directory.")
	a.Describe(&c.Archive, "The files that `archivePaths` found.")
}

// Logging says which streams appear in the run's log.
type Logging string

// The streams to log.
const (
	LogStdout Logging = "stdout"
	LogStderr Logging = "stderr"
	LogBoth   Logging = "stdoutAndStderr"
	LogNone   Logging = "none"
)

// Values lists the choices for the schema.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: "stdout", Value: LogStdout, Description: "Log standard output only."},
		{Name: "stderr", Value: LogStderr, Description: "Log standard error only."},
		{Name: "stdoutAndStderr", Value: LogBoth, Description: "Log both."},
		{Name: "none", Value: LogNone, Description: "Log nothing."},
	}
}

func (l *Logging) stdout() bool { return l == nil || *l == LogStdout || *l == LogBoth }
func (l *Logging) stderr() bool { return l == nil || *l == LogStderr || *l == LogBoth }
