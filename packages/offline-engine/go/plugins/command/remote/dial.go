package remote

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Pause between two attempts: it grows by half each time, up to the longest.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// dial connects, through the proxy if there is one.
func (c *Connection) dial(ctx context.Context) (*ssh.Client, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	if c.Proxy == nil {
		return attempts(ctx, "Dial", c.limit(), func() (*ssh.Client, error) {
			return ssh.Dial("tcp", c.address(), config)
		})
	}

	proxyConfig, err := c.Proxy.config()
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	proxy, err := attempts(ctx, "Dial proxy", c.Proxy.limit(), func() (*ssh.Client, error) {
		return ssh.Dial("tcp", c.Proxy.address(), proxyConfig)
	})
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	client, err := attempts(ctx, "Dial from proxy", c.limit(), func() (*ssh.Client, error) {
		tunnel, err := proxy.Dial("tcp", c.address())
		if err != nil {
			return nil, err
		}
		connection, channels, requests, err := ssh.NewClientConn(tunnel, c.address(), config)
		if err != nil {
			return nil, err
		}
		return ssh.NewClient(connection, channels, requests), nil
	})
	if err != nil {
		_ = proxy.Close()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	go func() {
		_ = client.Wait()
		_ = proxy.Close()
	}()
	return client, nil
}

func (e *endpoint) address() string {
	port := float64(defaultPort)
	if e.Port != nil {
		port = *e.Port
	}
	return net.JoinHostPort(*e.Host, strconv.Itoa(int(port)))
}

func (e *endpoint) limit() int {
	if e.DialErrorLimit == nil {
		return defaultAttempts
	}
	return *e.DialErrorLimit
}

// config lists the ways to log in, in this order: private key, password, agent. A key that cannot be read and
// an agent that does not answer are errors even if another way would do, as in the official plugin.
func (e *endpoint) config() (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{User: "root", Timeout: defaultTimeout * time.Second}
	if e.User != nil {
		config.User = *e.User
	}
	if e.PerDialTimeout != nil {
		config.Timeout = time.Duration(*e.PerDialTimeout) * time.Second
	}

	if e.HostKey == nil {
		config.HostKeyCallback = ssh.InsecureIgnoreHostKey()
	} else {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
		if err != nil {
			return nil, fmt.Errorf("failed to parse host key: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		config.HostKeyAlgorithms = []string{key.Type()}
	}

	if e.PrivateKey != nil {
		signer, err := e.signer()
		if err != nil {
			return nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*e.Password), ssh.KeyboardInteractive(e.answer))
	}

	socket := os.Getenv("SSH_AUTH_SOCK")
	if e.AgentSocketPath != nil {
		socket = *e.AgentSocketPath
	}
	if socket != "" || e.AgentSocketPath != nil {
		connection, err := net.Dial("unix", socket)
		if err != nil {
			return nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(connection).Signers))
	}
	return config, nil
}

func (e *endpoint) signer() (ssh.Signer, error) {
	if e.PrivateKeyPassword != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(*e.PrivateKey), []byte(*e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(*e.PrivateKey))
}

// answer gives the password to every question of a server that asks instead of taking one.
func (e *endpoint) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = *e.Password
	}
	return answers, nil
}

// attempts tries until it works, the limit of failures is passed, or ctx ends.
func attempts[T any](ctx context.Context, what string, limit int, try func() (T, error)) (T, error) {
	var none T
	pause := firstPause
	for failures := 1; ; failures++ {
		result, err := try()
		if err == nil {
			return result, nil
		}
		if limit > unlimited && failures > limit {
			return none, fmt.Errorf("after %d failed attempts: %w", failures-1, err)
		}
		shown := "inf"
		if limit != unlimited {
			shown = strconv.Itoa(limit)
		}
		provider.GetLogger(ctx).InfoStatusf("%s %d/%s failed: retrying", what, failures, shown)
		select {
		case <-ctx.Done():
			return none, ctx.Err()
		case <-time.After(pause):
		}
		pause = min(pause*3/2, longestPause)
	}
}
