package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// A goClient is Go's default HTTP client, which plakar's client uses. By
// HTTP/1.1 it keeps two idle connections, so that with more requests at a time
// it opens and closes the others again and again. By HTTP/2 all share one.
type goClient struct {
	http.Client
	origin string
}

// newGoClient takes a nil trust for a server without TLS.
func newGoClient(job Job, trust *tls.Config) *goClient {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(job.Client == clientGo)
	transport.Protocols.SetHTTP2(job.Client == clientH2)
	scheme := "http://"
	if trust != nil {
		scheme = "https://"
	}
	return &goClient{http.Client{Transport: transport}, scheme + job.Address}
}

func (c *goClient) exchange(r request, b *body) (transfer, error) {
	var payload io.Reader
	if b != nil {
		// Hidden from the client, which would send its length.
		payload = struct{ io.Reader }{bytes.NewReader(b.bytes)}
	}
	req, err := http.NewRequest(r.method, c.origin+r.path, payload)
	if err != nil {
		return transfer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if r.rangeHeader != "" {
		req.Header.Set("Range", r.rangeHeader)
	}
	start := time.Now()
	response, err := c.Do(req)
	if err != nil {
		return transfer{}, err
	}
	firstByte := time.Since(start)
	n, err := io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if err != nil {
		return transfer{}, err
	}
	return transfer{n, firstByte}, checkAnswer(r, response.StatusCode, n)
}

// tlsConfig trusts the job's authority. It is nil where the job has none.
func tlsConfig(job Job) (*tls.Config, error) {
	if job.CA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(job.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", job.CA)
	}
	return &tls.Config{RootCAs: roots}, nil
}
