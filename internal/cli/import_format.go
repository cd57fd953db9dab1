package cli

import (
	"bufio"
	"bytes"
	"errors"
	"unicode/utf8"
)

// checkFormat returns an error that says what to do when the start of the input looks like another
// format than NDJSON in UTF-8. It consumes nothing.
func checkFormat(r *bufio.Reader) error {
	start, _ := r.Peek(4096) // an error comes again when the input is read
	line, _, _ := bytes.Cut(start, []byte("\n"))
	text := bytes.TrimSpace(line)
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return errors.New("the input looks like gzip: decompress it, such as with gunzip -c FILE | kartotek customer import -")
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}), bytes.IndexByte(start, 0) >= 0:
		return errors.New("the input looks like UTF-16: convert it, such as with iconv -f UTF-16 -t UTF-8")
	case len(start) < 4096 && !utf8.Valid(start), !utf8.Valid(line) && len(line) < len(start):
		return errors.New("the input is not UTF-8: if it is Latin-1, convert it with iconv -f ISO-8859-1 -t UTF-8")
	case bytes.ContainsRune(text, '\r'):
		return errors.New("the lines end with a carriage return alone: convert them, such as with tr '\\r' '\\n'")
	case bytes.Equal(text, []byte("[")), bytes.HasPrefix(text, []byte("[{")):
		return errors.New("the input looks like a JSON array: write one object per line, such as with jq -c '.[]'")
	case len(text) > 0 && text[0] != '{' && text[0] != '[' && bytes.ContainsAny(text, ",;\t"):
		return errors.New("the input looks like CSV: convert it to one JSON object per line, with the field names of \"kartotek customer get\"")
	}
	return nil
}
