// One end of TLS 1.2 by Go's crypto/tls: a client that sends a line, or a server that sends back what it gets.
//
//	peer client|server name=value...   with port, ca, chain, key (files), suite (number), alpn, times, auth
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

func check(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func configuration(given map[string]string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, ServerName: "server.test"}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	root, err := os.ReadFile(given["ca"])
	check(err)
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AppendCertsFromPEM(root)
	config.ClientCAs = config.RootCAs
	if given["auth"] != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if given["chain"] != "" {
		pair, err := tls.LoadX509KeyPair(given["chain"], given["key"])
		check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	if given["suite"] != "" {
		number, err := strconv.ParseUint(given["suite"], 10, 16)
		check(err)
		config.CipherSuites = []uint16{uint16(number)}
	}
	if given["alpn"] != "" {
		config.NextProtos = strings.Split(given["alpn"], ",")
	}
	return config
}

func talk(address string, config *tls.Config) {
	connection, err := tls.Dial("tcp", address, config)
	check(err)
	defer connection.Close()
	_, err = connection.Write([]byte("hello\n"))
	check(err)
	line, err := bufio.NewReader(connection).ReadString('\n')
	check(err)
	state := connection.ConnectionState()
	fmt.Printf("%ssuite=%d resumed=%t alpn=%s\n", line, state.CipherSuite, state.DidResume, state.NegotiatedProtocol)
}

func main() {
	given := map[string]string{"times": "1", "port": "0"}
	for _, word := range os.Args[2:] {
		name, value, _ := strings.Cut(word, "=")
		given[name] = value
	}
	config, address := configuration(given), "127.0.0.1:"+given["port"]
	if os.Args[1] == "client" {
		times, _ := strconv.Atoi(given["times"])
		for ; times > 0; times-- {
			talk(address, config)
		}
		return
	}
	listener, err := net.Listen("tcp", address)
	check(err)
	fmt.Println("listening on port", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		check(err)
		go func() {
			server := tls.Server(connection, config)
			io.Copy(server, server)
			server.Close()
		}()
	}
}
