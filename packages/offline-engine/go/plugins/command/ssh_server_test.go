package command_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"golang.org/x/crypto/ssh"
)

// machine is an SSH server in this process which runs commands with sh. It takes the password "open", and the
// variables whose names begin with LC_.
type machine struct {
	t       *testing.T
	address *net.TCPAddr
	hostKey string
	config  *ssh.ServerConfig

	mutex sync.Mutex
	keys  []string // in authorized_keys form
	open  int      // connections
}

func boot(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	must(t, err)
	m.hostKey = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	refused := &net.OpError{Op: "login", Err: io.EOF}
	m.config = &ssh.ServerConfig{
		PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if string(password) == "open" {
				return nil, nil
			}
			return nil, refused
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, known := range m.keys {
				if known == string(ssh.MarshalAuthorizedKey(key)) {
					return nil, nil
				}
			}
			return nil, refused
		},
	}
	m.config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	m.address = listener.Addr().(*net.TCPAddr)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go m.serve(connection)
		}
	}()
	return m
}

// connection is the input by which the plugin reaches this machine; more adds to it or replaces in it.
func (m *machine) connection(more values) property.Value {
	all := values{
		"host": text(m.address.IP.String()), "port": property.New(float64(m.address.Port)),
		"user": text("root"), "password": text("open"), "hostKey": text(m.hostKey), "dialErrorLimit": property.New(1.0),
	}
	for name, value := range more {
		if value.IsNull() {
			delete(all, name)
		} else {
			all[name] = value
		}
	}
	return property.New(all)
}

func (m *machine) trust(key ssh.PublicKey) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.keys = append(m.keys, string(ssh.MarshalAuthorizedKey(key)))
}

func (m *machine) connections() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.open
}

func (m *machine) serve(raw net.Conn) {
	connection, channels, requests, err := ssh.NewServerConn(raw, m.config)
	if err != nil {
		return
	}
	m.count(1)
	defer m.count(-1)
	defer func() { _ = connection.Close() }()
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		switch channel.ChannelType() {
		case "session":
			go m.session(channel)
		case "direct-tcpip":
			go m.forward(channel)
		default:
			_ = channel.Reject(ssh.UnknownChannelType, "no")
		}
	}
}

func (m *machine) count(by int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.open += by
}

func (m *machine) session(incoming ssh.NewChannel) {
	channel, requests, err := incoming.Accept()
	if err != nil {
		return
	}
	environment := []string{}
	for request := range requests {
		switch request.Type {
		case "env":
			var variable struct{ Name, Value string }
			_ = ssh.Unmarshal(request.Payload, &variable)
			taken := strings.HasPrefix(variable.Name, "LC_")
			if taken {
				environment = append(environment, variable.Name+"="+variable.Value)
			}
			_ = request.Reply(taken, nil)
		case "exec":
			var what struct{ Command string }
			_ = ssh.Unmarshal(request.Payload, &what)
			_ = request.Reply(true, nil)
			command := exec.Command("/bin/sh", "-c", what.Command)
			command.Env = append(command.Environ(), environment...)
			command.Stdin, command.Stdout, command.Stderr = channel, channel, channel.Stderr()
			_ = command.Run()
			status := struct{ Code uint32 }{uint32(command.ProcessState.ExitCode())}
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
			_ = channel.Close()
		default:
			_ = request.Reply(false, nil)
		}
	}
}

// forward lets this machine be a proxy.
func (m *machine) forward(incoming ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	_ = ssh.Unmarshal(incoming.ExtraData(), &to)
	target, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = incoming.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := incoming.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() { _, _ = io.Copy(channel, target); _ = channel.Close() }()
	_, _ = io.Copy(target, channel)
	_ = target.Close()
}
