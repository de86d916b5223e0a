package browsertest

import (
	"fmt"
	"os"
)

// play is what this program does if a test starts it in another role.
func play(role string) {
	switch role {
	case "get": // asks for a page as the user who runs it
		status, err := get(os.Args[1])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(status)
	default:
		panic("no role is called " + role)
	}
}
