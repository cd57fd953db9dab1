package contract

import (
	"net/http"

	"kartotek/internal/access"
	"kartotek/internal/web"
)

// Gate lets callers in. Contracts take the credential out of the request, each in
// its own way.
type Gate struct {
	Directory *access.Directory
}

// ByKey admits the caller with this API key to a contract.
func (g Gate) ByKey(_ http.ResponseWriter, r *http.Request, contract, key string) (access.Actor, error) {
	by, err := g.Directory.ByKey(r.Context(), key)
	if err != nil {
		return access.Actor{}, err
	}
	by.Contract, by.RequestID = contract, web.RequestID(r)
	return by, nil
}

// ByPassword admits the caller with this login and password to a contract.
func (g Gate) ByPassword(_ http.ResponseWriter, r *http.Request, contract, login, password string) (access.Actor, error) {
	by, err := g.Directory.ByPassword(r.Context(), login, password)
	if err != nil {
		return access.Actor{}, err
	}
	by.Contract, by.RequestID = contract, web.RequestID(r)
	return by, nil
}
