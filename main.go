// Kartotek is a customer-record server: it keeps one record per customer and serves it through
// several API contracts.
package main

import (
	"os"

	"kartotek/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
