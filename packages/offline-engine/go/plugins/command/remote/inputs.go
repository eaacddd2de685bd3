// Package remote is `command:remote:Command`: a command on another machine, over SSH.
//
// Names, types, defaults and behaviour follow pulumi-command v1.2.1; the words are ours.
package remote

import "github.com/pulumi/pulumi-go-provider/infer"

// CommandInputs are what a program says.
type CommandInputs struct {
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`

	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *Logging          `pulumi:"logging,optional"`
	Connection             *Connection       `pulumi:"connection" provider:"secret"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// Annotate describes the inputs for the schema.
func (c *CommandInputs) Annotate(a infer.Annotator) {
	a.Describe(&c.Triggers, "A change of any of these values, which may be of any type, replaces the resource.")
	a.Describe(&c.Create, "The command that makes the resource; also run on a change when there is no `update`.")
	a.Describe(&c.Update, "The command for a change of the inputs. Unset: `create`.")
	a.Describe(&c.Delete, "The command that removes the resource.")
	a.Describe(&c.Stdin, "Text for the command's standard input.")
	a.Describe(&c.Logging, "Which streams appear in the run's log. Default: both. Outputs are captured anyway.")
	a.Describe(&c.Connection, "How to reach the machine.")
	a.Describe(&c.Environment, "Environment variables; the SSH server must accept them (AcceptEnv).")
	a.Describe(&c.AddPreviousOutputInEnv, "Whether `update` and `delete` are sent the outputs of the last run as "+
		"PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR. Default: true.")
}

// CommandOutputs are the inputs and what the last run of create or update gave.
type CommandOutputs struct {
	CommandInputs

	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Annotate describes the outputs for the schema.
func (c *CommandOutputs) Annotate(a infer.Annotator) {
	a.Describe(&c.Stdout, "The command's standard output.")
	a.Describe(&c.Stderr, "The command's standard error.")
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

// Connection says how to reach a machine, perhaps through another one.
type Connection struct {
	endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// Annotate describes the connection for the schema.
func (c *Connection) Annotate(a infer.Annotator) {
	a.Describe(&c, "How to reach a machine over SSH.")
	a.Describe(&c.Proxy, "A machine to go through.")
	c.annotate(a)
}

// ProxyConnection says how to reach the machine in between.
type ProxyConnection struct{ endpoint }

// Annotate describes the connection for the schema.
func (c *ProxyConnection) Annotate(a infer.Annotator) {
	a.Describe(&c, "How to reach the machine in between over SSH.")
	c.annotate(a)
}

type endpoint struct {
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional" provider:"secret"`
	Host               *string  `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional" provider:"secret"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional" provider:"secret"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
}

// Defaults of an endpoint: attempts, seconds per attempt, port.
const (
	defaultAttempts = 10
	defaultTimeout  = 15
	defaultPort     = 22
	unlimited       = -1
)

func (e *endpoint) annotate(a infer.Annotator) {
	a.Describe(&e.User, "The user. Default: root.")
	a.SetDefault(&e.User, "root")
	a.Describe(&e.Password, "The user's password.")
	a.Describe(&e.Host, "Name or address of the machine.")
	a.Describe(&e.Port, "The port. Default: 22.")
	a.SetDefault(&e.Port, defaultPort)
	a.Describe(&e.PrivateKey, "The private key itself, tried before the password.")
	a.Describe(&e.PrivateKeyPassword, "The private key's passphrase.")
	a.Describe(&e.AgentSocketPath, "Socket of an ssh-agent. Default: SSH_AUTH_SOCK, if set.")
	a.Describe(&e.DialErrorLimit, "How many failed attempts to connect are allowed; -1: any. Default: 10.")
	a.SetDefault(&e.DialErrorLimit, defaultAttempts)
	a.Describe(&e.PerDialTimeout, "Seconds per attempt; 0: no limit. Default: 15.")
	a.SetDefault(&e.PerDialTimeout, defaultTimeout)
	a.Describe(&e.HostKey, "The machine's public key. Unset: the machine is not checked.")
}
