package cli

import (
	"bufio"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestCheckFormatNamesOtherFormats(t *testing.T) {
	t.Parallel()
	utf16LE := "\xff\xfe"
	for _, unit := range utf16.Encode([]rune(`{"number":1}`)) {
		utf16LE += string([]byte{byte(unit), byte(unit >> 8)})
	}
	tests := map[string]struct{ input, want string }{
		"nothing":           {"", ""},
		"NDJSON":            {"{\"number\":1}\n{\"number\":2}\n", ""},
		"with a mark":       {"\xef\xbb\xbf{\"number\":1}\n", ""},
		"Windows line ends": {"{\"number\":1}\r\n{\"number\":2}\r\n", ""},
		"a long line":       {`{"lastName":"` + strings.Repeat("å", 4000) + "\"}\n", ""},
		"one broken line":   {"not json\n{\"number\":1}\n", ""},
		"an array line":     {"[\"number\",3]\n", ""},
		"gzip":              {"\x1f\x8b\x08\x00", "gzip"},
		"UTF-16":            {utf16LE, "UTF-16"},
		"UTF-16, no mark":   {utf16LE[2:], "UTF-16"},
		"Latin-1":           {"{\"lastName\":\"\xc5se\"}\n", "not UTF-8"},
		"old Mac line ends": {"{\"number\":1}\r{\"number\":2}\r", "carriage return"},
		"an array":          {"[{\"number\":1}]", "JSON array"},
		"a pretty array":    {"[\n  {\"number\":1}\n]", "JSON array"},
		"CSV":               {"number,lastName\n1,Berg\n", "CSV"},
		"CSV of Excel":      {"number;lastName\r\n1;Berg\r\n", "CSV"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bufio.NewReaderSize(strings.NewReader(tt.input), 64<<10)
			err := checkFormat(r)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if r.Buffered() != min(len(tt.input), r.Size()) && len(tt.input) > 0 {
				t.Error("the start of the input was consumed")
			}
		})
	}
}
