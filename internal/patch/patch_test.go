package patch_test

import (
	"encoding/json"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"kartotek/internal/patch"
)

// decoders are the two JSON packages that contracts may use.
var decoders = map[string]func([]byte, any) error{
	"encoding/json":      json.Unmarshal,
	"go-json-experiment": func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
}

func TestUnmarshalDistinguishesAbsentNullAndValue(t *testing.T) {
	t.Parallel()
	type body struct {
		Text patch.Field[string] `json:"text"`
	}
	tests := map[string]struct {
		in           string
		absent, null bool
		value, into  string // into is the result of Into on "old"
	}{
		"no field":           {`{}`, true, false, "", "old"},
		"another field":      {`{"other":"x"}`, true, false, "", "old"},
		"null":               {`{"text":null}`, false, true, "", ""},
		"null with spaces":   {"{\"text\": \n null }", false, true, "", ""},
		"text":               {`{"text":"new"}`, false, false, "new", "new"},
		"empty text":         {`{"text":""}`, false, false, "", ""},
		"the text null":      {`{"text":"null"}`, false, false, "null", "null"},
		"escapes":            {`{"text":"\u00e9\n"}`, false, false, "é\n", "é\n"},
		"text outside ASCII": {`{"text":"字"}`, false, false, "字", "字"},
	}
	for decoder, unmarshal := range decoders {
		for name, tt := range tests {
			t.Run(decoder+"/"+name, func(t *testing.T) {
				t.Parallel()
				var got body
				if err := unmarshal([]byte(tt.in), &got); err != nil {
					t.Fatalf("%s: %v", tt.in, err)
				}
				wantField(t, tt.in, got.Text, tt.absent, tt.null, tt.value)
				into := "old"
				if got.Text.Into(&into); into != tt.into {
					t.Errorf("%s into \"old\": got %q, want %q", tt.in, into, tt.into)
				}
			})
		}
	}
}

func wantField[T comparable](t *testing.T, input string, f patch.Field[T], absent, null bool, value T) {
	t.Helper()
	if f.Absent() != absent || f.Null() != null || f.Value() != value {
		t.Errorf("%s: got absent %v, null %v, value %v, want %v, %v, %v",
			input, f.Absent(), f.Null(), f.Value(), absent, null, value)
	}
}

func TestUnmarshalOtherTypes(t *testing.T) {
	t.Parallel()
	type point struct{ X, Y int }
	type body struct {
		Flag  patch.Field[bool]      `json:"flag"`
		Count patch.Field[int32]     `json:"count"`
		Time  patch.Field[time.Time] `json:"time"`
		Point patch.Field[point]     `json:"point"`
	}
	for name, unmarshal := range decoders {
		var got body
		in := `{"flag":false,"count":0,"time":"2026-03-01T12:00:00Z","point":{"X":1}}`
		if err := unmarshal([]byte(in), &got); err != nil {
			t.Fatalf("%s: %s: %v", name, in, err)
		}
		wantField(t, in, got.Flag, false, false, false)
		wantField(t, in, got.Count, false, false, 0)
		wantField(t, in, got.Time, false, false, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		wantField(t, in, got.Point, false, false, point{X: 1})
	}
}

func TestUnmarshalWrongTypeLeavesFieldAbsent(t *testing.T) {
	t.Parallel()
	for name, unmarshal := range decoders {
		for _, in := range []string{`{"count":"1"}`, `{"count":1.5}`, `{"count":2147483648}`, `{"count":true}`, `{"count":[]}`, `{"count":{}}`} {
			var got struct {
				Count patch.Field[int32] `json:"count"`
			}
			if err := unmarshal([]byte(in), &got); err == nil {
				t.Errorf("%s: %s: got no error", name, in)
			}
			wantField(t, in, got.Count, true, false, 0)
		}
	}
}

func TestUnmarshalReplacesEarlierValue(t *testing.T) {
	t.Parallel()
	type point struct{ X, Y int }
	var f patch.Field[point]
	for _, step := range []struct {
		in   string
		null bool
		want point
	}{
		{`{"X":1,"Y":2}`, false, point{1, 2}},
		{`{"X":3}`, false, point{X: 3}},
		{`null`, true, point{}},
		{`{"Y":4}`, false, point{Y: 4}},
	} {
		if err := f.UnmarshalJSON([]byte(step.in)); err != nil {
			t.Fatalf("%s: %v", step.in, err)
		}
		wantField(t, step.in, f, false, step.null, step.want)
	}
}

func TestMarshalWritesValueOrNull(t *testing.T) {
	t.Parallel()
	in := struct {
		Absent, Null, Empty, Text patch.Field[string]
		Count                     patch.Field[int32]
	}{Null: patch.Clear[string](), Empty: patch.Set(""), Text: patch.Set("é"), Count: patch.Set[int32](7)}
	want := `{"Absent":null,"Null":null,"Empty":"","Text":"é","Count":7}`
	for name, marshal := range map[string]func(any) ([]byte, error){
		"encoding/json":      json.Marshal,
		"go-json-experiment": func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
	} {
		if got, err := marshal(in); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
}

func TestSetAndClear(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		field        patch.Field[int]
		absent, null bool
		value, into  int // into is the result of Into on 9
	}{
		"zero":     {patch.Field[int]{}, true, false, 0, 9},
		"clear":    {patch.Clear[int](), false, true, 0, 0},
		"set":      {patch.Set(5), false, false, 5, 5},
		"set to 0": {patch.Set(0), false, false, 0, 0},
	}
	for name, tt := range tests {
		wantField(t, name, tt.field, tt.absent, tt.null, tt.value)
		into := 9
		if tt.field.Into(&into); into != tt.into {
			t.Errorf("%s into 9: got %d, want %d", name, into, tt.into)
		}
	}
}
