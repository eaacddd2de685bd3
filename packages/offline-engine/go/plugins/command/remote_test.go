package command_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const remote = "command:remote:Command"

// Without this a test would log in with the keys of the person who runs it.
func TestMain(m *testing.M) {
	_ = os.Unsetenv("SSH_AUTH_SOCK")
	os.Exit(m.Run())
}

func TestRemoteLife(t *testing.T) {
	m, l := boot(t), begin(t, remote)
	dir := t.TempDir()
	inputs := func(stdin string) values {
		return values{
			"connection": m.connection(nil), "stdin": text(stdin),
			"create": text("cat; echo created >&2"), "delete": text("cat > " + filepath.Join(dir, "gone")),
		}
	}
	must(t, l.create(inputs("one")))
	l.expect("stdout", "one")
	l.expect("stderr", "created")
	_, err := l.update(inputs("two"))
	must(t, err)
	l.expect("stdout", "two")
	must(t, l.delete())
	if content, _ := os.ReadFile(filepath.Join(dir, "gone")); string(content) != "two" {
		t.Errorf("delete got %q on standard input", content)
	}
	for range 100 {
		if m.connections() == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d connections stay open", m.connections())
}

func TestRemoteConnectionIsSecretInTheState(t *testing.T) {
	m, l := boot(t), begin(t, remote)
	must(t, l.create(values{"connection": m.connection(nil), "create": text("true")}))
	if !l.property("connection").Secret() {
		t.Error("the connection lies open in the state")
	}
	if l.property("stdout").Secret() {
		t.Error("the output is secret without reason")
	}
}

func TestRemoteFailureNamesCommandAndOutput(t *testing.T) {
	m, l := boot(t), begin(t, remote)
	err := l.create(values{"connection": m.connection(nil), "create": text("echo why; exit 25")})
	if err == nil || l.id != "" {
		t.Fatal("a command that fails makes a resource")
	}
	if !strings.Contains(err.Error(), "Process exited with status 25: running \"echo why; exit 25\":\nwhy\n") {
		t.Errorf("the error says %q", err)
	}
}

func TestRemoteHostKeyIsChecked(t *testing.T) {
	m, other, l := boot(t), boot(t), begin(t, remote)
	err := l.create(values{"connection": m.connection(values{"hostKey": text(other.hostKey)}), "create": text("true")})
	if err == nil || !strings.Contains(err.Error(), "host key mismatch") {
		t.Errorf("another machine's key is taken: %v", err)
	}
	err = l.create(values{"connection": m.connection(values{"hostKey": text("nonsense")}), "create": text("true")})
	if err == nil || !strings.Contains(err.Error(), "failed to parse host key") {
		t.Errorf("a key that is none is taken: %v", err)
	}
	must(t, l.create(values{"connection": m.connection(values{"hostKey": property.Value{}}), "create": text("true")}))
}

func TestRemoteAgent(t *testing.T) {
	m, l := boot(t), begin(t, remote)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	key, err := ssh.NewPublicKey(public)
	must(t, err)
	m.trust(key)
	ring := agent.NewKeyring()
	must(t, ring.Add(agent.AddedKey{PrivateKey: private}))
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	must(t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, connection) }()
		}
	}()

	keyless := m.connection(values{"password": property.Value{}})
	if l.create(values{"connection": keyless, "create": text("true")}) == nil {
		t.Fatal("the machine lets everybody in")
	}
	t.Setenv("SSH_AUTH_SOCK", socket)
	must(t, l.create(values{"connection": keyless, "create": text("echo in")}))
	l.expect("stdout", "in")

	t.Setenv("SSH_AUTH_SOCK", filepath.Join(t.TempDir(), "dead"))
	if l.create(values{"connection": m.connection(nil), "create": text("true")}) == nil {
		t.Error("a dead agent is passed over, which the official plugin does not")
	}
	named := m.connection(values{"password": property.Value{}, "agentSocketPath": text(socket)})
	must(t, l.create(values{"connection": named, "create": text("true")}))
}

func TestRemotePrivateKey(t *testing.T) {
	m, l := boot(t), begin(t, remote)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	key, err := ssh.NewPublicKey(public)
	must(t, err)
	m.trust(key)
	plain, err := ssh.MarshalPrivateKey(private, "")
	must(t, err)
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("word"))
	must(t, err)
	for _, more := range []values{
		{"privateKey": text(string(pem.EncodeToMemory(plain)))},
		{"privateKey": text(string(pem.EncodeToMemory(locked))), "privateKeyPassword": text("word")},
	} {
		more["password"] = property.Value{}
		must(t, l.create(values{"connection": m.connection(more), "create": text("true")}))
	}
}

func TestRemoteVariables(t *testing.T) {
	m, l := boot(t), begin(t, remote)
	with := func(name string) values {
		return values{
			"connection": m.connection(nil), "create": text("echo $LC_WORD [$PULUMI_COMMAND_STDOUT]"),
			"environment": property.New(values{name: text("hello")}),
		}
	}
	must(t, l.create(with("LC_WORD")))
	l.expect("stdout", "hello []")
	err := l.create(with("OTHER"))
	if err == nil || !strings.Contains(err.Error(), `could not set environment variable "OTHER"`) {
		t.Errorf("a variable that the server refuses is lost silently: %v", err)
	}
	// The outputs of the last run are only offered: the command runs though the server refuses them.
	_, err = l.update(values{"connection": m.connection(nil), "create": text("echo again [$PULUMI_COMMAND_STDOUT]")})
	must(t, err)
	l.expect("stdout", "again []")
}

func TestRemoteDialsAsOftenAsAllowed(t *testing.T) {
	l := begin(t, remote)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	dials := make(chan int, 1)
	go func() {
		count := 0
		for {
			connection, err := listener.Accept()
			if err != nil {
				dials <- count
				return
			}
			count++
			_ = connection.Close()
		}
	}()
	err = l.create(values{"create": text("true"), "connection": property.New(values{
		"host": text("127.0.0.1"), "port": property.New(float64(listener.Addr().(*net.TCPAddr).Port)),
		"password": text("x"), "dialErrorLimit": property.New(2.0), "perDialTimeout": property.New(2.0),
	})})
	_ = listener.Close()
	if err == nil || !strings.Contains(err.Error(), "after 2 failed attempts") {
		t.Errorf("the error says %v", err)
	}
	if count := <-dials; count != 3 {
		t.Errorf("%d attempts, where 2 may fail", count)
	}
}

func TestRemoteThroughAProxy(t *testing.T) {
	m, proxy, l := boot(t), boot(t), begin(t, remote)
	must(t, l.create(values{
		"connection": m.connection(values{"proxy": proxy.connection(nil)}), "create": text("echo through"),
	}))
	l.expect("stdout", "through")
	wrong := proxy.connection(values{"password": text("shut")})
	err := l.create(values{"connection": m.connection(values{"proxy": wrong}), "create": text("true")})
	if err == nil || !strings.Contains(err.Error(), "proxy: ") {
		t.Errorf("the error does not name the proxy: %v", err)
	}
}
