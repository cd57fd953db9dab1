package portal

import (
	"io/fs"

	"kartotek/internal/web"
)

// MountsFrom is Mounts in a program that has another bundle.
func MountsFrom(s Settings, bundle fs.FS) []web.Mount { return s.mounts(bundle) }
