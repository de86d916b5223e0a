package ctl

import "strings"

// here completes the commands in a text so that they work as they are for the person who
// typed this one: with --socket if it was given here and, because sudo drops variables,
// after sudo also with what PROVIDERD_SOCKET is.
func (a *app) here(text string) string {
	if a.client == nil || a.client.Socket == "" && a.Getenv("PROVIDERD_SOCKET") == "" {
		return text
	}
	if strings.HasSuffix(text, "start it: providerd") { // and not the daemon of another socket
		text += " --socket " + quoted(a.asked())
	}
	return addressed(text, a.isCommand, a.client.Socket, a.Getenv("PROVIDERD_SOCKET"))
}

// isCommand reports whether a word is a command that needs the daemon.
func (a *app) isCommand(word string) bool {
	switch word {
	case "help", "completion", "version":
		return false
	}
	if a.root == nil {
		return false
	}
	cmd, _ := a.root.Find([]string{word})
	return cmd != a.root
}

// addressed is [app.here] for a socket that a flag or a variable named.
func addressed(text string, isCommand func(word string) bool, flag, variable string) string {
	const program, sudo = "providerctl ", "sudo "
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, program)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(program)
		socket := flag
		if socket == "" && strings.HasSuffix(before, sudo) {
			socket = variable
		}
		if word := after[:wordEnd(after)]; socket != "" && isCommand(word) {
			b.WriteString("--socket " + quoted(socket) + " ")
		}
		text = after
	}
}

// wordEnd is where the first word of a text ends.
func wordEnd(text string) int {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && c != '-' {
			return i
		}
	}
	return len(text)
}

// quoted is a word as a shell reads it.
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
