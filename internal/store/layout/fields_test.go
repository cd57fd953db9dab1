package layout

import (
	"slices"
	"testing"
	"time"

	"kartotek/internal/customer"
)

func TestChangedFieldsAreJSONInTheRecordsOrder(t *testing.T) {
	before := customer.Customer{FirstName: `Ada "A" <å>`, Email: "ada@example.com"}
	after := customer.Customer{
		LastName:    "King\\",
		Address:     customer.Address{POBox: customer.POBox{Valid: true}, Editable: true},
		ConfirmedAt: time.Date(2025, 3, 1, 12, 0, 0, 120_000, time.UTC),
	}
	want := `{"firstName":["Ada \"A\" <å>",null],"lastName":[null,"King\\"],"email":["ada@example.com",null],` +
		`"address.poBox":[null,0],"address.editable":[false,true],"confirmedAt":[null,"2025-03-01T12:00:00.000120Z"]}`
	diff := customer.Diff(before, after)
	got, err := EncodeFields(diff)
	if err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	if back, err := DecodeFields(want); err != nil || !slices.Equal(back, diff) {
		t.Errorf("read back: got %+v (%v), want %+v", back, err, diff)
	}
}

func TestFieldsThatNobodyWroteAreNotRead(t *testing.T) {
	for _, text := range []string{
		``, `null`, `"email"`, `[]`, `["email",null]`, `{`, `{"email"}`, `{"email":null}`, `{"email":{"a":"b"}}`,
		`{"email":[]}`, `{"email":[null]}`, `{"email":["a","b"`, `{"email":["a","b","c"]}`, `{"email":["a",["b"]]}`,
		`{"email":["a",{}]}`, `{"email":["a","b"],"email":["b","c"]}`, `{"address.poBox":[null,1.5]}`,
		`{"address.poBox":[null,9223372036854775808]}`, `{"confirmedAt":[null,"yesterday"]}`, "{\"email\":[null,\"\xff\"]}",
	} {
		if got, err := DecodeFields(text); err == nil {
			t.Errorf("%s: got %+v, want an error", text, got)
		}
	}
}

func TestTextThatIsNotUnicodeIsNotRecorded(t *testing.T) {
	if got, err := EncodeFields([]customer.FieldChange{{Path: "email", After: "\xff"}}); err == nil {
		t.Errorf("got %s, want an error", got)
	}
}
