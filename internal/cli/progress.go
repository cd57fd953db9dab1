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
	out              io.Writer
	terminal         bool
	size             int64 // bytes; 0 when nobody knows
	drawn            string
	indexingReported bool // that the store indexes
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

// showIndexing shows which part of a store's index is made. Where nothing is drawn, it
// says so once.
func (p *progress) showIndexing(part float64) {
	if !p.terminal && !p.indexingReported {
		p.indexingReported = true
		fmt.Fprintln(p.out, "kartotek: building search index")
	}
	p.showStep("indexing", part)
}

// showStep shows which part of a step is done.
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

// reportLine reports a line of the import above the bar.
func (p *progress) reportLine(line int, reason string) {
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
