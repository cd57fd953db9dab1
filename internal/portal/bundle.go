package portal

import (
	"embed"
	"errors"
	"fmt"
	"io"
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
func readBundle(from fs.FS, all map[string]resource) (bundle, error) {
	manifest, err := fs.ReadFile(from, bundleDir+"/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return bundle{}, nil
	}
	if err != nil {
		return bundle{}, err
	}
	names, err := fs.Glob(from, bundleDir+"/*.gz")
	if err != nil {
		return bundle{}, err
	}
	for _, name := range names {
		f, err := bundled(from, name)
		if err != nil {
			return bundle{}, err
		}
		all[assets+strings.TrimSuffix(path.Base(name), ".gz")] = resource{"asset", f.send}
	}
	return entryOf(manifest)
}

// entryOf reads the manifest that Vite writes.
func entryOf(manifest []byte) (bundle, error) {
	var chunks map[string]struct {
		File    string   `json:"file"`
		CSS     []string `json:"css"`
		Imports []string `json:"imports"`
		IsEntry bool     `json:"isEntry"`
	}
	if err := json.Unmarshal(manifest, &chunks); err != nil {
		return bundle{}, fmt.Errorf("manifest: %w", err)
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
		return b, nil
	}
	return bundle{}, errors.New("manifest: it has no entry")
}

var mediaTypes = map[string]string{
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

// bundled is a file of the bundle. It is sent as it is embedded.
func bundled(from fs.FS, name string) (file, error) {
	served := strings.TrimSuffix(path.Base(name), ".gz")
	mediaType, known := mediaTypes[path.Ext(served)]
	if !known {
		return file{}, fmt.Errorf("%s: of what type is it?", name)
	}
	info, err := fs.Stat(from, name)
	if err != nil {
		return file{}, err
	}
	return file{
		mediaType: mediaType,
		policy:    noPolicy,
		caching:   forEver,
		tag:       `"` + served + `"`,
		size:      info.Size(),
		open:      func() (io.ReadCloser, error) { return from.Open(name) },
	}, nil
}
