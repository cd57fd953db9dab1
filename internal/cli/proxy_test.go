package cli_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proxies are the configurations of reverse proxies that compress responses, and so change their
// entity tags. The parameters are a directory, the address of the proxy and that of the server.
var proxies = map[string]struct {
	command func(config string) *exec.Cmd
	config  string
}{
	"nginx": {
		func(config string) *exec.Cmd { return exec.Command("nginx", "-c", config) },
		`daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	gzip on;
	gzip_min_length 0;
	gzip_types *;
	gzip_proxied any;
	server {
		listen %[2]s;
		location / {
			proxy_pass http://%[3]s;
			proxy_http_version 1.1;
		}
	}
}
`,
	},
	"apache2": {
		func(config string) *exec.Cmd { return exec.Command("apache2", "-f", config, "-D", "FOREGROUND") },
		`ServerRoot %[1]s
ServerName localhost
DefaultRuntimeDir %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
Listen %[2]s
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so
LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
<IfModule unixd_module>
	User www-data
	Group www-data
</IfModule>
SetOutputFilter DEFLATE
ProxyPass / http://%[3]s/
`,
	},
}

// TestIfMatchThroughCompressingProxies sends the entity tag that a proxy has made of the server's.
func TestIfMatchThroughCompressingProxies(t *testing.T) {
	t.Parallel()
	at := atSQLite(t)
	importForLoad(t, at)
	key := strings.TrimSpace(runCommand(t, "", "key", "create", at.flag, "--tenant", "t", "--name", "shop", "--scope", "customers:read,customers:write"))
	url, kill := startServer(t, at.flag)
	defer kill()
	customer := 0
	for name := range proxies {
		proxy := startProxy(t, name, strings.TrimPrefix(url, "http://"))
		for _, v := range contractClients {
			customer++
			t.Run(name+"/"+v.contract, func(t *testing.T) { patchThroughProxy(t, proxy, v, customer, key) })
		}
	}
}

func patchThroughProxy(t *testing.T, proxy string, v contractClient, customer int, key string) {
	send := func(method, phone, ifMatch string) *http.Response {
		t.Helper()
		body := ""
		if method == http.MethodPatch {
			body = fmt.Sprintf(v.body, phone)
		}
		req, err := http.NewRequest(method, proxy+v.path(customer), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept-Encoding", "gzip")
		if ifMatch != "" {
			req.Header.Set("If-Match", ifMatch)
		}
		v.credential(req, key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	resp := send(http.MethodGet, "", "")
	tag := resp.Header.Get("ETag")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "gzip" || tag == `"1"` || tag == "" {
		t.Fatalf("GET: got %s, %v, want a compressed response with another entity tag", resp.Status, resp.Header)
	}
	if resp := send(http.MethodPatch, "22334455", tag); resp.StatusCode != http.StatusOK {
		t.Errorf("PATCH with If-Match %s: got %s, want 200", tag, resp.Status)
	}
	if resp := send(http.MethodPatch, "22334466", tag); resp.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("another PATCH with If-Match %s: got %s, want 412", tag, resp.Status)
	}
}

// startProxy returns the base URL of a proxy for the server at this address.
func startProxy(t *testing.T, name, server string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("KARTOTEK_TEST_ALL") != "" {
			t.Fatal(err)
		}
		t.Skipf("needs %s: apt-get install nginx-light apache2", name)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "proxy.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, proxies[name].config, dir, address, server), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := proxies[name].command(config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // which also ends its workers
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return "http://" + address
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Fatalf("%s does not listen: %v\n%s", name, err, log)
		}
	}
}
