package cli_test

import "testing"

// TestReadmeCommandsGiveTheShownOutput runs the commands of the README against a demo.
func TestReadmeCommandsGiveTheShownOutput(t *testing.T) {
	t.Parallel()
	runGuide(t, startDemo(t), "../../README.md", func(output string) string { return output })
}
