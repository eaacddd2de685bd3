package command_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"phoenix/offline-engine/plugins/command"
)

type values = map[string]property.Value

// life drives one resource through the plugin as the engine does: check, diff, then the call itself.
type life struct {
	t      *testing.T
	engine *engine
	server pulumirpc.ResourceProviderServer
	urn    string
	id     string
	inputs *structpb.Struct
	state  *structpb.Struct
}

// engine takes what the plugin logs.
type engine struct {
	pulumirpc.UnimplementedEngineServer

	mutex sync.Mutex
	lines []string
}

func (e *engine) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.lines = append(e.lines, strings.TrimSpace(req.GetMessage()))
	return &emptypb.Empty{}, nil
}

func (e *engine) logged() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return strings.Join(e.lines, "|")
}

func begin(t *testing.T, token string) *life {
	t.Helper()
	l := &life{t: t, engine: &engine{}, urn: "urn:pulumi:stack::project::" + token + "::it"}
	stop := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterEngineServer(server, l.engine)
			return nil
		},
	})
	must(t, err)
	client, err := host.NewHostClient("127.0.0.1:" + strconv.Itoa(handle.Port))
	must(t, err)
	t.Cleanup(func() { _ = client.Close(); close(stop); <-handle.Done })
	l.server, err = provider.RawServer(command.Package, "1.2.1", command.Provider())(client)
	must(t, err)
	_, err = l.server.Configure(t.Context(), &pulumirpc.ConfigureRequest{AcceptSecrets: true, AcceptResources: true})
	must(t, err)
	return l
}

var keep = plugin.MarshalOptions{KeepSecrets: true, KeepUnknowns: true, KeepResources: true}

func (l *life) check(inputs values) *structpb.Struct {
	l.t.Helper()
	news, err := plugin.MarshalProperties(resource.ToResourcePropertyMap(property.NewMap(inputs)), keep)
	must(l.t, err)
	checked, err := l.server.Check(l.t.Context(), &pulumirpc.CheckRequest{Urn: l.urn, Olds: l.inputs, News: news})
	must(l.t, err)
	if len(checked.GetFailures()) > 0 {
		l.t.Fatalf("inputs refused: %v", checked.GetFailures())
	}
	return checked.GetInputs()
}

func (l *life) create(inputs values) error {
	l.t.Helper()
	checked := l.check(inputs)
	created, err := l.server.Create(l.t.Context(), &pulumirpc.CreateRequest{Urn: l.urn, Properties: checked})
	if err == nil {
		l.id, l.inputs, l.state = created.GetId(), checked, created.GetProperties()
	}
	return err
}

// update changes the resource as the engine would and says whether that is a replacement.
func (l *life) update(inputs values) (replaced bool, err error) {
	l.t.Helper()
	checked := l.check(inputs)
	diff, err := l.server.Diff(l.t.Context(), &pulumirpc.DiffRequest{
		Id: l.id, Urn: l.urn, Olds: l.state, News: checked, OldInputs: l.inputs,
	})
	must(l.t, err)
	// The plugin only names what changed; that a trigger replaces is in the npm SDK: replaceOnChanges ["triggers[*]"].
	for path := range diff.GetDetailedDiff() {
		if strings.HasPrefix(path, "triggers[") {
			return true, nil
		}
	}
	if len(diff.GetReplaces()) > 0 {
		return true, nil
	}
	if diff.GetChanges() != pulumirpc.DiffResponse_DIFF_SOME {
		return false, nil
	}
	updated, err := l.server.Update(l.t.Context(), &pulumirpc.UpdateRequest{
		Id: l.id, Urn: l.urn, Olds: l.state, News: checked, OldInputs: l.inputs,
	})
	if err == nil {
		l.inputs, l.state = checked, updated.GetProperties()
	}
	return false, err
}

func (l *life) delete() error {
	_, err := l.server.Delete(l.t.Context(), &pulumirpc.DeleteRequest{
		Id: l.id, Urn: l.urn, Properties: l.state, OldInputs: l.inputs,
	})
	return err
}

func (l *life) property(name string) property.Value {
	l.t.Helper()
	all, err := plugin.UnmarshalProperties(l.state, keep)
	must(l.t, err)
	return resource.FromResourcePropertyMap(all).Get(name)
}

func (l *life) output(name string) string {
	l.t.Helper()
	value := l.property(name)
	if !value.IsString() {
		l.t.Fatalf("%s is %v, not a text", name, value)
	}
	return value.AsString()
}

func (l *life) expect(name, wanted string) {
	l.t.Helper()
	if got := l.output(name); got != wanted {
		l.t.Errorf("%s is %q, not %q", name, got, wanted)
	}
}

func text(s string) property.Value { return property.New(s) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
