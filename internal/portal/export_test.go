package portal

import (
	"io/fs"

	"kartotek/internal/web"
)

// MountsFrom is Mounts with another bundle.
func MountsFrom(s Settings, bundle fs.FS) []web.Mount { return s.mounts(bundle) }
