package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// progress is a bar on the last line of a terminal, below what is reported. It
// draws nothing elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	size     int64 // bytes; 0 when nobody knows
	drawn    string
}

func newProgress(out io.Writer, size int64) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), size: size}
}

const barWidth = 40

func (p *progress) show(done int64) {
	if !p.terminal {
		return
	}
	text := fmt.Sprintf("%d MB", done>>20)
	if p.size > 0 {
		filled := int(min(done, p.size) * barWidth / p.size)
		text = fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), done*100/p.size)
	}
	if text != p.drawn {
		fmt.Fprint(p.out, "\r"+text)
		p.drawn = text
	}
}

// above reports a line of the import above the bar.
func (p *progress) above(line int, reason string) {
	drawn := p.drawn
	p.clear()
	fmt.Fprintf(p.out, "line %d: %s\n", line, reason)
	if drawn != "" {
		fmt.Fprint(p.out, drawn)
		p.drawn = drawn
	}
}

func (p *progress) clear() {
	if p.drawn != "" {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = ""
	}
}
