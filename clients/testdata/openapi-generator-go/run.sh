. "$TESTDATA/openapi-generator.sh"
for contract in native elw lochting; do
	generate $contract go --package-name $contract
done
rm -r */test */go.mod */go.sum
go mod init clients
go get gopkg.in/validator.v2@v2.0.1
go mod tidy
go vet ./...
go run .
