// Command standin plays the providers that a machine of the system test watches, one for
// each transport, all healthy, each on its own loopback port:
//
//	11434  an Ollama with one model
//	7001   a server that accepts TCP
//	7002   TLS
//	7003   DNS, for model.test
//	7004   gRPC with its health service
//	7005   a cloud API over TLS, which wants the key in the file -key
//
// It also watches a folder: standin -watch DIR prints what happens to the names in it.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	key := flag.String("key", "", "`file` with the key that the cloud API wants")
	authority := flag.String("authority", "", "`file` for the certificate that signs the others")
	watched := flag.String("watch", "", "`folder` to watch, instead of serving")
	flag.Parse()
	err := fmt.Errorf("give -watch, or -key and -authority")
	switch {
	case *watched != "":
		err = watch(*watched)
	case *key != "" && *authority != "":
		err = serve(*key, *authority)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "standin: %v\n", err)
		os.Exit(1)
	}
}
