// Kartotek is a customer-record server: one record of each customer, served and
// safely changed through every API contract that its consumers speak.
package main

import (
	"os"

	"kartotek/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
