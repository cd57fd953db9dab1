package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// progress draws a bar on the last line of a terminal. It draws nothing when the output is
// not a terminal.
type progress struct {
	out      io.Writer
	terminal bool
	size     int64 // bytes; 0 if unknown
	drawn    string
}

func newProgress(out io.Writer, size int64) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), size: size}
}

const barWidth = 40

func (p *progress) show(done int64) {
	if p.size == 0 {
		p.draw(fmt.Sprintf("%d MB", done>>20))
		return
	}
	p.draw(bar(float64(done) / float64(p.size)))
}

func (p *progress) showStep(name string, part float64) { p.draw(name + " " + bar(part)) }

func bar(part float64) string {
	part = min(part, 1)
	filled := int(part * barWidth)
	return fmt.Sprintf("[%s%s] %3.f%%", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), part*100)
}

func (p *progress) draw(text string) {
	if p.terminal && text != p.drawn {
		fmt.Fprint(p.out, "\r"+text)
		p.drawn = text
	}
}

// reportLine writes why a line of the import was rejected. The next show draws the bar below.
func (p *progress) reportLine(line int, reason string) {
	p.clear()
	fmt.Fprintf(p.out, "line %d: %s\n", line, reason)
}

func (p *progress) clear() {
	if p.drawn != "" {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = ""
	}
}
