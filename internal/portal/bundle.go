package portal

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
)

// dist has the files that "make ui" builds, if it has run.
//
//go:embed all:dist
var dist embed.FS

const (
	assets    = home + "/assets/"
	bundleDir = "dist/reference"
)

// bundle lists the script of the references and its files, by the paths that serve them.
type bundle struct {
	Script  string // empty if it was not built
	Styles  []string
	Imports []string // modules that the script imports
}

// readBundle adds the files of the bundle to the resources. They are compressed, and
// their names change with their content.
func readBundle(from fs.FS, all map[string]resource) bundle {
	manifest, err := fs.ReadFile(from, bundleDir+"/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return bundle{}
	}
	for _, name := range must(fs.Glob(from, bundleDir+"/*.gz")) {
		served := strings.TrimSuffix(path.Base(name), ".gz")
		mediaType, known := mediaTypes[path.Ext(served)]
		if !known {
			panic(name + ": unknown file type")
		}
		all[assets+served] = loaded("asset", func() file {
			return file{mediaType, filePolicy, "public, max-age=31536000, immutable", served, must(fs.ReadFile(from, name))}
		})
	}
	return parseManifest(must(manifest, err))
}

var mediaTypes = map[string]string{
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

// parseManifest parses the manifest that Vite writes.
func parseManifest(manifest []byte) bundle {
	var chunks map[string]struct {
		File    string   `json:"file"`
		CSS     []string `json:"css"`
		Imports []string `json:"imports"`
		IsEntry bool     `json:"isEntry"`
	}
	if err := json.Unmarshal(manifest, &chunks); err != nil {
		panic(fmt.Errorf("manifest: %w", err))
	}
	for _, chunk := range chunks {
		if !chunk.IsEntry {
			continue
		}
		b := bundle{Script: assets + chunk.File}
		for _, style := range chunk.CSS {
			b.Styles = append(b.Styles, assets+style)
		}
		for _, name := range chunk.Imports {
			b.Imports = append(b.Imports, assets+chunks[name].File)
		}
		return b
	}
	panic("manifest: no entry")
}
