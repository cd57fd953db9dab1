package cli_test

import "testing"

// TestReadmeCommandsGiveTheShownOutput runs the commands of the README against a demo.
func TestReadmeCommandsGiveTheShownOutput(t *testing.T) {
	t.Parallel()
	steps := parseGuide(t, "../../README.md")
	for i, output := range runSteps(t, steps) {
		if missing := steps[i].missing(output); missing != "" {
			t.Errorf("README.md:%d: the output has no line %q in this position:\n%s", steps[i].line, missing, output)
		}
	}
}
