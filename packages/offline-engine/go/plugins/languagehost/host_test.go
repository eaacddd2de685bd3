package languagehost

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// project makes a folder with the given files, and a `node` on PATH that is the given shell script.
func project(t *testing.T, node string, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	bin := t.TempDir()
	write(t, filepath.Join(bin, "node"), "#!/bin/sh\n"+node)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, content := range files {
		write(t, filepath.Join(root, name), content)
	}
	return root
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

const runner = "node_modules/@pulumi/pulumi/cmd/run/index.js"

func request(directory string) *pulumirpc.RunRequest {
	options, _ := structpb.NewStruct(map[string]any{"typescript": false, "nodeargs": "--no-warnings --trace-uncaught"})
	return &pulumirpc.RunRequest{
		Project: "phoenix", Stack: "dev", Organization: "organization", Pwd: directory, Parallel: 16, DryRun: true,
		MonitorAddress: "127.0.0.1:2", Config: map[string]string{"phoenix:a": "1"}, ConfigSecretKeys: []string{"phoenix:b"},
		Info: &pulumirpc.ProgramInfo{RootDirectory: directory, ProgramDirectory: directory, EntryPoint: "index.ts", Options: options},
	}
}

func TestRunGivesTheRunnerWhatItNeeds(t *testing.T) {
	root := project(t, `for a in "$@"; do echo "$a"; done > seen; env >> seen`, map[string]string{runner: ""})
	below := filepath.Join(root, "a", "b")
	write(t, filepath.Join(below, "index.ts"), "")
	response, err := New(t.Context(), "127.0.0.1:1").Run(t.Context(), request(below))
	if err != nil || response.GetError() != "" || response.GetBail() {
		t.Fatalf("%v, %v", response, err)
	}
	content, err := os.ReadFile(filepath.Join(below, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	seen := strings.Split(string(content), "\n")
	arguments := []string{
		"--no-warnings", "--trace-uncaught", filepath.Join(root, runner),
		"--monitor", "127.0.0.1:2", "--engine", "127.0.0.1:1", "--sync", os.TempDir(),
		"--organization", "organization", "--project", "phoenix", "--stack", "dev", "--pwd", below,
		"--root-directory", below, "--parallel", "16", "--dry-run", "index.ts",
	}
	if !slices.Equal(seen[:len(arguments)], arguments) {
		t.Errorf("arguments are %q", seen[:len(arguments)])
	}
	for _, variable := range []string{
		`PULUMI_CONFIG={"phoenix:a":"1"}`, `PULUMI_CONFIG_SECRET_KEYS=["phoenix:b"]`, "PULUMI_NODEJS_TYPESCRIPT=false",
	} {
		if !slices.Contains(seen, variable) {
			t.Errorf("the environment has no %s", variable)
		}
	}
}

func TestRunTellsReportedErrorsFromOthers(t *testing.T) {
	for script, wanted := range map[string]*pulumirpc.RunResponse{
		"exit 32":    {Bail: true},
		"exit 7":     {Error: "the program exited with code 7"},
		"kill -9 $$": {Error: "the program was ended by a signal: signal: killed"},
	} {
		root := project(t, script, map[string]string{runner: ""})
		got, err := New(t.Context(), "").Run(t.Context(), request(root))
		if err != nil || got.GetBail() != wanted.GetBail() || got.GetError() != wanted.GetError() {
			t.Errorf("%s: %v, %v", script, got, err)
		}
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	root := project(t, "exit 0", nil)
	_, err := New(t.Context(), "").Run(t.Context(), request(root))
	if err == nil || !strings.Contains(err.Error(), "@pulumi/pulumi is not installed") {
		t.Errorf("without SDK: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	_, err = New(t.Context(), "").Run(t.Context(), request(root))
	if err == nil || !strings.Contains(err.Error(), "no `node` on PATH") {
		t.Errorf("without node: %v", err)
	}
}

func TestNoProgramOutlivesItsEngine(t *testing.T) {
	root := project(t, "exec sleep 60", map[string]string{runner: ""})
	for name, end := range map[string]func(*Host, context.CancelFunc){
		"cancel":      func(h *Host, _ context.CancelFunc) { _, _ = h.Cancel(context.Background(), nil) },
		"engine gone": func(_ *Host, stop context.CancelFunc) { stop() },
	} {
		life, stop := context.WithCancel(context.Background())
		defer stop()
		host := New(life, "")
		begun := time.Now()
		time.AfterFunc(100*time.Millisecond, func() { end(host, stop) })
		response, err := host.Run(context.Background(), request(root))
		if err != nil || !strings.Contains(response.GetError(), "signal: killed") || time.Since(begun) > 30*time.Second {
			t.Errorf("%s: %v, %v after %v", name, response, err, time.Since(begun))
		}
	}
}

var installed = map[string]string{
	"package.json": `{"name":"phoenix","dependencies":{"@pulumi/command":"1.2.1","@muhlba91/pulumi-proxmoxve":"8.6.0"}}`,
	"node_modules/@pulumi/pulumi/package.json": `{"name":"@pulumi/pulumi","version":"3.259.0"}`,
	"node_modules/@pulumi/command/package.json": `{"name":"@pulumi/command","version":"1.2.1",
		"pulumi":{"resource":true,"name":"command","version":"1.2.1"}}`,
	"node_modules/@muhlba91/pulumi-proxmoxve/package.json": `{"name":"@muhlba91/pulumi-proxmoxve","version":"8.6.0",
		"pulumi":{"resource":true,"name":"proxmoxve","version":"8.6.0","server":"github://api.github.com/x/y"}}`,
	"node_modules/@pulumi/random/package.json": `{"name":"@pulumi/random","version":"4.0.0","pulumi":{"resource":true}}`,
	"node_modules/plain/package.json":          `{"name":"plain","version":"1.0.0","pulumi":{"resource":false,"name":"plain"}}`,
	"sub/node_modules/@pulumi/command/package.json": `{"name":"@pulumi/command","version":"1.1.0",
		"pulumi":{"resource":true,"name":"command","version":"1.1.0"}}`,
}

func TestRequiredPackagesAreThePluginsOfTheInstalledSDKs(t *testing.T) {
	root := project(t, "", installed)
	for directory, command := range map[string]string{root: "v1.2.1", filepath.Join(root, "sub"): "v1.1.0"} {
		response, err := New(t.Context(), "").GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{
			Info: &pulumirpc.ProgramInfo{ProgramDirectory: directory},
		})
		if err != nil {
			t.Fatal(err)
		}
		found := []string{}
		for _, p := range response.GetPackages() {
			found = append(found, p.GetKind()+" "+p.GetName()+" "+p.GetVersion()+" "+p.GetServer())
		}
		wanted := []string{
			"resource proxmoxve v8.6.0 github://api.github.com/x/y", "resource command " + command + " ", "resource random v4.0.0 ",
		}
		if !slices.Equal(found, wanted) {
			t.Errorf("%s: %q", directory, found)
		}
	}
	write(t, filepath.Join(root, "node_modules/broken/package.json"), "{")
	if _, err := RequiredPackages(root); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a broken package.json is passed over: %v", err)
	}
}

func TestProgramDependencies(t *testing.T) {
	root := project(t, "", installed)
	for all, wanted := range map[bool]int{false: 2, true: 5} {
		response, err := New(t.Context(), "").GetProgramDependencies(t.Context(), &pulumirpc.GetProgramDependenciesRequest{
			Info: &pulumirpc.ProgramInfo{ProgramDirectory: root}, TransitiveDependencies: all,
		})
		if err != nil || len(response.GetDependencies()) != wanted {
			t.Errorf("all %v: %v, %v", all, response, err)
		}
	}
}

func TestAboutAsksNode(t *testing.T) {
	project(t, "echo v24.21.0", nil)
	about, err := New(t.Context(), "").About(t.Context(), nil)
	if err != nil || about.GetVersion() != "v24.21.0" || filepath.Base(about.GetExecutable()) != "node" {
		t.Errorf("%v, %v", about, err)
	}
}

func TestHandshakeTakesTheEngineOfAnAttachedHost(t *testing.T) {
	root := project(t, `echo "$@" > seen`, map[string]string{runner: ""})
	host := New(t.Context(), "")
	if _, err := host.Handshake(t.Context(), &pulumirpc.LanguageHandshakeRequest{EngineAddress: "127.0.0.1:9"}); err != nil {
		t.Fatal(err)
	}
	if _, err := host.Run(t.Context(), request(root)); err != nil {
		t.Fatal(err)
	}
	seen, _ := os.ReadFile(filepath.Join(root, "seen"))
	if !strings.Contains(string(seen), "--engine 127.0.0.1:9 ") {
		t.Errorf("arguments are %s", seen)
	}
}

func TestOptionsDefaultToTypeScript(t *testing.T) {
	if !booleanOption(&pulumirpc.ProgramInfo{}, "typescript", true) || entryPoint(&pulumirpc.ProgramInfo{}) != "." {
		t.Error("an empty project file is read wrongly")
	}
	if text, _ := json.Marshal(nodeArguments(&pulumirpc.ProgramInfo{})); string(text) != "[]" {
		t.Errorf("node gets %s", text)
	}
}
