package web_test

import (
	"net/http"
	"testing"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	for _, kind := range fault.Kinds() {
		status := web.Status(kind)
		if status < 400 || (status == http.StatusInternalServerError) != (kind == fault.Internal) {
			t.Errorf("%s: got %d, want its own error status; only internal has 500", kind, status)
		}
	}
	if got := web.Status("unlisted"); got != http.StatusInternalServerError {
		t.Errorf("an unlisted kind: got %d, want 500", got)
	}
}
