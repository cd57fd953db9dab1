package sqlite

import (
	"testing"
	"time"

	"kartotek/internal/customer"
)

func TestChangedFieldsAreJSONInTheRecordsOrder(t *testing.T) {
	before := customer.Customer{FirstName: `Ada "A" <å>`, Email: "ada@example.com"}
	after := customer.Customer{
		LastName:    "King\\",
		Address:     customer.Address{POBox: customer.POBox{Given: true}, Editable: true},
		ConfirmedAt: time.Date(2025, 3, 1, 12, 0, 0, 120_000, time.UTC),
	}
	want := `{"firstName":["Ada \"A\" <å>",null],"lastName":[null,"King\\"],"email":["ada@example.com",null],` +
		`"address.poBox":[null,0],"address.editable":[false,true],"confirmedAt":[null,"2025-03-01T12:00:00.000120Z"]}`
	got, err := encodeFields(customer.Diff(before, after))
	if err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestTextThatIsNotUnicodeIsNotRecorded(t *testing.T) {
	if got, err := encodeFields([]customer.FieldChange{{Path: "email", After: "\xff"}}); err == nil {
		t.Errorf("got %s, want an error", got)
	}
}
