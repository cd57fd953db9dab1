package cli

// maxOpenFiles is 0: Windows has no limit.
func maxOpenFiles() int { return 0 }
