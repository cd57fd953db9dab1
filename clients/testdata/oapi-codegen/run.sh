go mod init clients
for contract in native elw lochting; do
	mkdir $contract
	go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -package $contract -generate types,client -o $contract/client.go documents/$contract.json
done
go get github.com/oapi-codegen/runtime@v1.9.0
go mod tidy
go vet ./...
go run .
