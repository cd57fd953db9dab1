go mod init clients
for contract in native elw lochting; do
	go run github.com/ogen-go/ogen/cmd/ogen@v1.24.0 --target $contract --package $contract documents/$contract.json
done
go get github.com/ogen-go/ogen@v1.24.0
go mod tidy
go vet ./...
go run .
