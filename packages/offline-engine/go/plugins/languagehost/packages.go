package languagehost

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// manifest is the part of an npm package's package.json that matters here.
type manifest struct {
	Name            string            `json:"name"`
	Version         string            `json:"version"`
	Dependencies    map[string]string `json:"dependencies"`
	DevDependencies map[string]string `json:"devDependencies"`
	// Pulumi is the block by which an SDK names its plugin.
	Pulumi *struct {
		Resource bool   `json:"resource"`
		Name     string `json:"name"`
		Version  string `json:"version"`
		Server   string `json:"server"`
	} `json:"pulumi"`
}

// RequiredPackages lists the resource plugins of the SDKs that a program in directory can import, by name.
// An SDK in a nearer node_modules hides one of the same name further up, as it does for Node.js.
func RequiredPackages(directory string) ([]*pulumirpc.PackageDependency, error) {
	installed, err := installedPackages(directory)
	if err != nil {
		return nil, err
	}
	packages := []*pulumirpc.PackageDependency{}
	for _, m := range installed {
		if m.Pulumi == nil || !m.Pulumi.Resource {
			continue
		}
		version := cmp.Or(m.Pulumi.Version, m.Version)
		packages = append(packages, &pulumirpc.PackageDependency{
			Kind:    "resource",
			Name:    cmp.Or(m.Pulumi.Name, strings.TrimPrefix(m.Name, "@pulumi/")),
			Version: "v" + strings.TrimPrefix(version, "v"),
			Server:  m.Pulumi.Server,
		})
	}
	return packages, nil
}

func dependencies(directory string, all bool) ([]*pulumirpc.DependencyInfo, error) {
	installed, err := installedPackages(directory)
	if err != nil {
		return nil, err
	}
	root, ok := ancestorWith(directory, "package.json")
	if !ok {
		return nil, fmt.Errorf("no package.json in %s or above", directory)
	}
	program, err := readManifest(filepath.Join(root, "package.json"))
	if err != nil {
		return nil, err
	}
	found := []*pulumirpc.DependencyInfo{}
	for _, m := range installed {
		_, direct := program.Dependencies[m.Name]
		_, development := program.DevDependencies[m.Name]
		if all || direct || development {
			found = append(found, &pulumirpc.DependencyInfo{Name: m.Name, Version: m.Version})
		}
	}
	return found, nil
}

// installedPackages reads the packages directly in the node_modules folders of directory and its ancestors.
func installedPackages(directory string) ([]manifest, error) {
	nearest := map[string]manifest{}
	for at := directory; ; at = filepath.Dir(at) {
		for _, pattern := range []string{"*", filepath.Join("@*", "*")} {
			files, err := filepath.Glob(filepath.Join(at, "node_modules", pattern, "package.json"))
			if err != nil {
				return nil, err
			}
			for _, file := range files {
				m, err := readManifest(file)
				if err != nil {
					return nil, err
				}
				if _, hidden := nearest[m.Name]; m.Name != "" && !hidden {
					nearest[m.Name] = m
				}
			}
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	sorted := make([]manifest, 0, len(nearest))
	for _, m := range nearest {
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(a, b manifest) int { return cmp.Compare(a.Name, b.Name) })
	return sorted, nil
}

func readManifest(file string) (manifest, error) {
	var m manifest
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil // a link to nowhere, as an interrupted npm leaves behind
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// ancestorWith finds the nearest folder, from directory upwards, that holds the given file.
func ancestorWith(directory, file string) (string, bool) {
	for at := directory; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, file)); err == nil {
			return at, true
		}
		if at == filepath.Dir(at) {
			return "", false
		}
	}
}
