package local

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobwas/glob"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// collect fills assets and archive from the globs in the inputs.
func (c *CommandOutputs) collect(directory string) error {
	if c.AssetPaths != nil {
		files, err := matching(directory, *c.AssetPaths)
		if err != nil {
			return err
		}
		assets := map[string]*types.AssetOrArchive{}
		for path, asset := range files {
			assets[path] = &types.AssetOrArchive{Asset: asset}
		}
		c.Assets = &assets
	}
	if c.ArchivePaths != nil {
		files, err := matching(directory, *c.ArchivePaths)
		if err != nil {
			return err
		}
		content := map[string]any{}
		for path, asset := range files {
			content[path] = asset
		}
		if c.Archive, err = resource.NewAssetArchive(content); err != nil {
			return err
		}
	}
	return nil
}

type rule struct {
	pattern glob.Glob
	exclude bool
}

// matching returns the files below directory for which the last rule that matches is not an exclusion.
func matching(directory string, globs []string) (map[string]*resource.Asset, error) {
	rules := make([]rule, 0, len(globs))
	for _, text := range globs {
		text, exclude := strings.CutPrefix(text, "!")
		pattern, err := glob.Compile(text, '/')
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule{pattern, exclude})
	}
	files := map[string]*resource.Asset{}
	err := fs.WalkDir(os.DirFS(directory), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		wanted := false
		for _, r := range rules {
			if r.pattern.Match(path) {
				wanted = !r.exclude
			}
		}
		if !wanted {
			return nil
		}
		files[path], err = resource.NewPathAsset(filepath.Join(directory, path))
		return err
	})
	return files, err
}
