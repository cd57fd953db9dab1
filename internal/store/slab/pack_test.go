package slab

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

func TestPackedRecordsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Record{Row: rapid.Int64().Draw(t, "row"), Change: rapid.Int64().Draw(t, "change")}
		for _, col := range layout.Columns {
			switch p := col.Field(&want.Customer).(type) {
			case *string:
				*p = rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-fA-F]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), rapid.StringMatching(`.{36}`)).Draw(t, col.Name)
			case *bool:
				*p = rapid.Bool().Draw(t, col.Name)
			case *int32:
				*p = rapid.Int32().Draw(t, col.Name)
			case *int64:
				*p = rapid.Int64().Draw(t, col.Name)
			case *customer.POBox:
				*p = customer.POBox{Valid: rapid.Bool().Draw(t, col.Name), Number: rapid.Int32().Draw(t, "number")}
			case *time.Time:
				*p = layout.Instant(rapid.Int64Range(-62135596800000000, 253402300799999999).Draw(t, col.Name)) // years 1 to 9999
			}
		}
		if got := unpack(appendRecord(nil, want)); got != want {
			t.Errorf("got %#v, want %#v", got, want)
		}
	})
	if got := unpack(appendRecord(nil, Record{})); got != (Record{}) {
		t.Errorf("nothing at all: got %#v", got)
	}
}
