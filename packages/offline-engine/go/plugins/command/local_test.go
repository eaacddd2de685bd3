package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const local = "command:local:Command"

func TestCreateGivesBothStreamsWithoutTheLastLineBreak(t *testing.T) {
	l := begin(t, local)
	must(t, l.create(values{"create": text("printf 'a\\n\\n'; echo b >&2")}))
	l.expect("stdout", "a\n")
	l.expect("stderr", "b")
	if !strings.HasPrefix(l.id, "it") || len(l.id) != len("it")+8 {
		t.Errorf("id is %q, not the name and 8 hex digits", l.id)
	}
}

func TestPreviewRunsNothing(t *testing.T) {
	l := begin(t, local)
	file := filepath.Join(t.TempDir(), "ran")
	inputs := l.check(values{"create": text("touch " + file)})
	_, err := l.server.Create(t.Context(), &pulumirpc.CreateRequest{Urn: l.urn, Properties: inputs, Preview: true})
	must(t, err)
	if _, err := os.Stat(file); err == nil {
		t.Error("the command ran in a preview")
	}
}

func TestFailureNamesCommandAndOutput(t *testing.T) {
	l := begin(t, local)
	err := l.create(values{"create": text("echo out; echo err >&2; exit 3")})
	if err == nil || l.id != "" {
		t.Fatal("a command that fails makes a resource")
	}
	const wanted = "exit status 3: running \"echo out; echo err >&2; exit 3\":\n"
	if !strings.Contains(err.Error(), wanted) || !strings.Contains(err.Error(), "out\n") ||
		!strings.Contains(err.Error(), "err\n") {
		t.Errorf("the error says %q", err)
	}
}

func TestUpdateRunsCreateIfThereIsNoUpdate(t *testing.T) {
	l := begin(t, local)
	must(t, l.create(values{"create": text("echo one"), "environment": property.New(values{"X": text("1")})}))
	_, err := l.update(values{"create": text("echo two")})
	must(t, err)
	l.expect("stdout", "two")
	_, err = l.update(values{"create": text("echo two"), "update": text("echo three")})
	must(t, err)
	l.expect("stdout", "three")
	_, err = l.update(values{"delete": text("true")})
	must(t, err)
	l.expect("stdout", "three")
}

func TestTriggersReplaceAndStdinUpdates(t *testing.T) {
	l := begin(t, local)
	triggers := func(v string) property.Value { return property.New([]property.Value{text(v)}) }
	must(t, l.create(values{"create": text("cat"), "stdin": text("a"), "triggers": triggers("1")}))
	l.expect("stdout", "a")
	replaced, err := l.update(values{"create": text("cat"), "stdin": text("b"), "triggers": triggers("1")})
	must(t, err)
	if replaced {
		t.Error("another stdin replaces")
	}
	l.expect("stdout", "b")
	if replaced, _ = l.update(values{"create": text("cat"), "stdin": text("b"), "triggers": triggers("2")}); !replaced {
		t.Error("another trigger does not replace")
	}
	if replaced, err = l.update(values{"create": text("cat"), "stdin": text("b"), "triggers": triggers("1")}); replaced || err != nil {
		t.Error("no change is a change")
	}
}

func TestPreviousOutputIsInTheEnvironmentUnlessForbidden(t *testing.T) {
	l := begin(t, local)
	show := text(`echo "[$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR]"`)
	must(t, l.create(values{"create": text("echo o; echo e >&2"), "update": show}))
	_, err := l.update(values{"create": text("echo changed"), "update": show})
	must(t, err)
	l.expect("stdout", "[o|e]")
	_, err = l.update(values{"update": show, "addPreviousOutputInEnv": property.New(false)})
	must(t, err)
	l.expect("stdout", "[|]")
}

func TestDeleteRunsTheCommandOfTheState(t *testing.T) {
	l := begin(t, local)
	file := filepath.Join(t.TempDir(), "gone")
	must(t, l.create(values{"create": text("true"), "delete": text("cat > " + file), "stdin": text("bye")}))
	must(t, l.delete())
	if content, _ := os.ReadFile(file); string(content) != "bye" {
		t.Errorf("delete got %q on standard input", content)
	}
	must(t, l.create(values{"create": text("true"), "delete": text("exit 1")}))
	if l.delete() == nil {
		t.Error("a failing delete counts as done")
	}
}

func TestInterpreterDirectoryAndEnvironment(t *testing.T) {
	l := begin(t, local)
	dir := t.TempDir()
	must(t, l.create(values{
		"create": text("pwd; echo $GREETING $0"), "dir": text(dir),
		"interpreter": property.New([]property.Value{text("/bin/sh"), text("-c")}),
		"environment": property.New(values{"GREETING": text("hi")}),
	}))
	l.expect("stdout", dir+"\nhi /bin/sh")
	if l.create(values{"create": text("true"), "dir": text(filepath.Join(dir, "absent"))}) == nil {
		t.Error("a directory that is not there is taken")
	}
}

func TestAssetsAreWhatTheLastMatchingGlobSays(t *testing.T) {
	l := begin(t, local)
	dir := t.TempDir()
	globs := func(all ...string) property.Value {
		array := []property.Value{}
		for _, one := range all {
			array = append(array, text(one))
		}
		return property.New(array)
	}
	must(t, l.create(values{
		"create":     text("mkdir sub; touch a.txt b.log sub/c.txt sub/secret.txt"),
		"dir":        text(dir),
		"assetPaths": globs("**.txt", "!**secret*"), "archivePaths": globs("*.log"),
	}))
	assets := l.property("assets").AsMap()
	if assets.Len() != 2 || !assets.Get("a.txt").IsAsset() || !assets.Get("sub/c.txt").IsAsset() {
		t.Errorf("assets are %v", assets)
	}
	archive := l.property("archive")
	if !archive.IsArchive() || len(archive.AsArchive().Assets) != 1 {
		t.Errorf("the archive is %v", archive)
	}
}

func TestLoggingChoosesWhatIsShownNotWhatIsCaptured(t *testing.T) {
	for logging, wanted := range map[string]string{"stdout": "o", "stderr": "e", "stdoutAndStderr": "o|e", "none": ""} {
		l := begin(t, local)
		must(t, l.create(values{"create": text("echo o; sleep 0.1; echo e >&2"), "logging": text(logging)}))
		l.expect("stdout", "o")
		l.expect("stderr", "e")
		if logged := l.engine.logged(); logged != wanted {
			t.Errorf("%s logs %q, not %q", logging, logged, wanted)
		}
	}
}
